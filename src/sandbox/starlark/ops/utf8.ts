/** UTF-8 without the platform's help. Lone surrogates and invalid bytes become U+FFFD. */

/** The bytes of a text. */
export function encodeUtf8(text: string): Uint8Array {
  const out = new Uint8Array(text.length * 3);
  let n = 0;
  for (let i = 0; i < text.length; i += 1) {
    let code = text.charCodeAt(i);
    if (code >= 0xd800 && code <= 0xdfff) {
      const point = text.codePointAt(i) ?? 0;
      if (point > 0xffff) {
        i += 1;
        out[n++] = 0xf0 | (point >> 18);
        out[n++] = 0x80 | ((point >> 12) & 63);
        out[n++] = 0x80 | ((point >> 6) & 63);
        out[n++] = 0x80 | (point & 63);
        continue;
      }
      code = 0xfffd;
    }
    if (code < 0x80) out[n++] = code;
    else if (code < 0x800) {
      out[n++] = 0xc0 | (code >> 6);
      out[n++] = 0x80 | (code & 63);
    } else {
      out[n++] = 0xe0 | (code >> 12);
      out[n++] = 0x80 | ((code >> 6) & 63);
      out[n++] = 0x80 | (code & 63);
    }
  }
  return out.slice(0, n);
}

const CHUNK = 4096;

/** The text of bytes; each maximal invalid part becomes one U+FFFD, as the Unicode standard recommends. */
export function decodeUtf8(data: Uint8Array): string {
  let out = '';
  let units: number[] = [];
  for (let i = 0; i < data.length;) {
    const [point, width] = decodePoint(data, i);
    i += width;
    if (point > 0xffff) units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
    else units.push(point);
    if (units.length >= CHUNK) {
      out += String.fromCharCode(...units);
      units = [];
    }
  }
  return out + String.fromCharCode(...units);
}

/** Whether bytes are well-formed UTF-8. */
export function isUtf8(data: Uint8Array): boolean {
  for (let i = 0; i < data.length;) {
    const [point, width] = decodePoint(data, i);
    if (
      point === 0xfffd &&
      !(width === 3 && data[i] === 0xef && data[i + 1] === 0xbf && data[i + 2] === 0xbd)
    )
      return false;
    i += width;
  }
  return true;
}

/** The code point at an offset and how many bytes it takes. */
function decodePoint(data: Uint8Array, at: number): [number, number] {
  const first = data[at] as number;
  if (first < 0x80) return [first, 1];
  const need =
    first >= 0xc2 && first < 0xe0
      ? 1
      : first >= 0xe0 && first < 0xf0
        ? 2
        : first >= 0xf0 && first < 0xf5
          ? 3
          : 0;
  if (need === 0) return [0xfffd, 1];
  let point = first & (need === 1 ? 0x1f : need === 2 ? 0x0f : 0x07);
  for (let i = 1; i <= need; i += 1) {
    const byte = data[at + i];
    let low = 0x80;
    let high = 0xbf;
    if (i === 1) {
      if (first === 0xe0) low = 0xa0;
      if (first === 0xed) high = 0x9f;
      if (first === 0xf0) low = 0x90;
      if (first === 0xf4) high = 0x8f;
    }
    if (byte === undefined || byte < low || byte > high) return [0xfffd, i];
    point = (point << 6) | (byte & 63);
  }
  return [point, need + 1];
}
