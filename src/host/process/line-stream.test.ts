import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { readLines } from './line-stream.ts';

async function feed(stream: PassThrough, ...chunks: (string | Buffer)[]): Promise<void> {
  for (const chunk of chunks) {
    stream.write(chunk);
    await turn();
  }
}

it('joins chunks into lines, also where a chunk ends inside a character', async () => {
  const stream = new PassThrough();
  const seen: string[] = [];
  const lines = readLines(stream);
  lines.onLine((line) => seen.push(line));
  const euro = Buffer.from('€');
  await feed(stream, 'a', 'b\nc', euro.subarray(0, 1), euro.subarray(1), '\n\nlast');
  stream.end();
  await turn();
  expect(seen).toEqual(['ab', 'c€', '', 'last']);
  expect(lines.tail()).toEqual(seen);
});

it('cuts a long line and counts what it took', async () => {
  const stream = new PassThrough();
  const lines = readLines(stream, { lineBytes: 4 });
  await feed(stream, 'abc', 'defgh\nij\n');
  expect(lines.tail()).toEqual(['abcd', 'ij']);
  expect(lines.droppedBytes).toBe(4);
});

it('keeps only the last lines', async () => {
  const stream = new PassThrough();
  const lines = readLines(stream, { tailLines: 2 });
  await feed(stream, '1\n2\n3\n');
  expect(lines.tail()).toEqual(['2', '3']);
});

it('drops what is over the rate, and hands on again when time has passed', async () => {
  const stream = new PassThrough();
  let now = 0;
  const lines = readLines(stream, { bytesPerSecond: 10 }, () => now);
  await feed(stream, '123456789\n', 'dropped\n');
  expect(lines.tail()).toEqual(['123456789']);
  expect(lines.droppedBytes).toBe(8);
  now = 1000;
  await feed(stream, 'again\n');
  expect(lines.tail()).toEqual(['123456789', 'again']);
});

it('stops calling a listener that has had enough', async () => {
  const stream = new PassThrough();
  const seen: string[] = [];
  const stop = readLines(stream).onLine((line) => seen.push(line));
  await feed(stream, 'one\n');
  stop();
  await feed(stream, 'two\n');
  expect(seen).toEqual(['one']);
});
