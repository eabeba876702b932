/** The module `time`. The clock is fixed for a run, UTC, and the only one: a run gives the same answer again. */
import { StarlarkError } from '../errors.ts';
import { native, wantString, wrongType } from '../values/native.ts';
import { StarFloat, type StarModule, type Value } from '../values/objects.ts';
import { defineModule } from './define.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const RFC3339 = '%Y-%m-%dT%H:%M:%SZ';
const MAX_LAYOUT = 1_000;

/** Seconds of the years 1 to 9999. */
const EARLIEST = Date.UTC(2000, 0, 1) / 1000 - 63_082_281_600;
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;

function two(n: number): string {
  return String(n).padStart(2, '0');
}

function wantSeconds(v: Value, fn: string): number {
  const n = v instanceof StarFloat ? Math.floor(v.value) : v;
  if (typeof n !== 'number') throw wrongType(fn, 'seconds', v, 'int or float');
  if (!(n >= EARLIEST && n <= LATEST))
    throw new StarlarkError(`time.${fn}: ${n} seconds are outside of the years 1 to 9999`);
  return n;
}

function dayOfYear(d: Date): number {
  return Math.floor((d.getTime() - new Date(d).setUTCMonth(0, 1)) / 86_400_000) + 1;
}

function field(d: Date, letter: string): string | undefined {
  switch (letter) {
    case 'Y':
      return String(d.getUTCFullYear()).padStart(4, '0');
    case 'y':
      return two(d.getUTCFullYear() % 100);
    case 'm':
      return two(d.getUTCMonth() + 1);
    case 'd':
      return two(d.getUTCDate());
    case 'H':
      return two(d.getUTCHours());
    case 'I':
      return two(d.getUTCHours() % 12 === 0 ? 12 : d.getUTCHours() % 12);
    case 'M':
      return two(d.getUTCMinutes());
    case 'S':
      return two(d.getUTCSeconds());
    case 'p':
      return d.getUTCHours() < 12 ? 'AM' : 'PM';
    case 'A':
      return DAYS[d.getUTCDay()];
    case 'a':
      return DAYS[d.getUTCDay()]?.slice(0, 3);
    case 'B':
      return MONTHS[d.getUTCMonth()];
    case 'b':
      return MONTHS[d.getUTCMonth()]?.slice(0, 3);
    case 'j':
      return String(dayOfYear(d)).padStart(3, '0');
    case 'u':
      return String(d.getUTCDay() === 0 ? 7 : d.getUTCDay());
    case 'w':
      return String(d.getUTCDay());
    case 's':
      return String(d.getTime() / 1000);
    case 'Z':
      return 'UTC';
    case 'z':
      return '+0000';
    case '%':
      return '%';
    default:
      return undefined;
  }
}

function checkLayout(layout: string, fn: string): void {
  if (layout.length > MAX_LAYOUT)
    throw new StarlarkError(`time.${fn}: the layout is longer than ${MAX_LAYOUT} characters`);
}

function formatSeconds(seconds: number, layout: string): string {
  checkLayout(layout, 'format');
  const d = new Date(seconds * 1000);
  return layout.replace(/%(.?)/gsu, (_, letter: string) => {
    const text = field(d, letter);
    if (text === undefined)
      throw new StarlarkError(
        `time.format: unknown directive %${letter} (known: %Y %m %d %H %M %S %y %I %p %A %a %B %b %j %u %w %s %Z %z %%)`,
      );
    return text;
  });
}

/** Patterns of the directives that `parse` reads. */
const PATTERNS: ReadonlyMap<string, string> = new Map([
  ['Y', '(\\d{4})'],
  ['m', '(\\d{1,2})'],
  ['d', '(\\d{1,2})'],
  ['H', '(\\d{1,2})'],
  ['M', '(\\d{2})'],
  ['S', '(\\d{2})'],
  ['I', '(\\d{1,2})'],
  ['p', '(AM|PM|am|pm)'],
  ['B', `(${MONTHS.join('|')})`],
  ['b', `(${MONTHS.map((m) => m.slice(0, 3)).join('|')})`],
  ['A', `(${DAYS.join('|')})`],
  ['a', `(${DAYS.map((d) => d.slice(0, 3)).join('|')})`],
  ['z', '(Z|[+-]\\d{2}:?\\d{2})'],
  ['s', '(-?\\d{1,12})'],
]);

function offsetSeconds(text: string): number {
  if (text.toUpperCase() === 'Z') return 0;
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}

/** Seconds since 1970 of calendar fields; throws for dates that do not exist. */
function toSeconds(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  offset: number,
): number {
  const d = new Date(0);
  d.setUTCFullYear(year, month - 1, day);
  if (d.getUTCMonth() !== month - 1 || d.getUTCDate() !== day || hour > 23 || minute > 59 || second > 60) {
    throw new StarlarkError('time.parse: no such date or time');
  }
  return d.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset;
}

const RFC =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})?)?$/;

function parseRfc3339(text: string): number {
  const match = RFC.exec(text);
  if (match === null)
    throw new StarlarkError('time.parse: want RFC 3339 such as 2026-01-31T12:00:00Z (or give a layout)');
  const [, year, month, day, hour = '0', minute = '0', second = '0', zone = 'Z'] = match;
  return toSeconds(
    Number(year),
    Number(month),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    offsetSeconds(zone),
  );
}

function parseLayout(text: string, layout: string): number {
  checkLayout(layout, 'parse');
  const letters: string[] = [];
  const pattern = layout.replace(/%(.?)|[^%]/gsu, (part, letter: string | undefined) => {
    if (letter === undefined) return part.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
    if (letter === '%') return '%';
    const found = PATTERNS.get(letter);
    if (found === undefined) throw new StarlarkError(`time.parse: unknown directive %${letter}`);
    letters.push(letter);
    return found;
  });
  if (letters.length > 12) throw new StarlarkError('time.parse: too many directives in the layout');
  const match = new RegExp(`^${pattern}$`).exec(text);
  if (match === null) throw new StarlarkError(`time.parse: the text does not match the layout ${layout}`);
  const got = new Map(letters.map((letter, i) => [letter, match[i + 1] ?? '']));
  const whole = got.get('s');
  if (whole !== undefined) return Number(whole);
  const n = (letter: string, fallback: number): number => Number(got.get(letter) ?? fallback);
  const named = MONTHS.findIndex((m) => m === got.get('B') || m.slice(0, 3) === got.get('b')) + 1;
  let hour = n('H', 0);
  if (got.has('I')) hour = (n('I', 12) % 12) + (got.get('p')?.toLowerCase() === 'pm' ? 12 : 0);
  return toSeconds(
    n('Y', 1970),
    named > 0 ? named : n('m', 1),
    n('d', 1),
    hour,
    n('M', 0),
    n('S', 0),
    offsetSeconds(got.get('z') ?? 'Z'),
  );
}

/** Makes the module for a run that begins at `now` (milliseconds since 1970). */
export function createTimeModule(now: number): StarModule {
  const seconds = Math.floor(now / 1000);
  return defineModule('time', [
    native('format(seconds, layout=)', (t, _self, at: Value, layout?: Value) => {
      t.charge(12);
      t.allocateString(MAX_LAYOUT);
      return formatSeconds(
        wantSeconds(at, 'format'),
        layout === undefined ? RFC3339 : wantString(layout, 'format', 'layout'),
      );
    }),
    native('now()', (t) => {
      t.allocateString(20);
      return formatSeconds(seconds, RFC3339);
    }),
    native('parse(s, layout=)', (t, _self, s: Value, layout?: Value) => {
      t.charge(8);
      const text = wantString(s, 'parse', 's');
      if (text.length > MAX_LAYOUT)
        throw new StarlarkError(`time.parse: the text is longer than ${MAX_LAYOUT} characters`);
      const at =
        layout === undefined ? parseRfc3339(text) : parseLayout(text, wantString(layout, 'parse', 'layout'));
      return wantSeconds(at, 'parse');
    }),
    native('unix()', () => seconds),
  ]);
}
