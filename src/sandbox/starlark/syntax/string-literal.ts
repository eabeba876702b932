/** The inside of string and bytes literals: escapes. */
import { encodeUtf8 } from '../ops/utf8.ts';

/** Reports a problem at an offset within the literal's body. */
type Complain = (message: string, at: number) => Error;

const SINGLE: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
  ['\n', ''],
]);

const HEX_LENGTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** The value of a literal's body; pieces are texts and, in bytes literals, single bytes. */
export function unescape(body: string, bytes: boolean, complain: Complain): string | Uint8Array {
  const pieces: (string | number)[] = [];
  let at = 0;
  for (;;) {
    const slash = body.indexOf('\\', at);
    if (slash < 0) break;
    if (slash > at) pieces.push(body.slice(at, slash));
    const [piece, width] = escape(body, slash, bytes, complain);
    pieces.push(piece);
    at = slash + width;
  }
  if (at < body.length) pieces.push(body.slice(at));
  if (!bytes)
    return pieces.map((piece) => (typeof piece === 'number' ? String.fromCodePoint(piece) : piece)).join('');
  const parts = pieces.map((piece) => (typeof piece === 'number' ? Uint8Array.of(piece) : encodeUtf8(piece)));
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let n = 0;
  for (const part of parts) {
    out.set(part, n);
    n += part.length;
  }
  return out;
}

/** One escape: its text or number, and how many units of the body it takes. */
function escape(body: string, slash: number, bytes: boolean, complain: Complain): [string | number, number] {
  const char = body.charAt(slash + 1);
  const single = SINGLE.get(char);
  if (single !== undefined) return [single, 2];
  if (char === '\r') return ['', body[slash + 2] === '\n' ? 3 : 2];
  if (/[0-7]/.test(char)) {
    const digits = /^[0-7]{1,3}/.exec(body.slice(slash + 1, slash + 4))?.[0] ?? '';
    return [checkByte(Number.parseInt(digits, 8), `\\${digits}`, bytes, slash, complain), 1 + digits.length];
  }
  const length = HEX_LENGTH[char];
  if (length === undefined || (char !== 'x' && char !== 'u' && char !== 'U')) {
    throw complain(
      `invalid escape sequence \\${char} (use \\\\ for a backslash, or a raw string r"...")`,
      slash,
    );
  }
  const digits = body.slice(slash + 2, slash + 2 + length);
  if (digits.length < length || !/^[0-9a-fA-F]+$/.test(digits)) {
    throw complain(
      `truncated escape sequence \\${char}${digits.slice(0, 8)} (want ${length} hex digits)`,
      slash,
    );
  }
  const code = Number.parseInt(digits, 16);
  if (char === 'x') return [checkByte(code, `\\x${digits}`, bytes, slash, complain), 4];
  if (code > 0x10ffff) throw complain(`code point out of range: \\${char}${digits} (max \\U0010ffff)`, slash);
  if (code >= 0xd800 && code <= 0xdfff)
    throw complain(`invalid Unicode code point U+${digits.toUpperCase()} (a surrogate)`, slash);
  return [String.fromCodePoint(code), 2 + length];
}

function checkByte(code: number, text: string, bytes: boolean, at: number, complain: Complain): number {
  if (!bytes && code > 127)
    throw complain(
      `non-ASCII ${text.startsWith('\\x') ? 'hex' : 'octal'} escape ${text} (use \\u${code.toString(16).padStart(4, '0')} for the UTF-8 encoding of U+00${code.toString(16).toUpperCase()})`,
      at,
    );
  if (code > 255) throw complain(`invalid escape sequence ${text}`, at);
  return code;
}
