import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, errorText } from '../core/index.ts';
import type { Environment } from './types.ts';

/**
 * Variables of a `.env` text (C-13, C-14). Line by line; no escapes, no values over several lines. Node's own parser
 * cuts `K=a#b` at the `#` and unescapes `\n`, which is not what this file format promised.
 */
export function parseDotenv(text: string): Record<string, string> {
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const raw of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const line = raw.trim();
    const split = line.indexOf('=');
    if (line.startsWith('#') || split < 0) continue;
    const name = line
      .slice(0, split)
      .replace(/^export\s+/, '')
      .trim();
    if (name !== '') found[name] = value(line.slice(split + 1).trim());
  }
  return found;
}

function value(text: string): string {
  const quoted = /^(["'])(.*?)\1\s*(?:#.*)?$/.exec(text);
  if (quoted) return quoted[2] ?? '';
  return text.replace(/(?:^|\s+)#.*$/, '');
}

export interface Dotenv {
  readonly environment: Environment;
  readonly notices: readonly string[];
}

/** Adds `.env` of a folder; a variable that is set, even to nothing, wins over the file (C-11, C-12). */
export function withDotenv(environment: Environment, folder: string): Dotenv {
  const path = join(folder, '.env');
  let text: string;
  let mode: number;
  try {
    text = readFileSync(path, 'utf8');
    ({ mode } = statSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { environment, notices: [] };
    throw new AppError({
      family: 'config',
      code: 'dotenv_unreadable',
      message: `The file ${path} can't be read: ${errorText(error)}.`,
      fix: 'Make it readable for the user that starts OpenPact, or remove it.',
      cause: error,
    });
  }
  const open = process.platform !== 'win32' && (mode & 0o077) !== 0;
  return {
    environment: { ...parseDotenv(text), ...environment },
    notices: open
      ? [`${path} can be read by other users of this machine. To change that: chmod 600 '${path}'`]
      : [],
  };
}
