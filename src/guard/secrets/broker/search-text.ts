// Guarantees: every needle in a text is found, in one pass, also where characters are written as escapes (\u0041, %41,
// &#65;) in any mixture. Regions are ordered and do not overlap; where several meet, one takes the whole place.
// Does not: look for values that are split over several texts.
// An attacker may control: the text.
import type { Needle, NeedleSearch } from './needles.ts';

/** A place of a text that must not be seen. */
export interface Region {
  readonly start: number;
  readonly end: number;
  /** The longest needle in it. */
  readonly needle: Needle;
  /** The reference that may stand for it: only when the region is exactly the value. */
  readonly id: string | undefined;
}

export function searchText(text: string, search: NeedleSearch): Region[] {
  const found = scan(text, search, (start, end) => [start, end]);
  if (/[\\%&]/.test(text)) {
    const plain = unescapeText(text);
    for (const region of scan(plain.text, search, (start, end) => [
      plain.starts[start] ?? 0,
      plain.starts[end] ?? text.length,
    ])) {
      found.push({
        ...region,
        id: text.slice(region.start, region.end) === region.needle.value ? region.id : undefined,
      });
    }
  }
  return merged(found);
}

function scan(
  text: string,
  { automaton, forms }: NeedleSearch,
  place: (start: number, end: number) => [number, number],
): Region[] {
  const found: Region[] = [];
  let state = 0;
  /** End of the last encoded word that was taken whole: hits in it add nothing, and cost no second look at it. */
  let whole = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // Letters of ASCII in lower case, as `foldCase` writes the forms.
    state = automaton.next(state, unit >= 65 && unit <= 90 ? unit + 32 : unit);
    // The longest of the patterns that end here covers the others, but for what is taken in around an encoded one.
    for (let match = automaton.match(state), longest = true; match !== 0; longest = false) {
      const from = at + 1 - automaton.depth(match);
      const known = forms(automaton.pattern(match));
      match = automaton.shorterMatch(match);
      const form =
        known.find(({ grouped }) => grouped) ??
        known.find(({ needle }) => needle.value === text.slice(from, at + 1)) ??
        known[0];
      if (form === undefined || (form.grouped ? from < whole : !longest)) continue;
      const [first, last] = form.grouped ? wholeWord(text, from, at + 1) : [from, at + 1];
      if (form.grouped) whole = last;
      const [start, end] = place(first, last);
      const raw = text.slice(first, last) === form.needle.value;
      found.push({ start, end, needle: form.needle, id: raw ? form.needle.id : undefined });
    }
  }
  return found;
}

const BASE64 = /[A-Za-z0-9+/=_-]/;

/**
 * Takes in all of the encoded text around a hit. The characters next to it hold bits of the value, and everything behind
 * it is shifted by the value's length.
 */
function wholeWord(text: string, from: number, to: number): [number, number] {
  let start = from;
  while (start > 0 && BASE64.test(text[start - 1] ?? '')) start -= 1;
  let end = to;
  while (end < text.length && BASE64.test(text[end] ?? '')) end += 1;
  return [start, end];
}

/** Regions that meet become one: it keeps a reference only when that value alone is all of it. */
function merged(found: readonly Region[]): Region[] {
  const out: Region[] = [];
  for (const region of found.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = out.at(-1);
    if (last === undefined || region.start >= last.end) {
      out.push(region);
      continue;
    }
    if (region.end <= last.end) {
      if (
        last.id === undefined &&
        region.start === last.start &&
        region.end === last.end &&
        region.id !== undefined
      )
        out[out.length - 1] = region;
      continue;
    }
    const longest = region.end - region.start > last.end - last.start ? region : last;
    out[out.length - 1] = { start: last.start, end: region.end, needle: longest.needle, id: undefined };
  }
  return out;
}

interface Unescaped {
  readonly text: string;
  /** Where each unit begins in the original, and at the end its length. */
  readonly starts: Int32Array;
}

const ESCAPE =
  /\\u([0-9a-fA-F]{4})|\\u\{0{0,4}([0-9a-fA-F]{1,4})\}|\\x([0-9a-fA-F]{2})|%([0-9a-fA-F]{2})|&#0{0,6}([1-9][0-9]{0,4});|&#[xX]0{0,6}([0-9a-fA-F]{1,4});|&(amp|lt|gt|quot|apos);|\\(["'\\/])/y;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Each escape as the unit that it means (bytes beyond ASCII stay what they are). */
function unescapeText(text: string): Unescaped {
  const starts = new Int32Array(text.length + 1);
  const out: string[] = [];
  let chunk = '';
  let length = 0;
  for (let at = 0; at < text.length;) {
    const [unit, width] = unitAt(text, at);
    starts[length] = at;
    length += 1;
    chunk += unit;
    if (chunk.length > 4_096) {
      out.push(chunk);
      chunk = '';
    }
    at += width;
  }
  starts[length] = text.length;
  return { text: out.join('') + chunk, starts };
}

function unitAt(text: string, at: number): [string, number] {
  const char = text[at] ?? '';
  if (char !== '\\' && char !== '%' && char !== '&') return [char, 1];
  ESCAPE.lastIndex = at;
  const match = ESCAPE.exec(text);
  if (match === null) return [char, 1];
  const [all, unicode, braced, hex, percent, decimal, entityHex, entity, plain] = match;
  const width = all.length;
  if (plain !== undefined) return [plain, width];
  if (entity !== undefined) return [ENTITIES[entity] ?? char, width];
  const digits = unicode ?? braced ?? hex ?? percent ?? entityHex;
  const code = digits === undefined ? Number(decimal) : Number.parseInt(digits, 16);
  if (percent !== undefined && code > 127) return [char, 1];
  return [String.fromCharCode(code & 0xffff), width];
}
