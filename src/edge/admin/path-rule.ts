import { AppError } from '../../core/index.ts';

/** An encoded slash, backslash, dot, percent or control character has no business in our paths. */
const ENCODED_TRICK = /%(?:2f|5c|2e|25|[01][0-9a-f]|7f)/i;
const MAX_TARGET = 4096;

/**
 * Refuses targets that two readers could read differently, before anything routes on them: absolute form, empty or dot
 * segments, backslashes, encoded separators, bytes outside ASCII. Error: `not_found`.
 */
export function requirePlainPath(target: string | undefined): void {
  const path = target?.split('?', 1)[0];
  if (
    target !== undefined &&
    path !== undefined &&
    target.length <= MAX_TARGET &&
    /^\/[\x21-\x7e]*$/.test(path) &&
    !/[\\#]|\/\/|\/\.{1,2}(?:\/|$)/.test(path) &&
    !ENCODED_TRICK.test(path)
  ) {
    return;
  }
  throw new AppError({ family: 'missing', code: 'not_found', message: 'There is nothing under this path.' });
}
