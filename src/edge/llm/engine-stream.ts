// Guarantees: what the engine reads is written by us (the wire's writer). No byte of the upstream passes. At most `AHEAD`
// pieces wait for a slow reader. An attacker may control: how fast the engine reads.
import type { GatewayToolCall, StepPart, StepUsage } from './ports.ts';
import type { AnswerWriter } from './wires/wire.ts';

const AHEAD = 32;

export interface EngineStream {
  readonly body: ReadableStream<Uint8Array>;
  part(part: StepPart, delta: string): void;
  /** Resolves when the engine has room for more, or has gone. */
  room(): Promise<void>;
  finish(calls: readonly GatewayToolCall[], finishReason: string, usage: StepUsage, sealed: boolean): void;
  fail(code: string, message: string): void;
}

/** @param onCancel the engine stopped reading before the end. */
export function createEngineStream(writer: AnswerWriter, onCancel: () => void): EngineStream {
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
        onCancel();
      },
    },
    { highWaterMark: AHEAD },
  );
  const write = (text: string): void => {
    if (!closed && text !== '') controller?.enqueue(encoder.encode(text));
  };
  const close = (): void => {
    if (closed) return;
    closed = true;
    controller?.close();
    release();
  };
  return {
    body,
    part(part, delta) {
      if (delta !== '') write(writer.part(part, delta));
    },
    async room() {
      if (closed || (controller?.desiredSize ?? 0) > 0) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    },
    finish(calls, finishReason, usage, sealed) {
      write(writer.finish(calls, finishReason, usage, sealed));
      close();
    },
    fail(code, message) {
      write(writer.fail(code, message));
      close();
    },
  };
}
