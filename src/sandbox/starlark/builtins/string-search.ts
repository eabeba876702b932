/** Methods of string that look for text in it. The work is charged before: at worst text length times pattern length. */
import { StarlarkError } from '../errors.ts';
import { native, wantInt, wantString, wrongType, type Native } from '../values/native.ts';
import type { Thread } from '../thread.ts';
import { StarTuple, typeName, type Value } from '../values/objects.ts';

/** Charges a search for `needle` units in `hay` units. */
export function chargeSearch(t: Thread, hay: number, needle: number): void {
  if (hay > 64 && needle <= hay) t.charge(((hay - needle + 1) * Math.max(1, needle)) / 64);
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** The half-open range of optional positions; `from > to` means that nothing can be found. */
function range(fn: string, length: number, start: Value | undefined, end: Value | undefined): Range {
  const at = (v: Value | undefined, fallback: number, name: string): number => {
    if (v === undefined || v === null) return fallback;
    const i = wantInt(v, fn, name);
    return Math.max(0, i < 0 ? i + length : i);
  };
  return { from: at(start, 0, 'start'), to: Math.min(length, at(end, length, 'end')) };
}

function find(t: Thread, text: string, sub: string, r: Range, last: boolean): number {
  if (r.from + sub.length > r.to) return -1;
  chargeSearch(t, r.to - r.from, sub.length);
  const part = r.to === text.length && !last ? text : text.slice(0, r.to);
  const at = last ? part.lastIndexOf(sub) : part.indexOf(sub, r.from);
  return at >= r.from ? at : -1;
}

function finder(name: string, last: boolean, mustFind: boolean): Native {
  return native(`${name}(sub, start=, end=)`, (t, self: string, sub: Value, start?: Value, end?: Value) => {
    const at = find(t, self, wantString(sub, name, 'sub'), range(name, self.length, start, end), last);
    if (at < 0 && mustFind) throw new StarlarkError('substring not found');
    return at;
  });
}

function affix(name: 'startswith' | 'endswith'): Native {
  const test = (text: string, sub: string): boolean =>
    name === 'startswith' ? text.startsWith(sub) : text.endsWith(sub);
  return native(`${name}(sub, start=, end=)`, (t, self: string, sub: Value, start?: Value, end?: Value) => {
    const r = range(name, self.length, start, end);
    const text =
      start === undefined && end === undefined ? self : r.from > r.to ? undefined : self.slice(r.from, r.to);
    if (typeof sub === 'string') {
      t.charge(sub.length / 64);
      return text !== undefined && test(text, sub);
    }
    if (!(sub instanceof StarTuple)) throw wrongType(name, 'sub', sub, 'string or tuple');
    t.charge(sub.items.length);
    let found = false;
    sub.items.forEach((item, i) => {
      if (typeof item === 'object' && item !== null && item.typeName === 'string')
        throw wrongType(name, 'sub', item, 'string');
      if (typeof item !== 'string') {
        throw new StarlarkError(
          `${name}(): at index ${i} of sub, got element of type ${typeName(item)}, want string`,
        );
      }
      found ||= text !== undefined && test(text, item);
    });
    return found;
  });
}

export const STRING_SEARCH: readonly Native[] = [
  native('count(sub, start=, end=)', (t, self: string, sub: Value, start?: Value, end?: Value) => {
    const needle = wantString(sub, 'count', 'sub');
    const r = range('count', self.length, start, end);
    if (r.from > r.to) return 0;
    if (needle === '') return r.to - r.from + 1;
    chargeSearch(t, r.to - r.from, needle.length);
    const part = self.slice(r.from, r.to);
    let n = 0;
    for (let at = part.indexOf(needle); at >= 0; at = part.indexOf(needle, at + needle.length)) n += 1;
    return n;
  }),
  finder('find', false, false),
  finder('index', false, true),
  finder('rfind', true, false),
  finder('rindex', true, true),
  affix('startswith'),
  affix('endswith'),
];
