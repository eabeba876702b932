import { first } from './0001-first.ts';
import { conversations } from './0002-conversations.ts';

/** In order; never change one that has been released: add another. */
export const migrations: readonly string[] = [first, conversations];
