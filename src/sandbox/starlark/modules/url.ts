/** The module `url`: percent-encoding, query strings, and the parts of an address. */
import { StarlarkError } from '../errors.ts';
import { decodeUtf8, encodeUtf8 } from '../ops/utf8.ts';
import { toText } from '../ops/repr.ts';
import { TextSink } from '../ops/text-sink.ts';
import type { Thread } from '../thread.ts';
import { native, wantString, wrongType } from '../values/native.ts';
import { StarList, StarTuple, type StarModule, type Value } from '../values/objects.ts';
import { OpaqueString, partLength, TextBuilder, type TextPart } from '../values/opaque.ts';
import { newDict, StarDict } from '../values/table.ts';
import { defineModule } from './define.ts';

const UNRESERVED = /^[A-Za-z0-9_.~-]*$/;

/** What each byte becomes. */
const ENCODED = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  return UNRESERVED.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

/** Percent-encodes everything but letters, digits and `-_.~` (RFC 3986, section 2.3). */
function encodeText(t: Thread, v: TextPart): TextPart {
  if (v instanceof OpaqueString) {
    t.allocateString(3 * v.size);
    return v.derive('url', [v]);
  }
  t.charge(v.length / 8);
  if (UNRESERVED.test(v)) return v;
  t.charge(v.length);
  t.allocateString(9 * v.length);
  const out = new TextSink();
  for (const byte of encodeUtf8(v)) out.add(ENCODED[byte] as string);
  return out.finish();
}

/** `a=1&b=2` of a dict; a list or tuple as a value repeats its key. None leaves the key out. */
function encodeQuery(t: Thread, dict: StarDict): TextPart {
  const out = new TextBuilder();
  let length = 0;
  const add = (key: string, v: Value): void => {
    if (v === null) return;
    const name = encodeText(t, key);
    const value = encodeText(t, toText(t, v));
    const part = `${length === 0 ? '' : '&'}${String(name)}=`;
    length += part.length + partLength(value);
    t.allocateString(part.length + partLength(value));
    out.add(part);
    out.add(value);
  };
  for (const [key, value] of dict.map) {
    if (typeof key !== 'string') throw new StarlarkError('url.encode: dict keys must be strings');
    if (value instanceof StarList || value instanceof StarTuple)
      for (const item of value.items) add(key, item);
    else add(key, value);
  }
  return out.finish();
}

function decodeText(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const bytes: number[] = [];
  const source = encodeUtf8(text.replaceAll('+', ' '));
  for (let i = 0; i < source.length; i += 1) {
    const pair = source[i] === 37 ? String.fromCharCode(source[i + 1] ?? 0, source[i + 2] ?? 0) : '';
    if (/^[0-9a-fA-F]{2}$/.test(pair)) {
      bytes.push(Number.parseInt(pair, 16));
      i += 2;
    } else bytes.push(source[i] as number);
  }
  return decodeUtf8(Uint8Array.from(bytes));
}

const ADDRESS = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;
const AUTHORITY = /^(?:[^@]*@)?(\[[0-9a-fA-F:.]+\]|[^:[\]]*)(?::([0-9]*))?$/;

/**
 * The parts of an absolute address: scheme, host, port (None without one), path, query (a dict of decoded texts, the
 * last of equal names), fragment.
 */
function parseAddress(t: Thread, text: string): StarDict {
  t.charge(8 + text.length / 2);
  t.allocateString(4 * text.length);
  const match = ADDRESS.exec(text);
  const authority = AUTHORITY.exec(match?.[2] ?? '');
  if (match === null || authority === null)
    throw new StarlarkError('url.parse: not an absolute URL (want scheme://host/path)');
  const query = newDict(t);
  for (const pair of (match[4] ?? '').split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    query.put(t, decodeText(name), at < 0 ? '' : decodeText(pair.slice(at + 1)));
  }
  const out = newDict(t);
  const port = authority[2] === undefined || authority[2] === '' ? null : Number(authority[2]);
  if (port !== null && port > 65_535)
    throw new StarlarkError('url.parse: the port is not between 0 and 65535');
  const parts: [string, Value][] = [
    ['scheme', (match[1] ?? '').toLowerCase()],
    ['host', (authority[1] ?? '').toLowerCase()],
    ['port', port],
    ['path', match[3] ?? ''],
    ['query', query],
    ['fragment', match[5] ?? ''],
  ];
  for (const [key, value] of parts) out.put(t, key, value);
  return out;
}

export const URL_MODULE: StarModule = defineModule('url', [
  native('decode(s)', (t, _self, s: Value) => {
    const text = wantString(s, 'decode', 's');
    t.charge(text.length / 4);
    t.allocateString(4 * text.length);
    return decodeText(text);
  }),
  native('encode(x)', (t, _self, x: Value) => {
    if (x instanceof StarDict) return encodeQuery(t, x);
    if (typeof x === 'string' || x instanceof OpaqueString) return encodeText(t, x);
    throw wrongType('encode', 'x', x, 'string or dict');
  }),
  native('parse(s)', (t, _self, s: Value) => parseAddress(t, wantString(s, 'parse', 's'))),
]);
