// Guarantees: a body is read as text once, in the character set that it declares, so that what is searched is what the
// script gets. Compression that the sender left in place is undone within the cap.
// Does not: understand formats.
// An attacker may control: everything.
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

export interface DecodedBody {
  readonly text: string;
  /** False when the bytes could hold something that the text does not show. */
  readonly plain: boolean;
  /** No more bytes than this for each byte of the text in UTF-8. */
  readonly width: 1 | 2;
}

const MOST_LAYERS = 2;

/** More than `most` bytes are `response_too_large`; what can't be decompressed is `bad_response`. */
export function decodeBody(
  bytes: Uint8Array,
  header: (name: string) => string,
  most: number,
): DecodedBody | 'bad_response' | 'response_too_large' {
  const layers = header('content-encoding')
    .toLowerCase()
    .split(',')
    .map((layer) => layer.trim())
    .filter((layer) => layer !== '' && layer !== 'identity');
  if (layers.length > MOST_LAYERS) return 'bad_response';
  let data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const layer of layers.toReversed()) {
    const opened = decompress(layer, data, most);
    if (typeof opened === 'string') return opened;
    data = opened;
  }
  if (data.length > most) return 'response_too_large';
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(header('content-type'))?.[1] ?? 'utf-8';
  const decoder = decoderOf(charset);
  const usual = /^(?:utf-8|windows-1252)$/.test(decoder.encoding);
  return { text: decoder.decode(data), plain: usual && !looksPacked(data), width: usual ? 1 : 2 };
}

function decompress(
  layer: string,
  data: Buffer,
  most: number,
): Buffer | 'bad_response' | 'response_too_large' {
  // One byte more, so that exactly `most` still passes.
  const options = { maxOutputLength: most + 1 };
  try {
    switch (layer) {
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(data, options);
      case 'deflate':
        return inflateSync(data, options);
      case 'br':
        return brotliDecompressSync(data, options);
      case 'zstd':
        return zstdDecompressSync(data, options);
      default:
        return 'bad_response';
    }
  } catch (error) {
    const tooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    return tooLarge ? 'response_too_large' : 'bad_response';
  }
}

function decoderOf(charset: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(charset);
  } catch {
    // An unknown name: what cannot be read as UTF-8 becomes U+FFFD.
    return new TextDecoder();
  }
}

/** Compressed or archived data that is sent as it is: gzip, zlib, zstd, bzip2, xz, zip. */
function looksPacked(data: Buffer): boolean {
  const start = data.subarray(0, 6).toString('latin1');
  return /^(?:\x1f\x8b|\x78[\x01\x5e\x9c\xda]|\x28\xb5\x2f\xfd|BZh|\xfd7zXZ|PK\x03\x04)/.test(start); // eslint-disable-line no-control-regex
}
