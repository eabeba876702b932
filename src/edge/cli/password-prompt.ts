import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { AppError } from '../../core/index.ts';

export type InputStream = NodeJS.ReadableStream & { readonly isTTY?: boolean };
const LONGEST = 4096;

/**
 * A new password: at a terminal typed twice without echo, otherwise the first line of the input.
 * Errors: `cancelled`, `passwords_differ`, `no_password`.
 */
export async function askNewPassword(input: InputStream, output: NodeJS.WritableStream): Promise<string> {
  if (input.isTTY !== true) return firstLine(input);
  const first = await typed(input, output, 'New password: ');
  const second = await typed(input, output, 'Again: ');
  if (first === second) return first;
  throw refused('passwords_differ', 'The two passwords are not the same.', 'Try again.');
}

export interface SecretQuestion {
  /** Such as `Passphrase: `. */
  readonly question: string;
  /** At a terminal it is asked for twice. */
  readonly twice?: boolean;
}

/** One after the other: at a terminal typed without echo, otherwise a line of the input each. Errors as above. */
export async function askSecrets(
  input: InputStream,
  output: NodeJS.WritableStream,
  questions: readonly SecretQuestion[],
): Promise<readonly string[]> {
  if (input.isTTY !== true)
    return firstLines(
      input,
      questions.length,
      questions.map(({ question }) => nameOf(question)).join(' and '),
    );
  const answers: string[] = [];
  for (const { question, twice } of questions) {
    const answer = await typed(input, output, question);
    if (twice === true && (await typed(input, output, 'Again: ')) !== answer) {
      throw refused('passwords_differ', 'The two are not the same.', 'Try again.');
    }
    answers.push(answer);
  }
  return answers;
}

function typed(input: InputStream, output: NodeJS.WritableStream, question: string): Promise<string> {
  output.write(question);
  // Readline echoes to its output; this one shows nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  return new Promise((resolve, reject) => {
    lines.once('line', resolve);
    lines.once('SIGINT', () => lines.close());
    lines.once('close', () =>
      reject(refused('cancelled', 'Nothing was changed.', 'Start the command again.')),
    );
  }).finally(() => {
    lines.close();
    output.write('\n');
  }) as Promise<string>;
}

async function firstLine(input: InputStream): Promise<string> {
  return (await firstLines(input, 1, 'password'))[0] ?? '';
}

/** `what`: as a person calls what is asked for. */
async function firstLines(input: InputStream, count: number, what: string): Promise<readonly string[]> {
  let text = '';
  for await (const chunk of input) {
    text += String(chunk);
    if (text.split('\n').length > count || text.length > LONGEST * count) break;
  }
  const lines = Array.from({ length: count }, (_, at) => text.split(/\r?\n/)[at] ?? '');
  if (lines.every((one) => one !== '' && one.length <= LONGEST)) return lines;
  const line = lines.find((one) => one.length > LONGEST) ?? '';
  throw refused(
    'no_password',
    line !== ''
      ? `A line of the input is longer than ${LONGEST} characters.`
      : count === 1
        ? `There was no ${what} on the input.`
        : `The input has to hold ${count} lines: ${what}.`,
    `Pipe in ${count === 1 ? 'a line with it' : 'each as a line of its own, in this order'}, or run the command at a terminal and type.`,
  );
}

/** `New passphrase: ` is a new passphrase. */
function nameOf(question: string): string {
  return question.replace(/:\s*$/, '').toLowerCase();
}

function refused(code: string, message: string, fix: string): AppError {
  return new AppError({ family: 'input', code, message, fix });
}
