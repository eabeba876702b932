/**
 * `json.decode`: ints stay ints (of any size), keys keep their order, of equal keys the last wins. Opaque strings may
 * stand inside JSON strings that are values; those become opaque. What is read depends on the public text only.
 */
import { StarlarkError } from '../errors.ts';
import { ENTRY_BYTES, FLOAT_BYTES } from '../meter.ts';
import { digitsToNumber } from '../ops/number-text.ts';
import type { Thread } from '../thread.ts';
import { StarFloat, StarList, typeName, type Value } from '../values/objects.ts';
import { joinParts, OpaqueString, type TextPart } from '../values/opaque.ts';
import { newDict, type StarDict } from '../values/table.ts';

const NUMBER = /[-+.eE0-9]+/y;
const VALID = /^(-?)(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$/;

/** Stands in the text where an opaque string is; only its offset tells it from the same character of the text. */
const HOLE = '\ufffc';

interface Hole {
  readonly at: number;
  readonly text: OpaqueString;
}

class Decoder {
  readonly #t: Thread;
  readonly #s: string;
  /** Opaque strings with their offsets in the text, in order. */
  readonly #holes: readonly Hole[] | undefined;
  /** The first hole that was not passed. */
  #hole = 0;
  #at = 0;

  constructor(t: Thread, text: string, holes?: readonly Hole[]) {
    this.#t = t;
    this.#s = text;
    this.#holes = holes;
  }

  #fail(message: string, at = this.#at): StarlarkError {
    const hole = this.#holes?.[this.#hole];
    if (hole?.at === this.#at) return hole.text.refuse('json.decode() outside of a JSON string');
    return new StarlarkError(`json.decode: at offset ${at}, ${message}`);
  }

  #quoted(): string {
    return JSON.stringify(String.fromCodePoint(this.#s.codePointAt(this.#at) ?? 0));
  }

  document(): Value {
    const v = this.#value(0);
    this.#skip();
    if (this.#at < this.#s.length) throw this.#fail(`unexpected character ${this.#quoted()} after value`);
    return v;
  }

  /** Skips white space and returns the code of the next character; throws at the end. */
  #next(): number {
    this.#skip();
    const code = this.#s.charCodeAt(this.#at);
    if (Number.isNaN(code)) throw this.#fail('unexpected end of file');
    return code;
  }

  #skip(): void {
    for (;;) {
      const code = this.#s.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.#at += 1;
    }
  }

  #value(depth: number): Value {
    const t = this.#t;
    if (--t.fuel < 0) t.refill();
    const code = this.#next();
    if (code === 34) return this.#text();
    if (code === 123) return this.#object(depth);
    if (code === 91) return this.#array(depth);
    if (code === 45 || (code >= 48 && code <= 57)) return this.#number();
    const word = WORDS.get(code);
    if (word !== undefined && this.#s.startsWith(word.text, this.#at)) {
      this.#at += word.text.length;
      return word.value;
    }
    throw this.#fail(`unexpected character ${this.#quoted()}`);
  }

  #enter(depth: number): void {
    if (depth >= this.#t.limits.valueDepth)
      throw new StarlarkError('json.decode: nesting depth limit exceeded', 'json_depth');
    this.#at += 1;
  }

  #array(depth: number): StarList {
    this.#enter(depth);
    this.#t.allocateList(0);
    const items: Value[] = [];
    if (this.#next() === 93) {
      this.#at += 1;
      return new StarList(items);
    }
    for (;;) {
      this.#t.allocate(8);
      items.push(this.#value(depth + 1));
      const code = this.#next();
      if (code !== 44 && code !== 93) throw this.#fail(`in array, got ${this.#quoted()}, want ',' or ']'`);
      this.#at += 1;
      if (code === 93) return new StarList(items);
    }
  }

  #object(depth: number): StarDict {
    this.#enter(depth);
    const dict = newDict(this.#t);
    if (this.#next() === 125) {
      this.#at += 1;
      return dict;
    }
    for (;;) {
      if (this.#next() !== 34)
        throw this.#fail(`got ${typeName(this.#value(depth + 1))} for object key, want string`);
      const key = this.#text();
      if (typeof key !== 'string') throw key.refuse('a dict key');
      if (this.#next() !== 58) throw this.#fail(`after object key, got ${this.#quoted()}, want ':'`);
      this.#at += 1;
      this.#t.allocate(ENTRY_BYTES);
      dict.map.set(key, this.#value(depth + 1));
      const code = this.#next();
      if (code !== 44 && code !== 125) throw this.#fail(`in object, got ${this.#quoted()}, want ',' or '}'`);
      this.#at += 1;
      if (code === 125) return dict;
    }
  }

  #number(): Value {
    const start = this.#at;
    // Small ints are the usual case.
    let value = 0;
    let at = start;
    for (; at < start + 15; at += 1) {
      const digit = this.#s.charCodeAt(at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    const after = this.#s.charCodeAt(at);
    const zeroFirst = this.#s.charCodeAt(start) === 48 && at > start + 1;
    if (at > start && !zeroFirst && (after === 44 || after === 125 || after === 93)) {
      this.#at = at;
      return value;
    }
    NUMBER.lastIndex = start;
    const text = NUMBER.exec(this.#s)?.[0] ?? '';
    const match = VALID.exec(text);
    if (match === null) throw this.#fail(`invalid number: ${text.slice(0, 100)}`, start);
    this.#at = start + text.length;
    if (match[3] === undefined && match[4] === undefined) {
      const digits = digitsToNumber(this.#t, match[2] ?? '', 10);
      return match[1] === '-' && digits !== 0 ? -digits : digits;
    }
    this.#t.allocate(FLOAT_BYTES);
    return new StarFloat(Number(text));
  }

  #string(): string {
    const source = this.#s;
    const start = this.#at;
    let at = start + 1;
    let begin = at;
    let out = '';
    for (;;) {
      const code = source.charCodeAt(at);
      if (code === 34) break;
      if (code === 92) {
        const [char, width] = this.#escape(at);
        out += source.slice(begin, at) + char;
        at += width;
        begin = at;
      } else if (code >= 32) at += 1;
      else if (Number.isNaN(code)) throw this.#fail('unclosed string literal', start);
      else
        throw this.#fail(
          `invalid character '\\x${code.toString(16).padStart(2, '0')}' in string literal`,
          at,
        );
    }
    this.#at = at + 1;
    this.#t.allocateString(at - start);
    return out + source.slice(begin, at);
  }

  /** A JSON string that may have holes. */
  #text(): TextPart {
    if (this.#holes === undefined) return this.#string();
    const start = this.#at;
    let end = start + 1;
    while (end < this.#s.length && this.#s.charCodeAt(end) !== 34)
      end += this.#s.charCodeAt(end) === 92 ? 2 : 1;
    const first = this.#hole;
    while ((this.#holes[this.#hole]?.at ?? Infinity) < end) this.#hole += 1;
    const inside = this.#holes.slice(first, this.#hole);
    if (inside.length === 0) return this.#string();
    const parts: TextPart[] = [];
    let from = start + 1;
    for (const { at, text } of inside) {
      parts.push(this.#piece(from, at), text);
      from = at + 1;
    }
    parts.push(this.#piece(from, end));
    this.#t.allocateString(inside.reduce((bytes, { text }) => bytes + text.size, 0));
    this.#at = end + 1;
    return joinParts(parts);
  }

  /** The text between two holes. */
  #piece(from: number, to: number): string {
    return new Decoder(this.#t, `"${this.#s.slice(from, to)}"`).#string();
  }

  #escape(at: number): [string, number] {
    const letter = this.#s.charAt(at + 1);
    if (letter === 'u') {
      const digits = this.#s.slice(at + 2, at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#fail('incomplete \\uXXXX escape', at);
      return [String.fromCharCode(Number.parseInt(digits, 16)), 6];
    }
    const char = ESCAPES.get(letter);
    if (char === undefined)
      throw letter === ''
        ? this.#fail('unclosed string literal', at)
        : this.#fail(`invalid escape '\\${letter}'`, at);
    return [char, 2];
  }
}

/** By the code of the first letter. */
const WORDS: ReadonlyMap<number, { readonly text: string; readonly value: Value }> = new Map([
  [116, { text: 'true', value: true }],
  [102, { text: 'false', value: false }],
  [110, { text: 'null', value: null }],
]);

const ESCAPES = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** The value of a JSON text. Throws for anything that is not JSON. */
export function decodeJson(t: Thread, text: TextPart): Value {
  if (typeof text === 'string') {
    t.charge(text.length / 32);
    return new Decoder(t, text).document();
  }
  const holes: Hole[] = [];
  let source = '';
  for (const part of text.parts()) {
    if (part instanceof OpaqueString) holes.push({ at: source.length, text: part });
    source += part instanceof OpaqueString ? HOLE : part;
  }
  t.allocateString(source.length);
  t.charge(source.length / 32);
  return new Decoder(t, source, holes).document();
}
