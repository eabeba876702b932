import { z } from 'zod';

/** A schema of exactly the members that the type has. */
export type Shape<T> = { [Member in keyof T]-?: z.ZodType };

/** Exactly the words of the type: one that is missing here, or too many, does not compile. */
export function oneOf<Word extends string>(words: Readonly<Record<Word, true>>): z.ZodType<Word> {
  return z.enum(Object.keys(words) as [Word, ...Word[]]);
}
