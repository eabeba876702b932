/**
 * The seam for a string whose text the interpreter must never see.
 *
 * Guarantees: what the language does with an OpaqueString depends on its type and on the public structure around
 * it only. Every operation that would reveal text, length or equality is refused with an error that names it.
 * Does not: keep the text away from this process. The host does that, by making objects that don't hold it.
 *
 * A host subclasses this; the language calls its members and looks at nothing else.
 */
import { StarlarkError } from '../errors.ts';
import { StarObject } from './objects.ts';

export type TextPart = string | OpaqueString;

/** Functions of a text that stay opaque. */
export type Derivation = 'json' | 'base64' | 'base64url' | 'sha256' | 'hmac-sha256' | 'url';

export abstract class OpaqueString extends StarObject {
  get typeName(): string {
    return 'string';
  }

  /** What errors call it: `secret NAME`. */
  abstract readonly label: string;
  /** Nominal size in bytes, charged as memory wherever it is copied. It must not depend on the text. */
  abstract readonly size: number;
  /** What print, fail and results show in its place. */
  abstract marker(): string;
  /** The parts one after the other (at least one of them is opaque); may throw when there are too many. */
  abstract concat(parts: readonly TextPart[]): OpaqueString;
  /**
   * A function of the operands: one, or key and message for `hmac-sha256`. `json` is the text as a JSON string
   * with its quotes. Hashes are 64 lower-case hex digits.
   */
  abstract derive(kind: Derivation, operands: readonly TextPart[]): OpaqueString;

  /** Public text and single opaque strings, one after the other: what `json.decode` reads. */
  parts(): readonly TextPart[] {
    return [this];
  }

  /** Without white space at the ends of its public text. A single secret is held without any. */
  stripped(): TextPart {
    return this;
  }

  /** The error for everything that is not allowed; `what` reads `len()`, `indexing`, `a dict key`. */
  refuse(what: string): StarlarkError {
    return new StarlarkError(
      `${this.label} cannot be used for ${what}: scripts can pass it on, but not look inside`,
      'secret_use',
    );
  }
}

/** Joins parts: plain text while all are plain, opaque otherwise. */
export function joinParts(parts: readonly TextPart[]): TextPart {
  const opaque = parts.find((part) => part instanceof OpaqueString);
  if (!(opaque instanceof OpaqueString)) return parts.join('');
  return opaque.concat(parts.filter((part) => part !== ''));
}

/** Nominal length of a part in UTF-16 units, for the budget. */
export function partLength(part: TextPart): number {
  return typeof part === 'string' ? part.length : part.size;
}

/** Collects text that may turn opaque on the way. */
export class TextBuilder {
  #text = '';
  #parts: TextPart[] | undefined;

  add(part: TextPart): void {
    if (typeof part === 'string') {
      this.#text += part;
      return;
    }
    this.#parts ??= [];
    if (this.#text !== '') this.#parts.push(this.#text);
    this.#text = '';
    this.#parts.push(part);
  }

  finish(): TextPart {
    if (this.#parts === undefined) return this.#text;
    return joinParts([...this.#parts, this.#text]);
  }
}
