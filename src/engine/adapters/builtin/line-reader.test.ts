import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import type { Clock } from '../../../core/index.ts';
import { readLines, type LineLimits } from './line-reader.ts';

// A machine that is busy with other suites is slow.
const PATIENT = { timeout: 15_000 };

const LIMITS: LineLimits = {
  lineBytes: 10,
  linesPerSecond: 2,
  burst: 3,
  bytesPerSecond: 1000,
  burstBytes: 1000,
};

function reader(limits: Partial<LineLimits> = {}) {
  let now = 0;
  const clock: Clock = { now: () => 0, monotonic: () => now };
  const stream = new PassThrough();
  const seen: string[] = [];
  readLines(
    stream,
    clock,
    { ...LIMITS, ...limits },
    {
      line: (text) => void seen.push(text),
      offence: (kind) => void seen.push(`! ${kind}`),
    },
  );
  return {
    stream,
    seen,
    wait: (ms: number) => {
      now += ms;
    },
    write: async (text: string | Buffer) => {
      if (!stream.destroyed) stream.write(text);
      await sleep(1);
    },
  };
}

describe('lines from a process that nobody trusts', () => {
  it('arrive whole, however they and their characters are cut', async () => {
    const { seen, write } = reader({ burst: 100 });
    for (const byte of Buffer.from('ä€\n\n😀\nend')) await write(Buffer.from([byte]));
    expect(seen).toEqual(['ä€', '', '😀']);
  });

  it('may have the length of the cap and not one byte more, before any newline has come', async () => {
    const { seen, stream, write } = reader();
    await write('0123456789\n');
    await write('01234');
    await write('56789');
    expect(seen).toEqual(['0123456789']);
    await write('0');
    expect(seen).toEqual(['0123456789', '! too_long']);
    expect(stream.destroyed).toBe(true);
  });

  it('are told as too long once, with nothing after', async () => {
    const { seen, write } = reader();
    await write('0123456789012\nnext\n');
    await write('more\n');
    expect(seen).toEqual(['! too_long']);
  });

  it('are refused when there are too many, and allowed again with time', async () => {
    const { seen, write, wait } = reader();
    await write('a\nb\nc\n');
    wait(1000);
    await write('d\ne\n');
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
    await write('f\ng\n');
    expect(seen.slice(5)).toEqual(['! too_many']);
  });

  it('wait in the pipe when they are too large together', async () => {
    const { seen, stream, write } = reader({ burst: 1000, burstBytes: 10, bytesPerSecond: 100 });
    await write('01234567\n01234567\n');
    expect(stream.isPaused()).toBe(true);
    await write('later\n');
    expect(seen).toEqual(['01234567', '01234567']);
    await expect.poll(() => seen.at(-1), PATIENT).toBe('later');
  });
});
