/**
 * What a program can be told. One class for everything that goes wrong inside the language; `code` says which
 * kind, so that a host never has to look at the text.
 */
export type StarlarkErrorCode =
  /** The text is not a program: scanner or parser. */
  | 'syntax'
  /** A name or a statement that is not allowed where it stands. */
  | 'resolve'
  /** The program did something that has no meaning (wrong type, missing key, division by zero). */
  | 'runtime'
  /** The program called `fail()`. */
  | 'fail'
  /** The program did something with an opaque string that would tell about its text. */
  | 'secret_use'
  /** A function of the host refused; see `HostError`. */
  | 'host'
  /** Budgets, one code each. */
  | 'steps'
  | 'memory'
  | 'call_depth'
  | 'nesting'
  | 'repr_depth'
  | 'json_depth'
  | 'compare_depth';

/** A place in the source: `pos` counts UTF-16 units from the start of the text. */
export interface Site {
  readonly fn: string;
  readonly pos: number;
  readonly source: Source;
}

/** Line and column, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One program text. Lines are found only when an error needs them. */
export class Source {
  readonly name: string;
  readonly text: string;
  /** Where each line begins; made when the first place is asked for. */
  #starts: readonly number[] | undefined;

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }

  /** Line and column (from 1) of an offset. */
  position(pos: number): Position {
    const end = Math.min(pos, this.text.length);
    const starts = (this.#starts ??= lineStarts(this.text));
    // The last line that begins at or before it.
    let line = 1;
    for (let above = starts.length; line < above;) {
      const middle = Math.ceil((line + above) / 2);
      if ((starts[middle - 1] ?? 0) <= end) line = middle;
      else above = middle - 1;
    }
    return { line, column: end - (starts[line - 1] ?? 0) + 1 };
  }

  /** The text of a line (from 1), without its end. */
  line(line: number): string {
    let start = 0;
    for (let i = 1; i < line; i += 1) {
      const next = this.text.indexOf('\n', start);
      if (next < 0) return '';
      start = next + 1;
    }
    const end = this.text.indexOf('\n', start);
    return this.text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '');
  }
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** One entry of the call stack: where in which function. */
export interface StackEntry extends Position {
  readonly fn: string;
  readonly file: string;
}

/** How much of a long source line is quoted, in characters on each side of the column. */
const QUOTE = 100;
/** How many stack entries are shown at each end of a deep stack. */
const SHOWN = 10;

export class StarlarkError extends Error {
  override readonly name = 'StarlarkError';
  readonly code: StarlarkErrorCode;
  /** The built-in function that refused, when it was one. */
  builtin: string | undefined;
  /** Innermost first; filled while the error travels outwards. */
  readonly sites: Site[] = [];

  constructor(message: string, code: StarlarkErrorCode = 'runtime') {
    super(message);
    this.code = code;
  }

  /** Where it happened, innermost function; undefined when the error never met a source. */
  get position(): Position | undefined {
    const site = this.sites[0];
    return site === undefined ? undefined : site.source.position(site.pos);
  }

  /** The call stack, outermost first. */
  get callStack(): StackEntry[] {
    return this.sites
      .map((site) => ({ fn: site.fn, file: site.source.name, ...site.source.position(site.pos) }))
      .reverse();
  }

  /** `Error in sorted: ...` for a built-in function, `Error: ...` otherwise. */
  get headline(): string {
    return `${this.builtin === undefined ? 'Error' : `Error in ${this.builtin}`}: ${this.message}`;
  }

  /** The whole report: call stack, the source line with a caret, and the message last. */
  render(): string {
    const out: string[] = [];
    if (this.sites.length > 0) out.push('Traceback (most recent call last):');
    const outermostFirst = [...this.sites].reverse();
    outermostFirst.forEach((site, i) => {
      if (outermostFirst.length > 2 * SHOWN && i >= SHOWN && i < outermostFirst.length - SHOWN) {
        if (i === SHOWN) out.push(`  ... ${outermostFirst.length - 2 * SHOWN} more calls ...`);
        return;
      }
      const { line, column } = site.source.position(site.pos);
      out.push(`  ${site.source.name}:${line}:${column}: in ${site.fn}`);
      out.push(...quoteLine(site.source.line(line), column));
    });
    out.push(this.headline);
    return out.join('\n');
  }
}

/** A refusal of a function that the host added; `reason` is the host's own code. */
export class HostError extends StarlarkError {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message, 'host');
    this.reason = reason;
  }
}

function quoteLine(text: string, column: number): string[] {
  const from = Math.max(0, column - 1 - QUOTE);
  const shown = text.slice(from, column - 1 + QUOTE);
  const pad = shown.slice(0, column - 1 - from).replace(/[^\t]/g, ' ');
  return [`    ${shown}`, `    ${pad}^`];
}

/** An error found while a text is read. */
export function staticError(
  message: string,
  source: Source,
  pos: number,
  code: 'syntax' | 'resolve' | 'nesting' = 'syntax',
): StarlarkError {
  const error = new StarlarkError(message, code);
  error.sites.push({ fn: '<toplevel>', pos, source });
  return error;
}

/**
 * Notes where an error passed. A stack overflow of the machine, which the own depth limits should always
 * forestall, becomes the error that it means.
 */
export function located(error: unknown, site: Site): unknown {
  let known = error;
  if (error instanceof RangeError)
    known = new StarlarkError('calls and expressions are nested too deeply', 'call_depth');
  if (known instanceof StarlarkError) known.sites.push(site);
  return known;
}
