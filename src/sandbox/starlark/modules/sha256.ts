/** SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104) without the platform's help. */

/** The first 32 bits of the fractional parts of roots of the first primes. */
function rootBits(count: number, root: (n: number) => number): Uint32Array {
  const out = new Uint32Array(count);
  for (let n = 2, found = 0; found < count; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n; d += 1) if (n % d === 0) prime = false;
    if (prime) out[found++] = (root(n) % 1) * 2 ** 32;
  }
  return out;
}

let tables: { readonly k: Uint32Array; readonly initial: Uint32Array } | undefined;

/** The constants, computed when the first script needs them. */
function constants(): NonNullable<typeof tables> {
  return (tables ??= { k: rootBits(64, Math.cbrt), initial: rootBits(8, Math.sqrt) });
}

const rotate = (x: number, n: number): number => (x >>> n) | (x << (32 - n));

function compress(state: Uint32Array, block: DataView, at: number, w: Uint32Array, k: Uint32Array): void {
  for (let i = 0; i < 16; i += 1) w[i] = block.getUint32(at + 4 * i);
  for (let i = 16; i < 64; i += 1) {
    const a = w[i - 15] as number;
    const b = w[i - 2] as number;
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    w[i] = ((w[i - 16] as number) + s0 + (w[i - 7] as number) + s1) | 0;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i += 1) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (k[i] as number) + (w[i] as number)) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((v, i) => {
    state[i] = ((state[i] as number) + v) | 0;
  });
}

/** The 32 bytes of the hash. */
export function sha256(data: Uint8Array): Uint8Array {
  const size = Math.ceil((data.length + 9) / 64) * 64;
  const padded = new Uint8Array(size);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(size - 8, Math.floor(data.length / 2 ** 29));
  view.setUint32(size - 4, (data.length << 3) >>> 0);
  const { k, initial } = constants();
  const state = Uint32Array.from(initial);
  const w = new Uint32Array(64);
  for (let at = 0; at < size; at += 64) compress(state, view, at, w, k);
  const out = new Uint8Array(32);
  const outView = new DataView(out.buffer);
  state.forEach((v, i) => outView.setUint32(4 * i, v));
  return out;
}

/** The 32 bytes of the keyed hash. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  const short = key.length > 64 ? sha256(key) : key;
  const pad = (byte: number): Uint8Array => Uint8Array.from({ length: 64 }, (_, i) => (short[i] ?? 0) ^ byte);
  return sha256(concat(pad(0x5c), sha256(concat(pad(0x36), message))));
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

/** Lower-case hexadecimal. */
export function hex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
