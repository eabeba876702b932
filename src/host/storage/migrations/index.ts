import { first } from './0001-first.ts';
import { budgets } from './0004-budgets.ts';

/** In order; never change one that has been released: add another. An empty one keeps a number for another change. */
export const migrations: readonly string[] = [first, '', '', budgets];
