/** What `elems()`, `elem_ords()`, `codepoints()` and `codepoint_ords()` return: an iterable view of a text. */
import { quote } from '../ops/repr.ts';
import { StarIterable, type StarBytes, type Value } from './objects.ts';

/** The ways to take a string apart. */
export type TextView = 'elems' | 'elem_ords' | 'codepoints' | 'codepoint_ords';

export class StarTextView extends StarIterable {
  readonly typeName: string;
  readonly #text: string;
  readonly #view: TextView;

  constructor(text: string, view: TextView) {
    super();
    this.#text = text;
    this.#view = view;
    this.typeName = view.startsWith('elem') ? 'string.elems' : 'string.codepoints';
  }

  override truth(): boolean {
    return this.#text !== '';
  }

  /** Elements are UTF-16 units; the number of code points is not known without counting. */
  override length(): number | undefined {
    return this.#view.startsWith('elem') ? this.#text.length : undefined;
  }

  *iterate(): Iterator<Value> {
    const text = this.#text;
    const ords = this.#view.endsWith('ords');
    if (this.#view.startsWith('elem')) {
      for (let i = 0; i < text.length; i += 1) yield ords ? text.charCodeAt(i) : text.charAt(i);
      return;
    }
    for (const char of text) yield ords ? (char.toWellFormed().codePointAt(0) ?? 0) : char;
  }

  repr(): string {
    return `${quote(this.#text)}.${this.#view}()`;
  }
}

/** What `elems()` of bytes returns: its bytes as ints. */
export class StarBytesView extends StarIterable {
  get typeName(): string {
    return 'bytes.elems';
  }
  readonly #data: StarBytes;

  constructor(data: StarBytes) {
    super();
    this.#data = data;
  }

  override truth(): boolean {
    return this.#data.truth();
  }

  override length(): number {
    return this.#data.data.length;
  }

  *iterate(): Iterator<Value> {
    yield* this.#data.data;
  }

  repr(): string {
    return '<bytes.elems>';
  }
}
