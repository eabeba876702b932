/**
 * A child's output as lines.
 *
 * Guarantees: the pipe is always drained, so that the child never blocks on it; memory is bounded, whatever is written.
 * Does not: clean the text. It is the child's word, to be redacted and escaped by whoever shows it.
 * An attacker may control: every byte and the speed.
 */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { LineStream, OutputCap } from './types.ts';

export function readLines(
  stream: Readable,
  cap: OutputCap = {},
  now: () => number = performance.now.bind(performance),
): LineStream {
  const lineBytes = cap.lineBytes ?? 8 * 1024;
  const bytesPerSecond = cap.bytesPerSecond ?? 64 * 1024;
  const tailLines = cap.tailLines ?? 50;
  const listeners = new Set<(line: string) => void>();
  const tail: string[] = [];
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let dropped = 0;
  let budget = bytesPerSecond;
  let filledAt = now();

  const emit = (line: string): void => {
    tail.push(line);
    if (tail.length > tailLines) tail.shift();
    for (const listener of listeners) listener(line);
  };

  const take = (text: string): void => {
    const lines = text.split('\n');
    const last = lines.length - 1;
    for (const [index, part] of lines.entries()) {
      const room = Math.max(0, lineBytes - rest.length);
      rest += part.slice(0, room);
      dropped += Math.max(0, part.length - room);
      if (index < last) {
        emit(rest);
        rest = '';
      }
    }
  };

  stream.on('data', (chunk: Buffer) => {
    const time = now();
    budget = Math.min(bytesPerSecond, budget + ((time - filledAt) / 1000) * bytesPerSecond);
    filledAt = time;
    const kept = Math.min(chunk.length, Math.floor(budget));
    budget -= kept;
    dropped += chunk.length - kept;
    take(decoder.write(chunk.subarray(0, kept)));
  });
  stream.on('end', () => {
    take(decoder.end());
    if (rest !== '') emit(rest);
    rest = '';
  });
  // A reset pipe is the end of a child, which `exited` tells.
  stream.on('error', () => undefined);

  return {
    onLine(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    tail: () => [...tail],
    get droppedBytes() {
      return dropped;
    },
  };
}
