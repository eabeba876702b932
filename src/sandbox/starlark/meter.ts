/**
 * Budgets. Guarantees that a program stops, with an error of its own, before it has used more than it was given.
 * Does not measure the machine: time and real memory are the host's to watch (see `onSlice`). A program can
 * choose every number that arrives here; it can't read any.
 */
import { StarlarkError } from './errors.ts';

/** What one run may use. */
export interface Limits {
  /** One per statement, iteration, call and comprehension element; built-in functions charge their work. */
  readonly steps: number;
  /** Bytes that the run allocates in all, by nominal sizes; memory that is given back is not credited. */
  readonly memory: number;
  /** Calls of functions inside each other. */
  readonly callDepth: number;
  /** How deep str, repr, json, == and < follow values inside values (cyclic ones included). */
  readonly valueDepth: number;
}

/** Generous for a script, small for a machine. */
export const DEFAULT_LIMITS: Limits = {
  steps: 50_000_000,
  memory: 256 * 1024 * 1024,
  callDepth: 200,
  valueDepth: 200,
};

/**
 * Nominal sizes in bytes, near what the machine takes. Strings count two bytes a unit, which bounds both of its
 * representations.
 */
const LIST_BYTES = 96;
export const SLOT_BYTES = 8;
/** A dict or set without its entries, and one entry. */
export const TABLE_BYTES = 288;
export const ENTRY_BYTES = 64;
export const FLOAT_BYTES = 48;
/** A bytes value without its data. */
export const BYTES_BYTES = 256;
/** Functions, methods, ranges and other small objects. */
export const OBJECT_BYTES = 160;
/** A tuple of two, as `items` and `zip` make them by the thousand. */
export const PAIR_BYTES = LIST_BYTES + 2 * SLOT_BYTES;
/** A short string, such as the text of a number. */
export const SHORT_TEXT_BYTES = 48;

/**
 * Steps between two looks at the host. It stays far below 2**30, so that the counter is a small integer to the
 * machine and costs next to nothing.
 */
const SLICE = 1 << 16;

/**
 * Machine stack that calls may use, counted in closures: each call weighs as much as the deepest expression of
 * its function. Deep expressions in deep calls are refused before the machine's stack ends.
 */
const STACK_WEIGHT = 2_500;

export class Meter {
  /** Steps left in this slice; hot code does `if (--meter.fuel < 0) meter.refill()`. */
  fuel = 0;
  /** Calls in progress. */
  depth = 0;
  readonly limits: Limits;
  #steps: number;
  #memory: number;
  #weight = 0;
  readonly #onSlice: (() => void) | undefined;

  /** `onSlice` is called about every 65,000 steps; it may throw to stop the run (a deadline, say). */
  constructor(limits: Limits, onSlice?: () => void) {
    this.limits = limits;
    this.#steps = limits.steps;
    this.#memory = limits.memory;
    this.#onSlice = onSlice;
    this.refill();
  }

  /** Takes the next slice of steps. Throws `steps` when there is none; so does every later call. */
  refill(): void {
    const need = -this.fuel;
    if (!(need <= this.#steps)) {
      this.#steps = 0;
      this.fuel = -1;
      throw new StarlarkError(`the script ran for more than ${this.limits.steps} steps`, 'steps');
    }
    const slice = Math.min(SLICE, this.#steps - need);
    this.#steps -= need + slice;
    this.fuel = slice;
    this.#onSlice?.();
  }

  /** Charges work before it is done. */
  charge(steps: number): void {
    this.fuel -= Math.ceil(steps);
    if (!(this.fuel >= 0)) this.refill();
  }

  /** Charges bytes before they are allocated; throws `memory`. */
  allocate(bytes: number): void {
    this.#memory -= bytes;
    if (!(this.#memory >= 0)) {
      this.#memory = -1;
      throw new StarlarkError(`the script used more than ${this.limits.memory} bytes of memory`, 'memory');
    }
  }

  /** Charges a new string of `length` UTF-16 units: its bytes, and one step for each 64 units to copy. */
  allocateString(length: number): void {
    this.allocate(16 + 2 * length);
    if (length > 64) this.charge(length / 64);
  }

  /** Charges a new list or tuple of `length` values, and the work to fill it. */
  allocateList(length: number): void {
    this.allocate(LIST_BYTES + SLOT_BYTES * length);
    if (length > 8) this.charge(length / 8);
  }

  /** Begins a call that weighs `weight`; pair it with `leave`. Throws `call_depth`. */
  enter(weight: number): void {
    if (this.depth >= this.limits.callDepth || this.#weight + weight > STACK_WEIGHT) {
      throw new StarlarkError(`calls are nested too deeply (more than ${this.depth})`, 'call_depth');
    }
    this.depth += 1;
    this.#weight += weight;
  }

  leave(weight: number): void {
    this.depth -= 1;
    this.#weight -= weight;
  }

  /** Steps used so far. For the host; never shown to the script. */
  get stepsUsed(): number {
    return Math.min(this.limits.steps, this.limits.steps - this.#steps - this.fuel);
  }

  /** Nominal bytes allocated so far. For the host; never shown to the script. */
  get memoryUsed(): number {
    return Math.min(this.limits.memory, this.limits.memory - this.#memory);
  }
}
