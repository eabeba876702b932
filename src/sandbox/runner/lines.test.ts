import { assert, integer, jsonValue, property, uniqueArray } from 'fast-check';
import { expect, test } from 'vitest';
import { createFrameReader, type Frame } from './frame-reader.ts';
import { isShallow } from '../../core/index.ts';

test('brackets count by their depth, those in texts do not', () => {
  expect(isShallow('[[1],[2],{"a":[3]}]', 3)).toBe(true);
  expect(isShallow('[[1],[2],{"a":[3]}]', 2)).toBe(false);
  expect(isShallow('["[[[[","\\"[[[[","\\\\",1]', 1)).toBe(true);
  expect(isShallow('["\\\\",[1]]', 1)).toBe(false);
  expect(isShallow('{{{{', 3)).toBe(false);
});

test('whatever is parsed is as deep as was said', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null
      ? 1 + Math.max(0, ...Object.values(value).map((item) => depthOf(item)))
      : 0;
  assert(
    property(jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value);
      const depth = depthOf(JSON.parse(text));
      expect(isShallow(text, depth)).toBe(true);
      if (depth > 0) expect(isShallow(text, depth - 1)).toBe(false);
    }),
  );
});

test('a line is one, however it is cut; what follows before an answer is a violation, and then there is nothing more', () => {
  const line = Buffer.from('Q{"name":"é"}\n');
  assert(
    property(uniqueArray(integer({ min: 1, max: line.length - 1 })), (cuts) => {
      const reader = createFrameReader(100);
      const ends = [...cuts.toSorted((a, b) => a - b), line.length];
      const frames = ends.map((end, index) => reader.push(line.subarray(ends[index - 1] ?? 0, end)));
      expect(frames.pop()).toEqual({ kind: 'question', line: '{"name":"é"}' });
      expect(frames.every((frame: Frame | undefined) => frame === undefined)).toBe(true);
    }),
  );
  const reader = createFrameReader(100);
  expect(reader.push(Buffer.from('Q1\nQ2\n'))).toEqual({ kind: 'violation' });
  expect(reader.push(Buffer.from('Q3\n'))).toBeUndefined();
});

test('a line without an end is cut off at its size, also when it comes byte by byte', () => {
  const reader = createFrameReader(100);
  const chunk = Buffer.alloc(64 * 1024, 'Q');
  let pushed = 0;
  let frame: Frame | undefined;
  while (frame === undefined) {
    frame = reader.push(chunk);
    pushed += chunk.length;
  }
  expect(frame).toEqual({ kind: 'violation' });
  expect(pushed).toBeLessThan(9 * 1024 * 1024);
});
