/**
 * Work on a long text in slices: between two of them whoever does it may let others have their turn. A slice is counted in
 * units of the text, never in time, so that what comes out is the same however fast the machine is.
 */

/** Yields between slices; what it yields and gets means nothing. */
export type Slices<T> = Generator<undefined, T, unknown>;

/** UTF-16 units: a few milliseconds of work for a text in which each of them costs much. */
export const SLICE = 16 * 1024;
