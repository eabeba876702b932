// Guarantees: a compressed answer is undone piece by piece; what comes out is counted while it comes out, and a bomb is
// stopped at the cap or at its ratio, with no more than a few pieces in memory.
// Does not: undo more than one layer.
// An attacker may control: every byte.
import { Readable, type Transform } from 'node:stream';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { EgressError } from './codes.ts';

/** Text seldom shrinks to less than a twentieth; gzip can reach 1:1000, brotli 1:100,000. */
const MOST_RATIO = 100;
/** Below this nobody is hurt, and short answers may repeat themselves. */
const RATIO_COUNTS_FROM = 1024 * 1024;

type Coding = 'gzip' | 'deflate' | 'br' | 'zstd';

/** Undefined: nothing to undo. Error: EgressError `bad_encoding` for what is not known and for several layers. */
export function codingOf(header: string | undefined): Coding | undefined {
  const name = (header ?? '').trim().toLowerCase();
  switch (name) {
    case '':
    case 'identity':
      return undefined;
    case 'x-gzip':
      return 'gzip';
    case 'gzip':
    case 'deflate':
    case 'br':
    case 'zstd':
      return name;
    default:
      throw new EgressError('bad_encoding');
  }
}

/** Errors: EgressError too_large, bad_encoding, and whatever `packed` throws. */
export async function* decompressed(
  packed: AsyncIterable<Uint8Array>,
  coding: Coding,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  const source = packed[Symbol.asyncIterator]();
  let inner: unknown;
  let taken = 0;
  try {
    const first = await source.next();
    // HEAD and 204 have the header and no body.
    if (first.done === true) return;
    const input = Readable.from(pieces(first.value), { objectMode: false, highWaterMark: 64 * 1024 });
    const stream = decoderFor(coding, first.value);
    input.on('error', (error) => stream.destroy(error));
    input.pipe(stream);
    let given = 0;
    try {
      for await (const piece of stream as AsyncIterable<Uint8Array>) {
        given += piece.byteLength;
        const bomb = given > RATIO_COUNTS_FROM && given > taken * MOST_RATIO;
        if (given > maxBytes || bomb) throw new EgressError('too_large');
        yield piece;
      }
    } catch (error) {
      if (inner !== undefined) throw inner;
      throw error instanceof EgressError ? error : new EgressError('bad_encoding');
    } finally {
      input.destroy();
      stream.destroy();
    }
  } finally {
    await source.return?.();
  }

  async function* pieces(first: Uint8Array): AsyncGenerator<Uint8Array> {
    try {
      let piece: IteratorResult<Uint8Array> = { done: false, value: first };
      while (piece.done !== true) {
        taken += piece.value.byteLength;
        yield piece.value;
        piece = await source.next();
      }
    } catch (error) {
      inner = error;
      throw error;
    }
  }
}

function decoderFor(coding: Coding, start: Uint8Array): Transform {
  switch (coding) {
    case 'gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress();
    case 'deflate':
      // Some send it without the header of zlib (RFC 9110, 8.4.1.2).
      return ((start[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw();
  }
}
