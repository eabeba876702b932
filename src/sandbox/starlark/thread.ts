/** One run of one program: its budgets and the few things of the outside that the language can touch. */
import { DEFAULT_LIMITS, Meter, type Limits } from './meter.ts';

export interface ThreadOptions {
  readonly limits?: Partial<Limits>;
  /** Called about every 65,000 steps; may throw to stop the run. */
  readonly onSlice?: () => void;
  /** Receives each line of `print`, without the line end. Dropped when absent. */
  readonly print?: (text: string) => void;
  /** Whether a function may call itself. Off in the dialect. */
  readonly recursion?: boolean;
}

export class Thread extends Meter {
  readonly recursion: boolean;
  readonly print: (text: string) => void;
  /** Parsed templates of `%`, `format` and `str.format` by kind and text; see `cached`. */
  readonly #templates = new Map<string, Map<string, unknown>>();

  constructor(options: ThreadOptions = {}) {
    super({ ...DEFAULT_LIMITS, ...options.limits }, options.onSlice);
    this.recursion = options.recursion ?? false;
    this.print = options.print ?? (() => undefined);
  }

  /** Remembers what `make` found in a template, for the few hundred short ones that a script uses. */
  cached<T>(kind: string, text: string, make: (text: string) => T): T {
    if (text.length > 500) return make(text);
    let known = this.#templates.get(kind);
    if (known === undefined) this.#templates.set(kind, (known = new Map<string, unknown>()));
    const hit = known.get(text);
    if (hit !== undefined) return hit as T;
    const made = make(text);
    if (known.size < 500) known.set(text, made);
    return made;
  }
}
