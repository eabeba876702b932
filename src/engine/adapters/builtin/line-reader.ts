// Guarantees: no line longer than the cap, and no more lines a second than the budget, reach the listener; the first
// offence is told once, and nothing more is read from that stream.
// Does not: look into a line.
// An attacker may control: every byte, and how they are cut into chunks.
import type { Readable } from 'node:stream';

import type { Clock } from '../../../core/index.ts';

export interface LineLimits {
  readonly lineBytes: number;
  /** Lines a second that may go on for ever, and how many at once. */
  readonly linesPerSecond: number;
  readonly burst: number;
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
  let filledAt = clock.monotonic();

  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    parts = [];
    stream.off('data', onData);
    stream.destroy();
  };
  const offend = (kind: LineOffence): void => {
    stop();
    listener.offence(kind);
  };
  const spend = (): boolean => {
    const now = clock.monotonic();
    budget = Math.min(limits.burst, budget + ((now - filledAt) / 1000) * limits.linesPerSecond);
    filledAt = now;
    budget -= 1;
    return budget >= 0;
  };
  const onData = (chunk: Buffer): void => {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end);
      start = end + 1;
      if (held + piece.length > limits.lineBytes) return offend('too_long');
      if (!spend()) return offend('too_many');
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
