// Guarantees: the line that a process prints when it dies of an error that nobody caught has passed the redactor, like all
// other output; before there is a redactor, or when it fails itself, it names the kind of the error and not its message.
// Does not: find secrets that the redactor does not know.
// An attacker may control: the message of the error, and through it what a terminal or a log would be fed.
import type { Redactor } from '../core/index.ts';
import type { Parts } from './parts.ts';

/** What of the process is needed. */
interface Dying {
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): unknown;
  readonly stderr: { write(text: string): unknown };
  exit(code: number): never;
}

/**
 * The same parts; what nobody catches from now on ends the process with a line that is safe to read. It is a bug: the state
 * is not to be trusted any more, and everything is made to survive a sudden end.
 */
export function withLastWords(parts: Parts, dying: Dying): Parts {
  let redactor: Redactor | undefined;
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    dying.on(event, (error) => {
      dying.stderr.write(`OpenPact ended because of an error of its own: ${lastWords(error, redactor)}\n`);
      dying.exit(1);
    });
  }
  return { ...parts, redactor: (known) => (redactor = parts.redactor(known)) };
}

export function lastWords(error: unknown, redactor: Redactor | undefined): string {
  if (redactor) {
    try {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return printable(redactor.text(text).value);
    } catch {
      return `${kindOf(error)} (its message could not be searched for secrets, so it is not shown)`;
    }
  }
  return `${kindOf(error)} (before the start was complete; its message is not shown, because it could hold a secret)`;
}

/** A name and a code of Node's are ours to choose from; anything else could be a text of somebody else. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return 'something thrown that is no error';
  const code = (error as { code?: unknown }).code;
  const words = [error.name, typeof code === 'string' ? code : ''].filter((word) => /^\w{1,64}$/.test(word));
  return words.join(' ') || 'an error';
}

function printable(text: string): string {
  return text.replaceAll(/[^\P{C}\n]/gu, ' ').slice(0, 10_000);
}
