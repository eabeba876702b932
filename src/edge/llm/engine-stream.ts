// Guarantees: what the engine reads is written by us, chunk by chunk, from redacted parts and recorded calls. No byte of
// the upstream passes. At most `AHEAD` chunks wait for a slow reader. An attacker may control: how fast the engine reads.
import type { GatewayToolCall, StepPart, StepUsage } from './ports.ts';

const AHEAD = 32;

export interface EngineStream {
  readonly body: ReadableStream<Uint8Array>;
  part(part: StepPart, delta: string): void;
  /** Resolves when the engine has room for more, or has gone. */
  room(): Promise<void>;
  finish(calls: readonly GatewayToolCall[], finishReason: string, usage: StepUsage): void;
  fail(code: string, message: string): void;
}

export function createEngineStream(options: {
  readonly id: string;
  readonly model: string;
  readonly created: number;
  /** The engine stopped reading before the end. */
  readonly onCancel: () => void;
}): EngineStream {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let wake: (() => void) | undefined;
  let closed = false;
  const release = (): void => {
    wake?.();
    wake = undefined;
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      pull: release,
      cancel() {
        closed = true;
        release();
        options.onCancel();
      },
    },
    { highWaterMark: AHEAD },
  );
  const write = (data: unknown): void => {
    if (closed) return;
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    controller?.enqueue(encoder.encode(`data: ${text}\n\n`));
  };
  const chunk = (delta: unknown, finish: string | null = null): void =>
    write({
      id: options.id,
      object: 'chat.completion.chunk',
      created: options.created,
      model: options.model,
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
  const close = (): void => {
    if (closed) return;
    closed = true;
    controller?.close();
    release();
  };
  return {
    body,
    part(part, delta) {
      if (delta !== '') chunk(part === 'text' ? { content: delta } : { reasoning_content: delta });
    },
    async room() {
      if (closed || (controller?.desiredSize ?? 0) > 0) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    },
    finish(calls, finishReason, usage) {
      for (const call of calls) {
        const { index, id, name, argumentsText } = call;
        chunk({
          tool_calls: [{ index, id, type: 'function', function: { name, arguments: argumentsText } }],
        });
      }
      chunk({}, calls.length > 0 ? 'tool_calls' : finishReason);
      const input = usage.input ?? 0;
      const output = usage.output ?? 0;
      write({
        id: options.id,
        object: 'chat.completion.chunk',
        created: options.created,
        model: options.model,
        choices: [],
        usage: {
          prompt_tokens: input,
          completion_tokens: output,
          total_tokens: input + output,
          prompt_tokens_details: { cached_tokens: usage.cached ?? 0 },
        },
      });
      write('[DONE]');
      close();
    },
    fail(code, message) {
      write({ error: { message, type: 'gateway', param: null, code } });
      close();
    },
  };
}
