// Guarantees: no line longer than the cap, and no more lines a second than the budget, reach the listener; the first
// offence is told once, and nothing more is read from that stream. Bytes beyond their budget wait in the pipe, so that a
// flood of large lines costs the writer its time and not ours.
// Does not: look into a line.
// An attacker may control: every byte, and how they are cut into chunks.
import type { Readable } from 'node:stream';

import type { Clock } from '../../../core/index.ts';

export interface LineLimits {
  readonly lineBytes: number;
  /** Lines a second that may go on for ever, and how many at once. */
  readonly linesPerSecond: number;
  readonly burst: number;
  /** Bytes a second that may go on for ever, and how many at once. */
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
}

export type LineOffence = 'too_long' | 'too_many';

export function readLines(
  stream: Readable,
  clock: Clock,
  limits: LineLimits,
  listener: { line(text: string): void; offence(kind: LineOffence): void },
): { stop(): void } {
  let parts: Buffer[] = [];
  let held = 0;
  let stopped = false;
  let budget = limits.burst;
  let bytes = limits.burstBytes;
  let filledAt = clock.monotonic();
  let pause: NodeJS.Timeout | undefined;

  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    parts = [];
    clearTimeout(pause);
    stream.off('data', onData);
    stream.destroy();
  };
  const offend = (kind: LineOffence): void => {
    stop();
    listener.offence(kind);
  };
  const refill = (): void => {
    const now = clock.monotonic();
    const seconds = (now - filledAt) / 1000;
    filledAt = now;
    budget = Math.min(limits.burst, budget + seconds * limits.linesPerSecond);
    bytes = Math.min(limits.burstBytes, bytes + seconds * limits.bytesPerSecond);
  };
  const throttle = (length: number): void => {
    refill();
    bytes -= length;
    if (bytes >= 0) return;
    stream.pause();
    pause = setTimeout(() => stream.resume(), (-bytes / limits.bytesPerSecond) * 1000);
  };
  const onData = (chunk: Buffer): void => {
    throttle(chunk.length);
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end);
      start = end + 1;
      if (held + piece.length > limits.lineBytes) return offend('too_long');
      budget -= 1;
      if (budget < 0) return offend('too_many');
      const text =
        parts.length === 0 ? piece.toString('utf8') : Buffer.concat([...parts, piece]).toString('utf8');
      parts = [];
      held = 0;
      listener.line(text);
      if (stopped) return;
    }
    const rest = chunk.subarray(start);
    if (rest.length === 0) return;
    held += rest.length;
    if (held > limits.lineBytes) return offend('too_long');
    parts.push(rest);
  };
  stream.on('data', onData);
  return { stop };
}
