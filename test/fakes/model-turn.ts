/**
 * A turn that records what the LLM gateway tells it, and a redactor for one plain text: for tests of the gateway alone.
 * The real ones are in `engine/` and `guard/secrets`.
 */
import type { RedactionCounts, RedactionStream, Redactor, ToolDefinition } from '../../src/core/index.ts';
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

/** Hides one text, whole or spread over chunks. */
export function plainRedactor(name: string, secret: string): Redactor {
  const marker = `[REDACTED:${name}]`;
  const text = (given: string): { value: string; hidden: RedactionCounts } => {
    const pieces = given.split(secret);
    return { value: pieces.join(marker), hidden: pieces.length > 1 ? { [name]: pieces.length - 1 } : {} };
  };
  const stream = (): RedactionStream => {
    let held = '';
    let count = 0;
    return {
      push(chunk) {
        const pieces = (held + chunk).split(secret);
        count += pieces.length - 1;
        const last = pieces.pop() ?? '';
        let keep = Math.min(last.length, secret.length - 1);
        while (keep > 0 && !secret.startsWith(last.slice(-keep))) keep -= 1;
        held = keep > 0 ? last.slice(-keep) : '';
        return [...pieces, last.slice(0, last.length - keep)].join(marker);
      },
      end() {
        const rest = held;
        held = '';
        return rest;
      },
      get hidden() {
        return count > 0 ? { [name]: count } : {};
      },
    };
  };
  return {
    text,
    json<T>(value: T) {
      let hidden: RedactionCounts = {};
      const walk = (item: unknown): unknown => {
        if (typeof item === 'string') {
          const done = text(item);
          if (done.hidden[name] !== undefined) hidden = { [name]: (hidden[name] ?? 0) + done.hidden[name] };
          return done.value;
        }
        if (Array.isArray(item)) return item.map((inner) => walk(inner));
        if (typeof item !== 'object' || item === null) return item;
        return Object.fromEntries(Object.entries(item).map(([key, inner]) => [text(key).value, walk(inner)]));
      };
      return { value: walk(value) as T, hidden };
    },
    stream,
  };
}
