import { expect, test } from 'vitest';
import { parseDotenv } from './dotenv.ts';

test.each([
  ['KEY=value', 'value'],
  ['KEY="quoted"', 'quoted'],
  ["KEY='single'", 'single'],
  ['KEY=value # c', 'value'],
  ['export KEY=v', 'v'],
  ['KEY=', ''],
  ['KEY=has=equals', 'has=equals'],
  ['KEY=a#b', 'a#b'],
  ['KEY="x" # c', 'x'],
  ['KEY="a # b"', 'a # b'],
  ['KEY="a\\nb"', 'a\\nb'],
  ['KEY=# c', ''],
  ['  KEY = v  ', 'v'],
  ['KEY="open', '"open'],
  ["KEY='a\"b'", 'a"b'],
])('the line %s gives %s', (line, value) => {
  expect({ ...parseDotenv(line) }).toEqual({ KEY: value });
});

test.each(['=v', 'no-equals', '', '# KEY=v', '   '])('the line "%s" gives nothing', (line) => {
  expect({ ...parseDotenv(line) }).toEqual({});
});

test('lines end as on any system, a mark at the start is skipped, and the last one of a name wins', () => {
  expect({ ...parseDotenv('\uFEFFA=1\r\nB=2\nA=3') }).toEqual({ A: '3', B: '2' });
});

test('a name that objects have of their own is only a name', () => {
  expect(Object.keys(parseDotenv('__proto__=x\nconstructor=y'))).toEqual(['__proto__', 'constructor']);
});
