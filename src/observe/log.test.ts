import { expect, test } from 'vitest';
import type { Redactor } from '../core/index.ts';
import { createLog } from './log.ts';

const SECRET = 'the-secret-value';
const redactor: Redactor = {
  text: (text) => ({ value: text.replaceAll(SECRET, '[REDACTED:KEY]'), hidden: {} }),
  json: (value) => ({ value, hidden: {} }),
  stream: () => ({ push: (chunk) => chunk, end: () => '', hidden: {} }),
};
const clock = { now: () => Date.UTC(2025, 0, 2, 3, 4, 5, 678), monotonic: () => 0 };

function written(json: boolean, level: 'debug' | 'info' | 'warn' = 'info', redacts: Redactor = redactor) {
  const lines: string[] = [];
  const log = createLog({ level, json, redactor: redacts, clock, write: (line) => lines.push(line) });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('JSON lines have level, timestamp, message, component and the facts', () => {
  const { log, lines, parsed } = written(true);
  log.child('gate').child('files').warn('refused', { tool: 'x', count: 2 });
  expect(parsed()).toEqual([
    {
      level: 'warn',
      timestamp: '2025-01-02T03:04:05.678Z',
      component: 'gate.files',
      tool: 'x',
      count: 2,
      message: 'refused',
    },
  ]);
  expect(lines[0]?.endsWith('}\n')).toBe(true);
});

test('text lines are one line a message, with the facts behind it', () => {
  const { log, lines } = written(false);
  log.info('started');
  log.child('gate').error('it failed', { path: 'a b', ms: 12, why: null });
  expect(lines).toEqual([
    '2025-01-02 03:04:05  info   started\n',
    '2025-01-02 03:04:05  error  gate: it failed (path="a b", ms=12, why=null)\n',
  ]);
});

test('what is below the level is not written', () => {
  const { log, lines } = written(false, 'warn');
  log.debug('a');
  log.info('b');
  log.warn('c');
  expect(lines).toHaveLength(1);
});

test.each([true, false])('a secret is hidden in messages, facts, keys and errors (json: %s)', (json) => {
  const { log, lines } = written(json, 'debug');
  const error = new Error(`bad ${SECRET}`, { cause: new Error(`deeper ${SECRET}`) });
  log.debug(`message ${SECRET}`, { fact: SECRET, [SECRET]: 1, nested: { list: [SECRET] }, error });
  log.child(SECRET).info('from a component');
  expect(lines.join('')).not.toContain(SECRET);
  expect(lines.join('').match(/\[REDACTED:KEY\]/g)?.length).toBeGreaterThanOrEqual(6);
});

test.each([true, false])('a redactor that fails costs the line, never the secret (json: %s)', (json) => {
  const broken: Redactor = {
    ...redactor,
    text: () => {
      throw new Error(SECRET);
    },
  };
  const { log, lines } = written(json, 'info', broken);
  log.info(`message ${SECRET}`);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('could not be redacted and was dropped');
  expect(lines[0]).not.toContain(SECRET);
});

test('text from outside can neither fake a second line nor steer the terminal', () => {
  const { log, lines } = written(false);
  log.info('one\n2025-01-02 03:04:05  info   two\u001b[2J', { name: 'a\r\n\u202eb', '\u0007': 1 });
  expect(lines).toHaveLength(1);
  expect(lines[0]?.split('\n')).toHaveLength(2);
  expect(lines[0]).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
});

test('facts that JSON can not say are said all the same, and none takes a name of the line', () => {
  const { log, parsed } = written(true);
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  log.info('x', {
    message: 'mine',
    level: 3,
    big: 10n,
    bytes: new Uint8Array(5),
    at: new Date(0),
    long: 'y'.repeat(5000),
    loop,
    none: undefined,
    secret: { toJSON: () => '[secret]' },
  });
  const [line] = parsed();
  expect(line).toMatchObject({
    level: 'info',
    message: 'x',
    message_: 'mine',
    level_: 3,
    big: '10',
    bytes: '[5 bytes]',
    at: '1970-01-01T00:00:00.000Z',
    secret: '[secret]',
  });
  expect(String(line?.['long'])).toContain('(5000 characters)');
  expect(JSON.stringify(line?.['loop']).length).toBeLessThan(200);
});

test('an error shows its message, its code and where it came from', () => {
  const { log, lines } = written(false);
  log.error('broken', { error: Object.assign(new Error('no space'), { code: 'ENOSPC' }) });
  expect(lines[0]).toContain('error="no space (ENOSPC)"');
  expect(lines[0]?.split('\n')[1]).toMatch(/^ {4}at .*log\.test\.ts/);
});
