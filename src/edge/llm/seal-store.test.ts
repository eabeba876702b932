import { expect, it } from 'vitest';
import { systemClock } from '../../core/index.ts';
import { createKnownSecrets, createRedactor } from '../../guard/secrets/index.ts';
import { createSealStore, sealName } from './seal-store.ts';

const SECRET = 'qX7-mP2vK9_tR4wZ8nB3jL6c';
const known = createKnownSecrets({ clock: systemClock });
known.add('TOKEN', SECRET);
const redactor = createRedactor(known);

function turn(turnId: string) {
  const controller = new AbortController();
  return { turnId, signal: controller.signal, end: () => controller.abort() };
}

it('gives back to the same turn what was signed, and to no other', () => {
  const store = createSealStore(redactor);
  const one = turn('turn_1');
  expect(store.keep(one, 1, [{ thinking: 'x' }])).toBe(true);
  expect(store.find('turn_1', sealName(1))).toEqual([{ thinking: 'x' }]);
  expect(store.find('turn_1', sealName(2))).toBeUndefined();
  expect(store.find('turn_2', sealName(1))).toBeUndefined();
});

it('forgets a turn with its end, and keeps nothing for one that has ended', () => {
  const store = createSealStore(redactor);
  const one = turn('turn_1');
  store.keep(one, 1, ['x']);
  one.end();
  expect(store.find('turn_1', sealName(1))).toBeUndefined();
  expect(store.keep(one, 2, ['x'])).toBe(false);
  expect(store.find('turn_1', sealName(2))).toBeUndefined();
});

it('keeps nothing in which a known secret is', () => {
  const store = createSealStore(redactor);
  const one = turn('turn_1');
  expect(store.keep(one, 1, [{ thinking: `so ${SECRET}`, signature: 's' }])).toBe(false);
  expect(store.find('turn_1', sealName(1))).toBeUndefined();
});

it('keeps a bounded amount for a turn', () => {
  const store = createSealStore(redactor);
  const one = turn('turn_1');
  const large = ['x'.repeat(9 * 1024 * 1024)];
  expect(store.keep(one, 1, large)).toBe(true);
  expect(store.keep(one, 2, large)).toBe(false);
  expect(store.keep(one, 3, ['small'])).toBe(true);
});
