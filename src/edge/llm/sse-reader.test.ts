import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseReader } from './sse-reader.ts';

const LIMITS = { lineChars: 1_000, answerBytes: 100_000 };

function readAll(pieces: readonly Uint8Array[], limits = LIMITS): string[] | string {
  const reader = new SseReader(limits);
  const events: string[] = [];
  for (const piece of pieces) {
    const found = reader.push(piece);
    if (typeof found === 'string') return found;
    events.push(...found);
  }
  const last = reader.end();
  return typeof last === 'string' ? last : [...events, ...last];
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('the reader of server-sent events', () => {
  it('gives the same events wherever the bytes are cut and whatever ends the lines', () => {
    const data = fc
      .string({ unit: 'grapheme', maxLength: 40 })
      .map((text) => text.replaceAll(/[\r\n]/g, '') || 'x');
    const newline = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(fc.array(data, { maxLength: 6 }), newline, fc.array(fc.nat(400)), (events, end, cuts) => {
        const stream = bytes(
          events.map((text) => `: note${end}event: x${end}data: ${text}${end}${end}`).join(''),
        );
        const places = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].toSorted((a, b) => a - b);
        const pieces = [...places, stream.length].map((to, i) => stream.slice(places[i - 1] ?? 0, to));
        expect(readAll(pieces)).toEqual(events);
      }),
      { numRuns: 300 },
    );
  });

  it('joins the data lines of one event and takes an event that the end leaves open', () => {
    expect(readAll([bytes('data: a\ndata:b\n\ndata: last')])).toEqual(['a\nb', 'last']);
    expect(readAll([bytes('data: last\r')])).toEqual(['last']);
    expect(readAll([bytes('\uFEFFdata: x\n\n')])).toEqual(['x']);
  });

  it('stops at a line or an event that is too long, and at too many bytes', () => {
    expect(readAll([bytes('x'.repeat(1_001))])).toBe('line_too_long');
    expect(readAll([bytes(`data: ${'x'.repeat(1_000)}\n`)])).toBe('line_too_long');
    expect(readAll([bytes('data: 123456789\n'.repeat(200))])).toBe('line_too_long');
    expect(readAll([bytes('data: x\n\n'.repeat(12_000))])).toBe('too_many_bytes');
  });
});
