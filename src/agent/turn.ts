import { dynamicTool, isStepCount, jsonSchema, streamText, type StopCondition, type ToolSet } from 'ai';

import type { Json } from '../core/index.ts';
import type { AgentOutcome, TurnFrame } from './frames.ts';
import { createMcpTools, ToolsUnavailable, type McpResult } from './mcp-tools.ts';
import { modelClient, outputLimit } from './model-client.ts';
import { toModelMessages } from './model-messages.ts';
import { failed, failureOf } from './outcome.ts';

/** Calls of one answer that run side by side; the others wait in their order. */
const CALLS_AT_ONCE = 4;
/** So many answers in a row whose calls can't be read end the turn: the model will not recover. */
const UNREADABLE_IN_A_ROW = 3;

/** Runs one turn: model, tools, model, until there is an answer. Never rejects. Keeps nothing. */
export async function runTurn(
  turn: TurnFrame,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<AgentOutcome> {
  try {
    return await think(turn, fetch, signal);
  } catch (error) {
    return signal.aborted ? { kind: 'stopped' } : failureOf(error);
  }
}

async function think(
  turn: TurnFrame,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<AgentOutcome> {
  // A failure of the tools as such ends the turn, where a failure of one tool is for the model to read.
  const broken = new AbortController();
  const result = streamText({
    model: await modelClient(turn, fetch),
    ...outputLimit(turn.wire),
    instructions: turn.system,
    messages: toModelMessages(turn.history),
    tools: toolSet(turn, fetch, signal, broken),
    stopWhen: [isStepCount(turn.maxSteps), unreadable],
    toolCallConcurrency: CALLS_AT_ONCE,
    maxRetries: 0,
    abortSignal: AbortSignal.any([signal, broken.signal]),
    onError: () => undefined, // every error is also a part of the stream; the default prints it
  });

  let problem: unknown;
  let steps = 0;
  let ending = '';
  let unreadableSteps = 0;
  let unreadableCall = false;
  for await (const part of result.stream) {
    if (part.type === 'error') problem ??= part.error;
    if (part.type === 'tool-call' && part.invalid === true) unreadableCall = true;
    if (part.type === 'finish-step') {
      steps += 1;
      ending = part.finishReason;
      unreadableSteps = unreadableCall ? unreadableSteps + 1 : 0;
      unreadableCall = false;
    }
  }
  if (signal.aborted) return { kind: 'stopped' };
  if (broken.signal.aborted) return failureOf(broken.signal.reason);
  if (problem !== undefined) return failureOf(problem);
  if (unreadableSteps >= UNREADABLE_IN_A_ROW) {
    return failed(
      'unreadable_calls',
      `The model made tool calls that can't be read ${UNREADABLE_IN_A_ROW} times in a row.`,
    );
  }
  return outcomeOf(ending, steps, turn.maxSteps);
}

function outcomeOf(ending: string, steps: number, maxSteps: number): AgentOutcome {
  switch (ending) {
    case 'tool-calls':
      return failed(
        'step_limit',
        `The assistant used all ${maxSteps} steps of this turn (${steps}) without an answer.`,
      );
    case 'error':
    case 'interrupted':
    case '':
      return failed(
        'model_answer_invalid',
        'The answer of the model ended without saying that it is complete.',
      );
    default:
      // An answer cut at the model's own limit is an answer too; the gateway notes it.
      return { kind: 'finished' };
  }
}

const unreadable: StopCondition<ToolSet> = ({ steps }) =>
  steps.length >= UNREADABLE_IN_A_ROW &&
  steps.slice(-UNREADABLE_IN_A_ROW).every((step) => step.toolCalls.some((call) => call.invalid === true));

function toolSet(
  turn: TurnFrame,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
  broken: AbortController,
): ToolSet {
  const mcp = createMcpTools(fetch, turn.capability);
  const tools: ToolSet = {};
  for (const definition of turn.tools) {
    tools[definition.name] = dynamicTool({
      description: definition.description,
      // Without a validator: whether arguments fit is for the gate to say, and the model hears it from there.
      inputSchema: jsonSchema(definition.schema),
      async execute(input, { toolCallId, abortSignal }) {
        try {
          return await mcp.call(toolCallId, definition.name, input as Json, abortSignal ?? signal);
        } catch (error) {
          if (error instanceof ToolsUnavailable) broken.abort(error);
          throw error;
        }
      },
      // The text as it is: an error that was thrown would reach the model as "Error: …".
      toModelOutput: ({ output }) => {
        const { text, isError } = output as McpResult;
        return { type: isError ? 'error-text' : 'text', value: text };
      },
    });
  }
  return tools;
}
