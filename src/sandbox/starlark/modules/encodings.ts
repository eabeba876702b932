/** The modules `base64` and `hashing`. Strings count as their UTF-8 bytes; opaque strings give opaque results. */
import { BYTES_BYTES } from '../meter.ts';
import { StarlarkError } from '../errors.ts';
import { decodeUtf8, encodeUtf8, isUtf8 } from '../ops/utf8.ts';
import { TextSink } from '../ops/text-sink.ts';
import type { Thread } from '../thread.ts';
import { native, wantBool, wantString, wrongType } from '../values/native.ts';
import { StarBytes, type StarModule, type Value } from '../values/objects.ts';
import { OpaqueString, type TextPart } from '../values/opaque.ts';
import { defineModule } from './define.ts';
import { hex, hmacSha256, sha256 } from './sha256.ts';

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const URL_SAFE = STANDARD.replace('+/', '-_');

/** The bytes of a string or bytes argument; charges them. */
function bytesOf(t: Thread, v: Value, fn: string, param: string): Uint8Array {
  if (v instanceof StarBytes) {
    t.charge(v.data.length / 8);
    return v.data;
  }
  if (typeof v !== 'string') throw wrongType(fn, param, v, 'string or bytes');
  t.allocate(3 * v.length);
  t.charge(v.length / 2);
  return encodeUtf8(v);
}

function toBase64(data: Uint8Array, urlSafe: boolean): string {
  const alphabet = urlSafe ? URL_SAFE : STANDARD;
  const out = new TextSink();
  for (let i = 0; i < data.length; i += 3) {
    const bits = ((data[i] as number) << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0);
    const third = i + 1 < data.length ? alphabet.charAt((bits >> 6) & 63) : '=';
    const fourth = i + 2 < data.length ? alphabet.charAt(bits & 63) : '=';
    out.add(alphabet.charAt(bits >> 18) + alphabet.charAt((bits >> 12) & 63) + third + fourth);
  }
  return out.finish();
}

/** Both alphabets, with or without padding; white space is ignored. */
function fromBase64(text: string): Uint8Array {
  const body = text
    .replace(/[ \t\r\n]/g, '')
    .replace(/={1,2}$/, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/');
  if (!/^[A-Za-z0-9+/]*$/.test(body) || body.length % 4 === 1)
    throw new StarlarkError('base64.decode: the text is not base64');
  const out = new Uint8Array(Math.floor((body.length * 3) / 4));
  let bits = 0;
  let n = 0;
  for (let i = 0; i < body.length; i += 1) {
    bits = ((bits << 6) | STANDARD.indexOf(body.charAt(i))) & 0xffffff;
    if (i % 4 !== 0) out[n++] = (bits >> (6 - 2 * (i % 4))) & 255;
  }
  return out;
}

function decode(t: Thread, fn: string, v: Value): Uint8Array {
  const text = wantString(v, fn, 's');
  t.charge(text.length);
  t.allocate(BYTES_BYTES + 3 * text.length);
  return fromBase64(text);
}

export const BASE64_MODULE: StarModule = defineModule('base64', [
  native('decode(s)', (t, _self, s: Value) => {
    const data = decode(t, 'decode', s);
    if (!isUtf8(data))
      throw new StarlarkError('base64.decode: the bytes are not UTF-8 text (use base64.decode_bytes)');
    t.allocateString(data.length);
    return decodeUtf8(data);
  }),
  native('decode_bytes(s)', (t, _self, s: Value) => new StarBytes(decode(t, 'decode_bytes', s))),
  native('encode(s, url_safe=)', (t, _self, s: Value, urlSafe?: Value) => {
    const safe = urlSafe === undefined ? false : wantBool(urlSafe, 'encode', 'url_safe');
    if (s instanceof OpaqueString) {
      t.allocateString(2 * s.size);
      return s.derive(safe ? 'base64url' : 'base64', [s]);
    }
    const data = bytesOf(t, s, 'encode', 's');
    t.allocateString(Math.ceil(data.length / 3) * 4);
    t.charge(data.length);
    return toBase64(data, safe);
  }),
]);

/** Charges the rounds of a hash. */
function chargeHash(t: Thread, length: number): void {
  t.charge(60 + length / 4);
  t.allocate(256 + length);
}

function isPart(v: Value): v is TextPart {
  return typeof v === 'string' || v instanceof OpaqueString;
}

export const HASHING_MODULE: StarModule = defineModule('hashing', [
  native('hmac_sha256(key, message)', (t, _self, key: Value, message: Value) => {
    const opaque = key instanceof OpaqueString ? key : message instanceof OpaqueString ? message : undefined;
    if (opaque !== undefined) {
      if (!isPart(key) || !isPart(message)) throw opaque.refuse('hmac_sha256() with bytes (use strings)');
      t.allocate(256);
      return opaque.derive('hmac-sha256', [key, message]);
    }
    const k = bytesOf(t, key, 'hmac_sha256', 'key');
    const m = bytesOf(t, message, 'hmac_sha256', 'message');
    chargeHash(t, k.length + m.length);
    return hex(hmacSha256(k, m));
  }),
  native('sha256(s)', (t, _self, s: Value) => {
    if (s instanceof OpaqueString) {
      t.allocate(256);
      return s.derive('sha256', [s]);
    }
    const data = bytesOf(t, s, 'sha256', 's');
    chargeHash(t, data.length);
    return hex(sha256(data));
  }),
]);
