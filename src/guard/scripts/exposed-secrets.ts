// Guarantees: a text that holds the value of a known secret, in any form that is looked for, is found, with the line where
// that can be told. Does not: find values that are too easily guessed to be looked for, nor those that the text puts
// together while it runs.
// An attacker may control: the text. What he hears is what every redacted text tells: that a strong value stands there.
import { AppError, type Redactor } from '../../core/index.ts';

export interface Exposed {
  readonly line: number;
  readonly message: string;
}

/** Empty for a text that may be shown. */
export function exposedSecrets(source: string, redactor: Redactor): readonly Exposed[] {
  const names = Object.keys(redactor.text(source).hidden);
  if (names.length === 0) return [];
  const lines = source.split('\n').map((text) => Object.keys(redactor.text(text).hidden));
  return names.map((name) => ({
    // A value of several lines stands in none of them alone.
    line: Math.max(1, lines.findIndex((found) => found.includes(name)) + 1),
    message: `the value of the secret ${name} stands in the text; write secrets.get("${name}") in its place`,
  }));
}

/** Error: input `secret_in_source`. */
export function requireNoSecret(source: string, redactor: Redactor): void {
  const [first, ...more] = exposedSecrets(source, redactor);
  if (first === undefined) return;
  throw new AppError({
    family: 'input',
    code: 'secret_in_source',
    message: `Line ${first.line}: ${first.message}.`,
    fix: 'Whoever reads the script would read the secret. Take the value out of it.',
    details: { problems: [first, ...more] as never },
  });
}
