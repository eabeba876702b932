import { isJsonObject, type Json, type JsonObject } from '../../../../core/index.ts';
import { listOf, textOf } from '../json-facts.ts';

/** What the provider signs for itself: base64, of either alphabet. */
const SIGNATURE = /^[A-Za-z0-9+/_=-]+$/;

/** The parts of one answer in their order, with their signatures and the place of each call. */
export class SignedAnswer {
  readonly #parts: JsonObject[] = [];
  #signed = false;

  text(text: string, thought: boolean, signature: string | undefined): void {
    // The end of a stream is often an empty text.
    if (text === '' && signature === undefined) return;
    const signed = this.#sign(signature);
    const last = this.#parts.at(-1);
    // Pieces of a stream are one part; one that is signed stays as it came.
    const joins =
      last !== undefined &&
      'text' in last &&
      !('thoughtSignature' in last) &&
      !('thoughtSignature' in signed) &&
      (last['thought'] === true) === thought;
    if (joins) this.#parts.pop();
    const before = joins ? (textOf(last['text']) ?? '') : '';
    this.#parts.push({ text: before + text, ...(thought ? { thought: true } : {}), ...signed });
  }

  call(signature: string | undefined): void {
    this.#parts.push({ call: true, ...this.#sign(signature) });
  }

  #sign(signature: string | undefined): JsonObject {
    if (signature === undefined || !SIGNATURE.test(signature)) return {};
    this.#signed = true;
    return { thoughtSignature: signature };
  }

  /** Undefined: nothing that must go back. */
  value(): Json | undefined {
    return this.#signed ? this.#parts : undefined;
  }
}

/**
 * The parts as they go back upstream, with the calls of the engine in the places of those that were signed. Undefined: they
 * don't fit, or nothing was kept.
 */
export function signedParts(kept: Json | undefined, calls: readonly JsonObject[]): JsonObject[] | undefined {
  if (kept === undefined) return undefined;
  const parts = listOf(kept).filter((part) => isJsonObject(part));
  if (parts.filter((part) => part['call'] === true).length !== calls.length) return undefined;
  let next = 0;
  return parts.map((part) => {
    const { call, ...rest } = part;
    if (call !== true) return part;
    const own = calls[next] ?? {};
    next += 1;
    return { ...own, ...rest };
  });
}
