import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HistoryMessage } from '../core/index.ts';
import {
  charsOf,
  HISTORY_LIMITS,
  historyLimitsFor,
  trimHistory,
  type HistoryLimits,
} from './history-trim.ts';

const user = (text: string): HistoryMessage => ({ role: 'user', text });
const says = (text: string): HistoryMessage => ({ role: 'assistant', text, calls: [] });
const act = (id: string, result: string): HistoryMessage[] => [
  { role: 'assistant', text: '', calls: [{ id, name: 'act', arguments: { path: id } }] },
  { role: 'tool', results: [{ id, name: 'act', text: result, is_error: false }] },
];
const sum = (messages: readonly HistoryMessage[]) =>
  messages.reduce((total, message) => total + charsOf(message), 0);
const LIMITS: HistoryLimits = { chars: 4_000, messages: 20 };

const turn = fc.record({
  text: fc.string({ minLength: 1, maxLength: 1_500 }),
  steps: fc.array(
    fc.record({
      calls: fc.array(fc.string({ maxLength: 800 }), { maxLength: 3 }),
      text: fc.string({ maxLength: 200 }),
    }),
    { maxLength: 6 },
  ),
});
const history = fc.array(turn, { minLength: 1, maxLength: 12 }).map((turns) =>
  turns.flatMap(({ text, steps }, at): HistoryMessage[] => [
    user(text),
    ...steps.flatMap((step, index): HistoryMessage[] => {
      if (step.calls.length === 0) return [says(step.text)];
      const ids = step.calls.map((_, place) => `${at}.${index}.${place}`);
      return [
        {
          role: 'assistant',
          text: step.text,
          calls: ids.map((id) => ({ id, name: 'act', arguments: { path: id } })),
        },
        {
          role: 'tool',
          results: ids.map((id, place) => ({
            id,
            name: 'act',
            text: step.calls[place] ?? '',
            is_error: false,
          })),
        },
      ];
    }),
  ]),
);

describe('a long history', () => {
  test('whatever was said: the bounds hold, the order stays, every call has its result, the newest message is whole', () => {
    fc.assert(
      fc.property(history, (all) => {
        const { messages, leftOut } = trimHistory(all, LIMITS);
        expect(sum(messages)).toBeLessThanOrEqual(LIMITS.chars);
        expect(messages.length).toBeLessThanOrEqual(LIMITS.messages);
        const kept = leftOut === 0 ? messages : messages.slice(1);
        // Nothing is made up, and nothing changes its place.
        const places = kept.map((message) => all.indexOf(message));
        expect(places.every((place) => place !== -1)).toBe(true);
        expect(places).toEqual(places.toSorted((a, b) => a - b));
        expect(all.length - kept.length).toBe(leftOut);
        expect(kept).toContain(all.findLast((message) => message.role === 'user'));
        for (const [index, message] of kept.entries()) {
          if (message.role === 'assistant' && message.calls.length > 0) {
            const next = kept[index + 1];
            expect(next?.role === 'tool' && next.results.map(({ id }) => id)).toEqual(
              message.calls.map(({ id }) => id),
            );
          }
          if (message.role === 'tool') expect(kept[index - 1]?.role).toBe('assistant');
        }
        if (leftOut > 0) {
          expect(messages[0]).toMatchObject({
            role: 'user',
            text: expect.stringContaining('[Note by OpenPact: '),
          });
          expect(kept[0]?.role).toBe('user');
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is left alone as long as it fits', () => {
    const all = [user('a'), says('b'), user('c')];
    expect(trimHistory(all, LIMITS)).toEqual({ messages: all, leftOut: 0 });
    expect(trimHistory([], LIMITS)).toEqual({ messages: [], leftOut: 0 });
  });

  test('keeps the newest turns whole, and says how many messages it left out and how the conversation began', () => {
    const all = [
      user('Plan my garden'),
      ...act('a', 'x'.repeat(2_000)),
      says('done'),
      user('two'),
      says('y'.repeat(2_000)),
      user('three'),
    ];
    const { messages, leftOut } = trimHistory(all, LIMITS);
    expect(leftOut).toBe(4);
    expect(messages.slice(1)).toEqual(all.slice(4));
    const [notice] = messages;
    expect(notice?.role === 'user' && notice.text).toMatch(
      /^\[Note by OpenPact: 4 earlier .*Plan my garden$/s,
    );
  });

  test('cuts a long first message down, and never through the middle of a character', () => {
    const all = [user('😀'.repeat(1_000)), says('y'.repeat(2_500)), user('next')];
    const [notice] = trimHistory(all, LIMITS).messages;
    const text = notice?.role === 'user' ? notice.text : '';
    expect(text.length).toBeLessThan(1_100);
    expect(text.isWellFormed()).toBe(true);
    expect(text.endsWith('…')).toBe(true);
  });

  test('the cut stays where it is for some turns, so that it is told once', () => {
    const all: HistoryMessage[] = [];
    const cuts: number[] = [];
    for (let i = 0; i < 60; i += 1) {
      all.push(user(`message ${i} ${'z'.repeat(180)}`), says('answer'));
      cuts.push(trimHistory(all, LIMITS).leftOut);
    }
    expect(cuts).toEqual(cuts.toSorted((a, b) => a - b));
    expect(new Set(cuts).size).toBeLessThan(20);
    expect(cuts.at(-1)).toBeGreaterThan(80);
  });

  test('a newest turn that is too long alone keeps its message and its newest whole steps', () => {
    const all = [
      user('go'),
      ...act('a', 'x'.repeat(3_000)),
      ...act('b', 'y'.repeat(500)),
      ...act('c', 'z'.repeat(500)),
    ];
    const { messages, leftOut } = trimHistory(all, { chars: 3_500, messages: 20 });
    expect(leftOut).toBe(2);
    expect(messages.slice(1)).toEqual([all[0], ...all.slice(3)]);
  });
});

test('what a model may be told follows its window, within bounds, and a constant where it is not known', () => {
  expect(historyLimitsFor(null)).toBe(HISTORY_LIMITS);
  expect(historyLimitsFor(8_192)).toEqual({ chars: 12_288, messages: 400 });
  expect(historyLimitsFor(128_000)).toEqual({ chars: 192_000, messages: 400 });
  expect(historyLimitsFor(400_000)).toEqual({ chars: 600_000, messages: 1_200 });
  expect(historyLimitsFor(2_000_000)).toEqual({ chars: 1_000_000, messages: 2_000 });
});
