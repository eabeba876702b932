/** The two pipes of this process, read and written with blocking calls: it has nothing else to wait for. */
import { readSync, writeSync } from 'node:fs';

const NEWLINE = 0x0a;
const CHUNK = 64 * 1024;

export interface Pipes {
  /** The next line without its end; undefined when the other end is gone. */
  readLine(): string | undefined;
  writeLine(text: string): void;
}

/** `mostBytes` of a line; a longer one throws. */
export function openPipes(from: number, to: number, mostBytes: number): Pipes {
  const chunk = Buffer.allocUnsafe(CHUNK);
  let rest: Buffer = Buffer.alloc(0);
  return {
    readLine() {
      const parts: Buffer[] = [];
      let length = 0;
      for (;;) {
        const end = rest.indexOf(NEWLINE);
        if (end >= 0) {
          parts.push(rest.subarray(0, end));
          rest = rest.subarray(end + 1);
          return Buffer.concat(parts).toString('utf8');
        }
        parts.push(rest);
        length += rest.length;
        if (length > mostBytes) throw new RangeError('a line is too long');
        const got = readSync(from, chunk, 0, CHUNK, null);
        if (got === 0) return undefined;
        rest = Buffer.from(chunk.subarray(0, got));
      }
    },
    writeLine(text) {
      const bytes = Buffer.from(`${text}\n`, 'utf8');
      for (let done = 0; done < bytes.length;) done += writeSync(to, bytes, done);
    },
  };
}
