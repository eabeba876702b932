import { first } from './0001-first.ts';

/** In order; never change one that has been released: add another. */
export const migrations: readonly string[] = [first];
