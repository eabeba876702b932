// Guarantees: every needle in a text is found, also where characters are written as escapes (\u0041, %41, &#65;) in any
// mixture, and as escapes of escapes, three deep. Regions are ordered and do not overlap; where several meet, one takes
// the whole place.
// Does not: look for values that are split over several texts.
// An attacker may control: the text.
import type { Automaton } from '../automaton.ts';
import type { Needle, NeedleSearch } from './needles.ts';
import { SLICE, type Slices } from './slices.ts';

/** A place of a text that must not be seen. */
export interface Region {
  readonly start: number;
  readonly end: number;
  /** The longest needle in it. */
  readonly needle: Needle;
  /** The reference that may stand for it: only when the region is exactly the value. */
  readonly id: string | undefined;
}

/** JSON in JSON in JSON, an address in an address in an address. */
const MOST_LEVELS = 3;

/** More than `most` regions: the text was not searched to its end. */
export function* searchText(text: string, search: NeedleSearch, most: number): Slices<Region[]> {
  const raw = yield* scan(text, search, most, (start, end) => [start, end]);
  if (raw.length > most) return raw;
  const all = [...raw];
  /** For each level of escapes where its units stand in the level before. */
  const levels: Int32Array[] = [];
  const inText = (at: number): number => levels.reduceRight((inner, starts) => starts[inner] ?? 0, at);
  let level = text;
  while (levels.length < MOST_LEVELS && /[\\%&]/.test(level)) {
    const plain = yield* unescapeText(level);
    if (plain.text.length === level.length) break;
    levels.push(plain.starts);
    level = plain.text;
    const found = yield* scan(level, search, most, (start, end) => [inText(start), inText(end)]);
    for (const region of found) {
      const whole = text.slice(region.start, region.end) === region.needle.value;
      all.push({ ...region, id: whole ? region.id : undefined });
    }
    if (found.length > most) return all;
  }
  const out: Region[] = [];
  for (const region of all.toSorted((a, b) => a.start - b.start || b.end - a.end)) take(out, region);
  return out;
}

function* scan(
  text: string,
  { automaton, forms }: NeedleSearch,
  most: number,
  place: (start: number, end: number) => [number, number],
): Slices<Region[]> {
  const found: Region[] = [];
  const cursor: Cursor = { at: 0, state: 0 };
  /** End of the last encoded word that was taken whole: hits in it add nothing, and cost no second look at it. */
  let whole = 0;
  while (cursor.at < text.length && found.length <= most) {
    if (cursor.at > 0) yield;
    const end = Math.min(text.length, cursor.at + SLICE);
    while (cursor.at < end) {
      advance(text, end, automaton, cursor);
      // The longest of the patterns that end here covers the others, but for what is taken in around an encoded one.
      for (let match = automaton.match(cursor.state), longest = true; match !== 0; longest = false) {
        const from = cursor.at - automaton.depth(match);
        const known = forms(automaton.pattern(match));
        match = automaton.shorterMatch(match);
        const form =
          known.find(({ grouped }) => grouped) ??
          known.find(({ needle }) => needle.value === text.slice(from, cursor.at)) ??
          known[0];
        if (form === undefined || (form.grouped ? from < whole : !longest)) continue;
        const [first, last] = form.grouped ? yield* wholeWord(text, from, cursor.at) : [from, cursor.at];
        if (form.grouped) whole = last;
        const [start, stop] = place(first, last);
        const raw = text.slice(first, last) === form.needle.value;
        take(found, { start, end: stop, needle: form.needle, id: raw ? form.needle.id : undefined });
      }
    }
  }
  return found;
}

interface Cursor {
  at: number;
  state: number;
}

/** To behind the next unit that completes a pattern, or to the end. The hot part: no generator, for speed. */
function advance(text: string, end: number, automaton: Automaton, cursor: Cursor): void {
  let { at, state } = cursor;
  while (at < end) {
    const unit = text.charCodeAt(at);
    at += 1;
    // Letters of ASCII in lower case, as `foldCase` writes the forms.
    state = automaton.next(state, unit >= 65 && unit <= 90 ? unit + 32 : unit);
    if (automaton.match(state) !== 0) break;
  }
  cursor.at = at;
  cursor.state = state;
}

const BASE64 = /[A-Za-z0-9+/=_-]/;

/**
 * Takes in all of the encoded text around a hit. The characters next to it hold bits of the value, and everything behind
 * it is shifted by the value's length.
 */
function* wholeWord(text: string, from: number, to: number): Slices<[number, number]> {
  let start = from;
  while (start > 0 && BASE64.test(text[start - 1] ?? '')) {
    start -= 1;
    if (start % SLICE === 0) yield;
  }
  let end = to;
  while (end < text.length && BASE64.test(text[end] ?? '')) {
    end += 1;
    if (end % SLICE === 0) yield;
  }
  return [start, end];
}

/**
 * Adds a region to those that were found before, which stay in order and apart. Regions that meet become one: it keeps a
 * reference only when that value alone is all of it.
 */
function take(found: Region[], next: Region): void {
  let region = next;
  for (let last = found.at(-1); last !== undefined && last.end > region.start; last = found.at(-1)) {
    found.pop();
    const covers = region.start <= last.start && region.end >= last.end;
    const covered = last.start <= region.start && last.end >= region.end;
    if (covers && covered) region = last.id === undefined ? region : last;
    else if (covered) region = last;
    else if (!covers) {
      const longest = region.end - region.start > last.end - last.start ? region : last;
      const start = Math.min(region.start, last.start);
      const end = Math.max(region.end, last.end);
      region = { start, end, needle: longest.needle, id: undefined };
    }
  }
  found.push(region);
}

interface Unescaped {
  readonly text: string;
  /** Where each unit begins in the original, and at the end its length. */
  readonly starts: Int32Array;
}

const ESCAPE =
  /\\u([0-9a-fA-F]{4})|\\u\{0{0,4}([0-9a-fA-F]{1,4})\}|\\x([0-9a-fA-F]{2})|%([0-9a-fA-F]{2})|&#0{0,6}([1-9][0-9]{0,4});|&#[xX]0{0,6}([0-9a-fA-F]{1,4});|&(amp|lt|gt|quot|apos);/y;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Each escape as the unit that it means (bytes beyond ASCII stay what they are). */
function* unescapeText(text: string): Slices<Unescaped> {
  const starts = new Int32Array(text.length + 1);
  const units = new Uint16Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length;) {
    const end = Math.min(text.length, at + SLICE);
    [at, length] = unescapeSlice(text, { at, end, length }, { starts, units });
    if (at < text.length) yield;
  }
  starts[length] = text.length;
  return { text: Buffer.from(units.buffer, 0, 2 * length).toString('utf16le'), starts };
}

function unescapeSlice(
  text: string,
  from: { readonly at: number; readonly end: number; readonly length: number },
  into: { readonly starts: Int32Array; readonly units: Uint16Array },
): [at: number, length: number] {
  let { at, length } = from;
  while (at < from.end) {
    const read = unitAt(text, at);
    into.starts[length] = at;
    into.units[length] = read & 0xffff;
    length += 1;
    at += read >>> 16;
  }
  return [at, length];
}

const BACKSLASH = 0x5c;
const PERCENT = 0x25;
const AMPERSAND = 0x26;

/** The unit that an escape means, and above it by 16 bits how many units of the text it takes. One number, for speed. */
function unitAt(text: string, at: number): number {
  const first = text.charCodeAt(at);
  const itself = (1 << 16) | first;
  if (first !== BACKSLASH && first !== PERCENT && first !== AMPERSAND) return itself;
  // Most of them begin no escape, and asking the pattern about each would be slow.
  const next = text.charCodeAt(at + 1);
  if (first === BACKSLASH && PLAIN.has(next)) return (2 << 16) | next;
  if (!mayFollow(first, next)) return itself;
  ESCAPE.lastIndex = at;
  const match = ESCAPE.exec(text);
  if (match === null) return itself;
  const [all, unicode, braced, hex, percent, decimal, entityHex, entity] = match;
  const digits = unicode ?? braced ?? hex ?? percent ?? entityHex;
  const code =
    digits !== undefined
      ? Number.parseInt(digits, 16)
      : decimal !== undefined
        ? Number(decimal)
        : (ENTITIES[entity ?? ''] ?? '').charCodeAt(0);
  if (percent !== undefined && code > 127) return itself;
  return (all.length << 16) | (code & 0xffff);
}

/** `"`, `'`, `/` and itself behind a backslash. */
const PLAIN: ReadonlySet<number> = new Set([0x22, 0x27, 0x2f, BACKSLASH]);

function mayFollow(first: number, next: number): boolean {
  const small = next | 0x20;
  if (first === BACKSLASH) return next === 0x75 || next === 0x78;
  if (first === AMPERSAND) return next === 0x23 || (next >= 0x61 && next <= 0x7a);
  return (next >= 0x30 && next <= 0x39) || (small >= 0x61 && small <= 0x66);
}
