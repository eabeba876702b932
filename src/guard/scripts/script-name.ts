// Guarantees: a script has one name without its ending, and that name can't lead anywhere but into `scripts/` (T-05).
// An attacker may control: the text.
import { createHash } from 'node:crypto';
import { AppError } from '../../core/index.ts';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/;

/** `weather` and `weather.star` are `weather`; undefined for what is no name of a script. */
export function scriptName(text: string): string | undefined {
  const name = text.endsWith('.star') ? text.slice(0, -'.star'.length) : text;
  return NAME.test(name) ? name : undefined;
}

/** Errors: input `invalid_name`. */
export function requireScriptName(text: string): string {
  const name = scriptName(text);
  if (name !== undefined) return name;
  throw new AppError({
    family: 'input',
    code: 'invalid_name',
    message: 'That is not the name of a script.',
    fix: 'Use 1 to 64 letters, digits, "_" and "-"; the first one is no "-".',
  });
}

export function fileOf(name: string): string {
  return `scripts/${name}.star`;
}

/** Of the text as UTF-8: `sha256:` and 64 hex digits (K-15). */
export function hashOf(source: string): string {
  return `sha256:${createHash('sha256').update(source, 'utf8').digest('hex')}`;
}
