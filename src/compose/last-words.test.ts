import { expect, test } from 'vitest';
import { systemClock } from '../core/index.ts';
import { createKnownSecrets, createRedactor } from '../guard/secrets/index.ts';
import { lastWords } from './last-words.ts';

const SECRET = 'qX7-mP2vK9_tR4wZ8nB3jL6c';
function redactor() {
  const known = createKnownSecrets({ clock: systemClock });
  known.add('TOKEN', SECRET);
  return createRedactor(known);
}

test('the last line of a process shows where it broke, without known secrets and control characters', () => {
  const said = lastWords(new Error(`refused: Bearer ${SECRET}\u001b[31m`), redactor());
  expect(said).toContain('refused: Bearer [REDACTED:TOKEN]');
  expect(said).toMatch(/at .+last-words\.test\.ts/);
  expect(said).not.toContain(SECRET);
  expect(said).not.toContain('\u001b');
});

test('what is no error is shown as text, and searched too', () => {
  expect(lastWords(`lost ${SECRET}`, redactor())).toBe('lost [REDACTED:TOKEN]');
});

test('without a redactor, and when it breaks, only the kind of the error is told', () => {
  const error = Object.assign(new TypeError(`no ${SECRET}`), { code: 'ERR_X' });
  const broken = {
    ...redactor(),
    text: () => {
      throw new Error('the redactor broke');
    },
  };
  for (const said of [lastWords(error, undefined), lastWords(error, broken)]) {
    expect(said).toContain('TypeError ERR_X');
    expect(said).not.toContain(SECRET);
  }
  expect(lastWords(SECRET, undefined)).not.toContain(SECRET);
  expect(
    lastWords(Object.assign(new Error(''), { name: `${SECRET} x`, code: SECRET }), undefined),
  ).not.toContain(SECRET);
});
