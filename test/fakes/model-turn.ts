/** A turn that records what the LLM gateway tells it: for tests of the gateway alone. The real one is in `engine/`. */
import type { ToolDefinition } from '../../src/core/index.ts';
import type {
  GatewayToolCall,
  GatewayTurn,
  StepEnd,
  StepPart,
  StepStart,
  TurnAuthority,
} from '../../src/edge/llm/ports.ts';

export interface RecordedTurn extends GatewayTurn {
  readonly capability: string;
  /** Names of the calls to the port, in order. */
  readonly log: string[];
  readonly texts: { step: number; part: StepPart; text: string }[];
  readonly ended: { step: number; part: StepPart; text: string }[];
  readonly calls: { step: number; calls: readonly GatewayToolCall[] }[];
  readonly steps: { step: number; end: StepEnd }[];
  readonly refusals: { code: string; message: string }[];
  stop(): void;
}

export interface RecordedTurnOptions {
  readonly capability?: string;
  readonly turnId?: string;
  readonly provider?: string;
  readonly model?: string;
  readonly tools?: readonly ToolDefinition[];
  readonly maxSteps?: number;
  /** Called first by each method of the port; throws to make it fail. */
  readonly before?: (method: string) => void;
}

const TOOL_NAMES = ['workspace_list', 'workspace_read', 'workspace_write', 'memory_read', 'memory_write'];
export const FAKE_TOOLS: readonly ToolDefinition[] = TOOL_NAMES.map((name) => ({
  name,
  description: `Our own words on ${name}.`,
  schema: { type: 'object', properties: { path: { type: 'string' } } },
}));

export function recordedTurn(options: RecordedTurnOptions = {}): RecordedTurn {
  const controller = new AbortController();
  const log: string[] = [];
  const texts: RecordedTurn['texts'] = [];
  const ended: RecordedTurn['ended'] = [];
  const calls: RecordedTurn['calls'] = [];
  const steps: RecordedTurn['steps'] = [];
  const refusals: RecordedTurn['refusals'] = [];
  let step = 0;
  const enter = (method: string): void => {
    options.before?.(method);
    log.push(method);
  };
  return {
    capability: options.capability ?? 'capability-of-this-turn',
    turnId: options.turnId ?? 'turn_1',
    conversationId: 'conv_1',
    origin: 'page',
    provider: options.provider ?? 'openai-compatible',
    model: options.model ?? 'fake-model',
    tools: options.tools ?? FAKE_TOOLS,
    signal: controller.signal,
    log,
    texts,
    ended,
    calls,
    steps,
    refusals,
    beginStep(): StepStart {
      enter('beginStep');
      if (step >= (options.maxSteps ?? 100))
        return { ok: false, code: 'step_limit', message: 'Enough steps.' };
      step += 1;
      return { ok: true, step };
    },
    text(at, part, text) {
      enter('text');
      texts.push({ step: at, part, text });
    },
    partEnd(at, part, text) {
      enter('partEnd');
      ended.push({ step: at, part, text });
    },
    toolCalls(at, given) {
      enter('toolCalls');
      calls.push({ step: at, calls: given });
    },
    stepEnd(at, end) {
      enter('stepEnd');
      steps.push({ step: at, end });
    },
    refused(code, message) {
      enter('refused');
      refusals.push({ code, message });
    },
    stop: () => controller.abort(),
  };
}

export function authorityOf(...turns: readonly RecordedTurn[]): TurnAuthority {
  return { turnFor: (capability) => turns.find((turn) => turn.capability === capability) };
}
