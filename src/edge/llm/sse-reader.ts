// Guarantees: server-sent events (WHATWG HTML §9.2.6) from bytes, with a cap on one line and on all bytes.
// Does not: interpret the data. An attacker may control: every byte and where it is cut.
export type SseProblem = 'line_too_long' | 'too_many_bytes';

export class SseReader {
  readonly #maxLine: number;
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder();
  #buffer = '';
  /** From here on the buffer has not been searched for a line end. */
  #searched = 0;
  #data: string[] = [];
  #dataChars = 0;
  #bytes = 0;

  constructor(limits: { readonly lineChars: number; readonly answerBytes: number }) {
    this.#maxLine = limits.lineChars;
    this.#maxBytes = limits.answerBytes;
  }

  /** The data of the events that this piece completes. */
  push(bytes: Uint8Array): readonly string[] | SseProblem {
    this.#bytes += bytes.byteLength;
    if (this.#bytes > this.#maxBytes) return 'too_many_bytes';
    this.#buffer += this.#decoder.decode(bytes, { stream: true });
    return this.#lines(false);
  }

  /** An event that was not closed by an empty line still counts: some servers leave the last one so. */
  end(): readonly string[] | SseProblem {
    this.#buffer += this.#decoder.decode();
    const events = this.#lines(true);
    if (typeof events === 'string') return events;
    if (this.#buffer !== '') this.#line(this.#buffer);
    this.#buffer = '';
    const last = this.#take();
    return last === undefined ? events : [...events, last];
  }

  #lines(ended: boolean): readonly string[] | SseProblem {
    const events: string[] = [];
    let start = 0;
    for (let i = this.#searched; i < this.#buffer.length; i += 1) {
      const code = this.#buffer.charCodeAt(i);
      if (code !== 10 && code !== 13) continue;
      // A CR at the end may be the first half of CRLF.
      if (code === 13 && i + 1 === this.#buffer.length && !ended) break;
      const line = this.#buffer.slice(start, i);
      if (code === 13 && this.#buffer.charCodeAt(i + 1) === 10) i += 1;
      start = i + 1;
      if (line.length > this.#maxLine) return 'line_too_long';
      if (line === '') {
        const event = this.#take();
        if (event !== undefined) events.push(event);
      } else {
        this.#line(line);
        if (this.#dataChars > this.#maxLine) return 'line_too_long';
      }
    }
    this.#buffer = this.#buffer.slice(start);
    if (this.#buffer.length > this.#maxLine) return 'line_too_long';
    this.#searched = this.#buffer.endsWith('\r') ? this.#buffer.length - 1 : this.#buffer.length;
    return events;
  }

  #line(line: string): void {
    // Comments start with a colon and keep a connection alive; event names, ids and retry times say nothing to us.
    if (!line.startsWith('data:')) return;
    const value = line.slice(line.charCodeAt(5) === 32 ? 6 : 5);
    this.#data.push(value);
    this.#dataChars += value.length;
  }

  #take(): string | undefined {
    if (this.#data.length === 0) return undefined;
    const data = this.#data.join('\n');
    this.#data = [];
    this.#dataChars = 0;
    return data;
  }
}
