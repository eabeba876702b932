/**
 * Builds a long text out of many short pieces. Adding to a string makes a chain of links in the machine, each far
 * larger than a short piece; here a chain is made flat before it grows long, so that memory stays near what the
 * budget was charged.
 */
const CHAIN = 2_048;

export class TextSink {
  #text = '';
  readonly #done: string[] = [];
  #length = 0;

  /** Units added so far. */
  get length(): number {
    return this.#length + this.#text.length;
  }

  add(piece: string): void {
    this.#text += piece;
    if (this.#text.length > CHAIN) this.#flatten();
  }

  #flatten(): void {
    // Reading a unit makes the machine copy the chain into one flat string.
    this.#text.charCodeAt(0);
    this.#length += this.#text.length;
    this.#done.push(this.#text);
    this.#text = '';
  }

  /** Everything, in one string; the sink is empty afterwards. */
  finish(): string {
    if (this.#done.length === 0) {
      const text = this.#text;
      this.#text = '';
      return text;
    }
    const text = this.#done.join('') + this.#text;
    this.#done.length = 0;
    this.#length = 0;
    this.#text = '';
    return text;
  }
}
