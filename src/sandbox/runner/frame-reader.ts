// Guarantees: lines of a known kind within their size, in the order of the protocol, one at a time; anything else is said
// once, and nothing after it. No more is kept than the longest line may have.
// Does not: look into a line.
// An attacker may control: every byte and how they are cut.
import { FRAMES, MESSAGE_LIMITS } from '../wire/index.ts';

export type Frame =
  | { readonly kind: 'ready' }
  | { readonly kind: 'question'; readonly line: string }
  | { readonly kind: 'outcome'; readonly line: string }
  | { readonly kind: 'violation' };

const NEWLINE = 0x0a;

export interface FrameReader {
  /** What this piece completes. A process that waits for an answer says nothing: a second line in it is a violation. */
  push(chunk: Buffer): Frame | undefined;
}

/** `mostOutcome` in characters, which are up to three bytes each. */
export function createFrameReader(mostOutcome: number): FrameReader {
  const most = Math.max(MESSAGE_LIMITS.question, 3 * mostOutcome);
  let parts: Buffer[] = [];
  let length = 0;
  let broken = false;
  const violation = (): Frame => {
    broken = true;
    parts = [];
    return { kind: 'violation' };
  };
  return {
    push(chunk) {
      if (broken) return undefined;
      const end = chunk.indexOf(NEWLINE);
      length += end < 0 ? chunk.length : end;
      if (length > most || (end >= 0 && end !== chunk.length - 1)) return violation();
      parts.push(end < 0 ? chunk : chunk.subarray(0, end));
      // Thousands of single bytes are not worth an object each.
      if (parts.length > 1_000) parts = [Buffer.concat(parts)];
      if (end < 0) return undefined;
      const text = Buffer.concat(parts).toString('utf8');
      parts = [];
      length = 0;
      const line = text.slice(1);
      switch (text[0]) {
        case FRAMES.ready:
          return line === '' ? { kind: 'ready' } : violation();
        case FRAMES.question:
          return { kind: 'question', line };
        case FRAMES.outcome:
          return { kind: 'outcome', line };
        default:
          return violation();
      }
    },
  };
}
