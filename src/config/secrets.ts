// Guarantees: what a secret-bearing variable holds leaves this folder only as a SecretText, and shows up nowhere else.
// Each can come from a file instead: NAME_FILE. Does not: say whether a key works, nor clean the memory of the process.
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { errorText } from '../core/index.ts';
import { keyFileProblem, repair } from './key-file-rule.ts';
import type { Problem } from './problem.ts';
import { secretNameProblem, secretValueProblem } from './secret-rule.ts';
import { SecretText } from './secret-text.ts';
import type { Environment } from './types.ts';

/** The variables that hold a secret, with what they are for. Each also as NAME_FILE. */
export const SECRET_VARIABLES = {
  OPENAI_API_KEY: 'Key for OpenAI.',
  ANTHROPIC_API_KEY: 'Key for Anthropic.',
  GOOGLE_API_KEY: 'Key for Google Gemini.',
  AZURE_OPENAI_API_KEY: 'Key for Azure OpenAI.',
  OPENROUTER_API_KEY: 'Key for OpenRouter.',
  OPENAI_COMPATIBLE_API_KEY: 'Key for the OpenAI-compatible upstream.',
  ADMIN_JWT_SECRET: 'Signs the access tokens; at least 32 bytes. Without it one is made and kept.',
  OPENPACT_MASTER_KEY: 'Seals stored secrets. Without it one is made in secure/data/master_key.',
} as const;

export type SecretVariable = keyof typeof SECRET_VARIABLES;

/** `OPENPACT_SECRET_NAME` gives scripts the secret NAME. */
const NAMED = 'OPENPACT_SECRET_';
const MAX_BYTES = 64 * 1024;

export interface EnvironmentSecrets {
  get(variable: SecretVariable): SecretText | undefined;
  /** Every one by the name of its variable, so that it can be hidden in texts. */
  all(): readonly (readonly [string, SecretText])[];
  /** Of `OPENPACT_SECRET_<NAME>`, by NAME. */
  readonly named: ReadonlyMap<string, SecretText>;
  /** Of `starlark.secrets` in the configuration, by NAME. */
  readonly referenced: ReadonlyMap<string, SecretText>;
  /** `env` or the file that it came from; for `config show`. */
  source(variable: SecretVariable): string | undefined;
}

export function takeSecrets(
  environment: Environment,
  referenced: ReadonlyMap<string, SecretText> = new Map(),
): {
  readonly secrets: EnvironmentSecrets;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const found = new Map<string, { readonly text: SecretText; readonly source: string }>();
  for (const name of secretNames(environment)) {
    const file = `${name}_FILE`;
    const direct = environment[name] ?? '';
    const path = environment[file] ?? '';
    if (direct !== '' && path !== '') {
      problems.push({ where: file, message: `${name} is set as well; keep one of the two` });
    } else if (direct !== '') {
      found.set(name, { text: new SecretText(direct), source: name });
    } else if (path !== '') {
      const read = readSecretFile(path, name === 'OPENPACT_MASTER_KEY');
      if ('problem' in read) problems.push({ where: file, message: read.problem });
      else found.set(name, { text: new SecretText(read.text), source: file });
    }
  }
  for (const [name, { text, source }] of found) {
    if (!name.startsWith(NAMED)) continue;
    const problem = secretNameProblem(name.slice(NAMED.length)) ?? secretValueProblem(text.reveal());
    if (problem !== undefined) problems.push({ where: source, message: problem });
  }
  const jwt = found.get('ADMIN_JWT_SECRET');
  if (jwt && Buffer.byteLength(jwt.text.reveal()) < 32) {
    problems.push({ where: jwt.source, message: 'is too short: at least 32 bytes are needed' });
  }
  return {
    problems,
    secrets: {
      get: (variable) => found.get(variable)?.text,
      all: () => [...found].map(([name, { text }]) => [name, text] as const),
      source: (variable) => found.get(variable)?.source,
      referenced,
      named: new Map(
        [...found]
          .filter(([name]) => name.startsWith(NAMED))
          .map(([name, { text }]) => [name.slice(NAMED.length), text]),
      ),
    },
  };
}

/** Whether a variable may hold a secret; also true for its file form. */
export function isSecretVariable(name: string): boolean {
  return name.startsWith(NAMED) || name.replace(/_FILE$/, '') in SECRET_VARIABLES;
}

function secretNames(environment: Environment): readonly string[] {
  const named = Object.keys(environment)
    .filter((name) => name.startsWith(NAMED))
    .map((name) => name.replace(/_FILE$/, ''))
    .filter((name) => name.length > NAMED.length);
  return [...new Set([...Object.keys(SECRET_VARIABLES), ...named])];
}

/** `guarded`: not where others can read the file. */
function readSecretFile(
  path: string,
  guarded: boolean,
): { readonly text: string } | { readonly problem: string } {
  const us = process.getuid?.();
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const problem = guarded ? keyFileProblem(path, fstatSync(file), us) : undefined;
    if (problem !== undefined) return { problem };
    const bytes = readFileSync(file);
    if (bytes.length > MAX_BYTES) return { problem: `the file ${path} is larger than 64 KiB` };
    // Editors and secret stores end a file with a line break that is no part of the secret.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
    return text === '' ? { problem: `the file ${path} is empty` } : { text };
  } catch (error) {
    const denied = guarded && (error as NodeJS.ErrnoException).code === 'EACCES';
    return {
      problem: `the file can't be read: ${errorText(error)}${denied ? `; ${repair(path, undefined, us)}` : ''}`,
    };
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
