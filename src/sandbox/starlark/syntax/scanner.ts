/** Text to tokens, one at a time. Never recurses; every call moves on or ends. */
import { staticError, type Source, type StarlarkError } from '../errors.ts';
import { normalize } from '../ops/number-text.ts';
import { StarBytes, StarFloat, type Value } from '../values/objects.ts';
import { characterHint, FSTRING_MESSAGE, isReserved, reservedMessage } from './habits.ts';
import { unescape } from './string-literal.ts';

/** A keyword or punctuation stands for itself. */
type Kind = 'name' | 'literal' | 'newline' | 'indent' | 'outdent' | 'eof' | (string & {});

const KEYWORDS = new Set([
  'and',
  'break',
  'continue',
  'def',
  'elif',
  'else',
  'for',
  'if',
  'in',
  'lambda',
  'load',
  'not',
  'or',
  'pass',
  'return',
  'while',
]);

/** The deepest brackets and blocks; beyond it is `nesting`. */
export const MAX_NESTING = 100;
/** The longest int literal, in digits: reading one takes the square of its length. */
const MAX_DIGITS = 5_000;

const NAME = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const NUMBER =
  /0[xX][0-9a-fA-F]*|0[oO][0-7]*|0[bB][01]*|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/y;
const PUNCTUATION = /\/\/=|<<=|>>=|\*\*|\/\/|<<|>>|[-+*/%&|^=!<>]=|[-+*/%&|^~=<>()[\]{},.:;]/y;

/** Punctuation that begins nothing longer. */
const SIMPLE: ReadonlyMap<number, string> = new Map(
  [...'()[]{},.:;~'].map((char) => [char.charCodeAt(0), char]),
);

/** ASCII letters, digits and the underscore. */
function isWordCode(code: number): boolean {
  return (
    (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || (code >= 48 && code <= 57)
  );
}

export class Scanner {
  readonly source: Source;
  kind: Kind = 'newline';
  /** Of a name: its text; of a literal: its value. */
  text = '';
  value: Value = null;
  /** Where the token begins, and where the one before it ended. */
  start = 0;
  #at = 0;
  #lineStart = true;
  #brackets = 0;
  readonly #indents: number[] = [0];
  #outdents = 0;
  /** Whether the last token ended a line, so that another newline means nothing. */
  #fresh = true;

  constructor(source: Source) {
    this.source = source;
  }

  fail(message: string, at: number, code: 'syntax' | 'nesting' = 'syntax'): StarlarkError {
    return staticError(message, this.source, at, code);
  }

  /** Moves to the next token. */
  next(): void {
    if (this.#outdents > 0) {
      this.#outdents -= 1;
      this.kind = 'outdent';
      return;
    }
    if (this.#lineStart && this.#brackets === 0) {
      this.#lineStart = false;
      if (this.#indentation()) return;
    }
    this.#skipBlanks();
    this.start = this.#at;
    const code = this.source.text.charCodeAt(this.#at);
    if (Number.isNaN(code)) return this.#end();
    if (code === 10) {
      this.#at += 1;
      this.#lineStart = true;
      this.kind = 'newline';
      this.#fresh = true;
      return;
    }
    this.#fresh = false;
    this.#token(code);
  }

  #end(): void {
    if (!this.#fresh && this.#brackets === 0) {
      this.kind = 'newline';
      this.#fresh = true;
      this.#lineStart = true;
      return;
    }
    this.kind = 'eof';
  }

  /** Spaces, comments, continued lines, and line ends inside brackets. */
  #skipBlanks(): void {
    const { text } = this.source;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code === 32 || code === 9 || code === 13) this.#at += 1;
      else if (code === 10 && this.#brackets > 0) this.#at += 1;
      else if (code === 35) {
        const end = text.indexOf('\n', this.#at);
        this.#at = end < 0 ? text.length : end;
      } else if (code === 92) {
        const width = text.startsWith('\r\n', this.#at + 1) ? 3 : text[this.#at + 1] === '\n' ? 2 : 0;
        if (width === 0) throw this.fail('stray backslash in program', this.#at);
        this.#at += width;
      } else return;
    }
  }

  /** At the start of a line: emits indent or outdent and returns true when there is one. */
  #indentation(): boolean {
    const { text } = this.source;
    let column = 0;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code === 32) column += 1;
      else if (code === 9) column += 8 - (column % 8);
      else if (code === 13 || code === 12) column += 0;
      else if (code === 10) column = 0;
      else if (code === 35) {
        const end = text.indexOf('\n', this.#at);
        this.#at = end < 0 ? text.length : end;
        continue;
      } else break;
      this.#at += 1;
    }
    if (this.#at >= text.length) column = 0;
    this.start = this.#at;
    const current = this.#indents.at(-1) ?? 0;
    if (column === current) return false;
    if (column > current) {
      if (this.#indents.length > MAX_NESTING)
        throw this.fail('blocks are nested too deeply', this.#at, 'nesting');
      this.#indents.push(column);
      this.kind = 'indent';
      return true;
    }
    while ((this.#indents.at(-1) ?? 0) > column) {
      this.#indents.pop();
      this.#outdents += 1;
    }
    if (this.#indents.at(-1) !== column)
      throw this.fail('unindent does not match any outer indentation level', this.#at);
    this.#outdents -= 1;
    this.kind = 'outdent';
    return true;
  }

  #token(code: number): void {
    const { text } = this.source;
    if (code === 34 || code === 39) return this.#string(0, false, false);
    if ((code >= 48 && code <= 57) || (code === 46 && /[0-9]/.test(text.charAt(this.#at + 1))))
      return this.#number();
    const word = this.#name(code);
    if (word !== '') return this.#word(word);
    const token = SIMPLE.get(code) ?? this.#operator();
    if (token === '') throw this.#strange(code);
    this.kind = token;
    this.#at += token.length;
    if (code === 40 || code === 91 || code === 123) {
      this.#brackets += 1;
      if (this.#brackets > MAX_NESTING)
        throw this.fail('brackets are nested too deeply', this.start, 'nesting');
    } else if (code === 41 || code === 93 || code === 125) {
      if (this.#brackets === 0) throw this.fail(`unexpected '${token}'`, this.start);
      this.#brackets -= 1;
    }
  }

  /** The name at this place, or ''. */
  #name(first: number): string {
    const { text } = this.source;
    if (first < 128 && !isWordCode(first)) return '';
    let at = this.#at + 1;
    while (isWordCode(text.charCodeAt(at))) at += 1;
    if (first < 128 && !(text.charCodeAt(at) >= 128)) return text.slice(this.#at, at);
    NAME.lastIndex = this.#at;
    return NAME.exec(text)?.[0] ?? '';
  }

  #operator(): string {
    PUNCTUATION.lastIndex = this.#at;
    return PUNCTUATION.exec(this.source.text)?.[0] ?? '';
  }

  #strange(code: number): StarlarkError {
    const char = String.fromCodePoint(this.source.text.codePointAt(this.#at) ?? code);
    const hint = characterHint(char);
    const shown =
      code < 33 || (code >= 0xd800 && code < 0xe000 && char.length === 1)
        ? `\\u${code.toString(16).padStart(4, '0')}`
        : char;
    return this.fail(
      `unexpected input character '${shown}'${hint === undefined ? '' : ` (${hint})`}`,
      this.#at,
    );
  }

  #word(word: string): void {
    const end = this.#at + word.length;
    const quote = this.source.text.charCodeAt(end);
    if (quote === 34 || quote === 39) {
      const prefix = word.toLowerCase();
      if (prefix === 'r' || prefix === 'b' || prefix === 'rb' || prefix === 'br') {
        return this.#string(word.length, prefix.includes('r'), prefix.includes('b'));
      }
      if (prefix === 'f' || prefix === 'fr' || prefix === 'rf') throw this.fail(FSTRING_MESSAGE, this.#at);
    }
    if (isReserved(word)) throw this.fail(reservedMessage(word), this.#at);
    this.#at = end;
    this.kind = KEYWORDS.has(word) ? word : 'name';
    this.text = word;
  }

  #number(): void {
    NUMBER.lastIndex = this.#at;
    const text = NUMBER.exec(this.source.text)?.[0] ?? '';
    this.kind = 'literal';
    const prefix = /^0[xXoObB]/.test(text);
    if (!prefix && /[.eE]/.test(text)) {
      this.value = new StarFloat(Number(text));
      if (!Number.isFinite(Number(text))) throw this.fail('floating-point literal too large', this.start);
    } else {
      if (text.length > MAX_DIGITS)
        throw this.fail(`int literal is longer than ${MAX_DIGITS} digits`, this.start);
      if (prefix && text.length === 2) throw this.fail(`invalid int literal ${text}`, this.start);
      if (!prefix && /^0+[0-9]*[1-9]/.test(text) && text.length > 1) {
        throw this.fail(
          `invalid int literal ${text}: use 0o${text.replace(/^0+/, '')} for octal`,
          this.start,
        );
      }
      this.value = text.length < 16 ? Number(text) : normalize(BigInt(text));
    }
    this.#at += text.length;
    if (this.source.text[this.#at] === '_' && /[0-9]/.test(this.source.text.charAt(this.#at + 1))) {
      throw this.fail('underscores in numbers are not supported', this.#at);
    }
  }

  #string(prefix: number, raw: boolean, bytes: boolean): void {
    const { text } = this.source;
    const open = this.#at + prefix;
    const quote = text.charAt(open);
    const triple = text.startsWith(quote.repeat(3), open);
    const width = triple ? 3 : 1;
    const begin = open + width;
    const quoteCode = quote.charCodeAt(0);
    let at = begin;
    let plain = !bytes;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === quoteCode && (!triple || text.startsWith(quote.repeat(3), at))) break;
      if (code === 92) {
        plain = false;
        at += text.startsWith('\r\n', at + 1) ? 3 : 2;
      } else if (Number.isNaN(code) || (code === 10 && !triple)) {
        throw this.fail('unexpected end of string literal (a quote is missing)', this.start);
      } else {
        if (code === 13) plain = false;
        at += 1;
      }
    }
    this.#at = at + width;
    this.kind = 'literal';
    if (plain) {
      this.value = text.slice(begin, at);
      return;
    }
    const body = text.slice(begin, at).replace(/\r\n?/g, '\n');
    const value = raw
      ? rawBody(body, bytes)
      : unescape(body, bytes, (message, offset) => this.fail(message, begin + offset));
    this.value = typeof value === 'string' ? value : new StarBytes(value);
  }
}

function rawBody(body: string, bytes: boolean): string | Uint8Array {
  return bytes ? unescape(body.replaceAll('\\', '\\\\'), true, () => new Error('unreachable')) : body;
}
