/** The gateway on one native wire, with the client of the built-in agent in front of it and a server of a test behind it. */
import { dynamicTool, isStepCount, jsonSchema, streamText, type ModelMessage } from 'ai';
import { modelClient } from '../../src/agent/model-client.ts';
import { failureOf } from '../../src/agent/outcome.ts';
import type { Wire } from '../../src/edge/llm/wires/wire.ts';
import { startModelRig, type ModelRig, type ModelRigOptions } from './model-rig.ts';

export interface WireRig extends ModelRig {
  readonly think: (messages?: readonly ModelMessage[]) => Promise<Heard>;
  /** Sends a body as a hostile engine would; the answer's code, or undefined where it was let through. */
  readonly refused: (body: unknown, path?: string) => Promise<string | undefined>;
}

export interface Heard {
  readonly text: string;
  readonly thinking: string;
  readonly ran: readonly { readonly id: string; readonly input: unknown }[];
  /** Codes as the agent would report them. */
  readonly errors: readonly string[];
  readonly finish: string;
  readonly usage: { readonly input: number | undefined; readonly output: number | undefined };
}

export async function startWireRig(
  options: Omit<ModelRigOptions, 'model'> & {
    readonly wire: Wire;
    readonly upstreamUrl: string;
    /** Its name. */
    readonly model: string;
  },
): Promise<WireRig> {
  const { model: name, ...rest } = options;
  const { wire } = rest;
  const rig = await startModelRig({ ...rest, turn: { ...rest.turn, model: name } });
  const fetch: typeof globalThis.fetch = (input, init) => rig.gateway.fetch(new Request(input, init));
  return {
    ...rig,
    async think(messages = [{ role: 'user', content: 'list' }]) {
      const client = await modelClient(
        { wire: wire.name, model: name, capability: rig.turn.capability },
        fetch,
      );
      const ran: { id: string; input: unknown }[] = [];
      const errors: string[] = [];
      let [text, thinking, finish] = ['', '', ''];
      let usage: Heard['usage'] = { input: undefined, output: undefined };
      const result = streamText({
        model: client,
        instructions: 'Be brief.',
        messages: [...messages],
        tools: {
          workspace_list: dynamicTool({
            description: 'List.',
            inputSchema: jsonSchema({ type: 'object', properties: { path: { type: 'string' } } }),
            execute: (input, { toolCallId }) => {
              ran.push({ id: toolCallId, input });
              return 'a.md';
            },
          }),
        },
        stopWhen: isStepCount(5),
        maxRetries: 0,
        onError: () => undefined,
      });
      for await (const part of result.stream) {
        if (part.type === 'text-delta') text += part.text;
        if (part.type === 'reasoning-delta') thinking += part.text;
        if (part.type === 'error') errors.push(failureOf(part.error).code);
        if (part.type === 'finish') {
          finish = part.finishReason;
          usage = { input: part.totalUsage.inputTokens, output: part.totalUsage.outputTokens };
        }
      }
      return { text, thinking, ran, errors, finish, usage };
    },
    async refused(body, path = wire.enginePath(name)) {
      const response = await rig.raw(
        {
          headers: { authorization: `Bearer ${rig.turn.capability}` },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        },
        path,
      );
      const text = await response.text();
      if (response.status !== 403) return undefined;
      return (JSON.parse(text) as { error: { code: string } }).error.code;
    },
  };
}
