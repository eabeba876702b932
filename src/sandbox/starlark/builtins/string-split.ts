/** Methods of string that take it apart or put it together. */
import { StarlarkError } from '../errors.ts';
import { elements } from '../ops/iterate.ts';
import { native, wantBool, wantInt, wantString, wrongType, type Native } from '../values/native.ts';
import type { Thread } from '../thread.ts';
import { StarList, StarTuple, typeName, type Value } from '../values/objects.ts';
import { joinParts, OpaqueString, partLength, type TextPart } from '../values/opaque.ts';
import { chargeSearch } from './string-search.ts';

/** Charges the pieces of a text before they are cut. */
function chargePieces(t: Thread, text: string, pieces: number): void {
  t.allocate(2 * text.length + 24 * pieces);
  t.allocateList(pieces);
}

const SHORT = 1_000;

function countPieces(text: string, separator: string): number {
  let n = 1;
  for (let at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, at + separator.length)) n += 1;
  return n;
}

const SPACE = /[ \t\n\r\v\f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const SPACES = new RegExp(SPACE.source, 'g');

/** Splits at runs of white space, `max` times at most; the rest keeps its inner spaces. */
function splitSpaces(text: string, max: number, fromRight: boolean): string[] {
  const words: { at: number; end: number }[] = [];
  let at = 0;
  for (const gap of text.matchAll(SPACES)) {
    if (gap.index > at) words.push({ at, end: gap.index });
    at = gap.index + gap[0].length;
  }
  if (at < text.length) words.push({ at, end: text.length });
  const cut = (w: { at: number; end: number }): string => text.slice(w.at, w.end);
  if (max < 0 || words.length <= max + 1) {
    const out = words.map(cut);
    // A rest that is a single word still keeps the white space of its outer side.
    if (max >= 0 && words.length === max + 1) {
      const edge = words.at(fromRight ? 0 : -1);
      if (edge !== undefined)
        out[fromRight ? 0 : out.length - 1] = fromRight ? text.slice(0, edge.end) : text.slice(edge.at);
    }
    return out;
  }
  if (fromRight) {
    const kept = words.slice(words.length - max);
    const rest = words[words.length - max - 1] as { at: number; end: number };
    return [text.slice(0, rest.end), ...kept.map(cut)];
  }
  const rest = words[max] as { at: number; end: number };
  return [...words.slice(0, max).map(cut), text.slice(rest.at)];
}

function splitter(name: 'split' | 'rsplit'): Native {
  return native(`${name}(sep=, maxsplit=)`, (t, self: string, sep?: Value, maxsplit?: Value) => {
    const max = maxsplit === undefined || maxsplit === null ? -1 : wantInt(maxsplit, name, 'maxsplit');
    if (sep === undefined || sep === null) {
      t.charge(self.length / 8);
      chargePieces(t, self, self.length / 2);
      return new StarList(splitSpaces(self, max, name === 'rsplit'));
    }
    const separator = wantString(sep, name, 'sep');
    if (separator === '') throw new StarlarkError('Empty separator');
    chargeSearch(t, self.length, separator.length);
    // Of a long text the pieces are counted before they are made; a short one can't make many.
    if (self.length > SHORT) chargePieces(t, self, countPieces(self, separator));
    const parts = self.split(separator);
    if (self.length <= SHORT) chargePieces(t, self, parts.length);
    if (max < 0 || parts.length <= max + 1)
      return new StarList(name === 'split' ? parts : splitRight(self, separator, -1));
    if (name === 'rsplit') return new StarList(splitRight(self, separator, max));
    return new StarList([...parts.slice(0, max), parts.slice(max).join(separator)]);
  });
}

/** From the right: it differs from the left when separators overlap. */
function splitRight(text: string, separator: string, max: number): string[] {
  const out: string[] = [];
  let end = text.length;
  const limit = max < 0 ? Infinity : max;
  while (out.length < limit) {
    const at = end - separator.length < 0 ? -1 : text.lastIndexOf(separator, end - separator.length);
    if (at < 0) break;
    out.push(text.slice(at + separator.length, end));
    end = at;
  }
  out.push(text.slice(0, end));
  return out.reverse();
}

function partitioner(name: 'partition' | 'rpartition'): Native {
  return native(`${name}(sep)`, (t, self: string, sep: Value) => {
    const separator = wantString(sep, name, 'sep');
    if (separator === '') throw new StarlarkError('empty separator');
    chargeSearch(t, self.length, separator.length);
    t.allocateString(self.length);
    t.allocateList(3);
    const at = name === 'partition' ? self.indexOf(separator) : self.lastIndexOf(separator);
    if (at < 0) return new StarTuple(name === 'partition' ? [self, '', ''] : ['', '', self]);
    return new StarTuple([self.slice(0, at), separator, self.slice(at + separator.length)]);
  });
}

function joinPlain(items: readonly string[], separator: string): string {
  // For a few items plain addition is faster.
  if (items.length > 6) return items.join(separator);
  let out = items[0] ?? '';
  for (let i = 1; i < items.length; i += 1) out += separator + (items[i] as string);
  return out;
}

/** `separator.join(x)`; either may be opaque. */
export function join(t: Thread, separator: TextPart, values: Value): TextPart {
  const items = elements(t, values);
  let length = Math.max(0, items.length - 1) * partLength(separator);
  let opaque = separator instanceof OpaqueString && items.length > 1;
  for (let i = 0; i < items.length; i += 1) {
    const item = items[i] as Value;
    if (typeof item === 'string') length += item.length;
    else if (item instanceof OpaqueString) {
      length += item.size;
      opaque = true;
    } else
      throw new StarlarkError(
        `join: in list, want string, got ${typeName(item)} at index ${i} (convert with str(x))`,
      );
  }
  t.charge(items.length / 4);
  t.allocateString(length);
  if (!opaque && typeof separator === 'string') return joinPlain(items as readonly string[], separator);
  const parts: TextPart[] = [];
  items.forEach((item, i) => {
    if (i > 0) parts.push(separator);
    parts.push(item as TextPart);
  });
  return joinParts(parts);
}

export const STRING_SPLIT: readonly Native[] = [
  native('join(elements)', (t, self: string, values: Value) => {
    if (values === null) throw wrongType('join', 'elements', values, 'iterable');
    return join(t, self, values);
  }),
  partitioner('partition'),
  partitioner('rpartition'),
  splitter('split'),
  splitter('rsplit'),
  native('splitlines(keepends=)', (t, self: string, keepends?: Value) => {
    const keep = keepends === undefined ? false : wantBool(keepends, 'splitlines', 'keepends');
    t.charge(self.length / 8);
    const lines = self.match(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$/g) ?? [];
    chargePieces(t, self, lines.length);
    return new StarList(keep ? [...lines] : lines.map((line) => line.replace(/(?:\r\n|\r|\n)$/, '')));
  }),
];
