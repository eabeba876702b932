import { AppError } from '../../core/index.ts';
import type { Analyse } from './ports.ts';

/** Bytes of a script. */
export const MOST_SOURCE = 256 * 1024;

export function isText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Errors: `script_too_large`, `invalid_text`, and `invalid_script` where it must be a program. */
export function checkSource(
  save: { readonly source: string; readonly mustParse: boolean },
  analyse: Analyse,
): void {
  const { source } = save;
  if (Buffer.byteLength(source) > MOST_SOURCE)
    throw new AppError({
      family: 'input',
      code: 'script_too_large',
      message: `A script has at most ${MOST_SOURCE / 1024} KiB.`,
    });
  if (source === '' || !isText(source))
    throw new AppError({
      family: 'input',
      code: 'invalid_text',
      message: 'The script is empty, or holds a NUL character or half of a character.',
    });
  const { problems } = analyse(source);
  const [first] = problems;
  if (save.mustParse && first)
    throw new AppError({
      family: 'input',
      code: 'invalid_script',
      message: `Line ${first.line}: ${first.message}`,
      fix: 'Correct it; nothing was saved.',
      details: { problems },
    });
}
