import type { Surroundings } from './env.ts';
import { KEY_NAMES, keyInfo, variableOf } from './keys.ts';
import { isSecretVariable } from './secrets.ts';
import { nonEmpty } from './sources.ts';
import { suggest } from './suggest.ts';
import type { Environment } from './types.ts';

/** The promise that no process of ours shows a secret in its environment, and when it can't be kept. */
export function exposureNotices(
  environment: Environment,
  surroundings: Pick<Surroundings, 'handedOver' | 'wiped'> | undefined,
): string[] {
  if (surroundings === undefined || (surroundings.handedOver && surroundings.wiped)) return [];
  const names = Object.keys(environment).filter(
    (name) => isSecretVariable(name) && !name.endsWith('_FILE') && nonEmpty(environment[name]) !== undefined,
  );
  if (names.length === 0) return [];
  const why = surroundings.handedOver
    ? 'this system does not let OpenPact wipe the environment of its starter'
    : 'OpenPact was not started with bin/openpact.js';
  return [
    `Other processes of this user can read ${names.join(', ')} from the environment, because ${why}. Use ${names[0]}_FILE instead.`,
  ];
}

/** A misspelt variable must not go unseen; but platforms add names of their own, so it is no error. */
export function unknownVariableNotices(environment: Environment): string[] {
  const known = new Set(KEY_NAMES.flatMap((key) => [variableOf(key), ...(keyInfo(key).short ?? [])]));
  const notices: string[] = [];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('OPENPACT_') || known.has(name) || isSecretVariable(name)) continue;
    if (name === 'OPENPACT_CI') continue;
    const meant = suggest(name, [...known]);
    notices.push(
      `The variable ${name} is not known and was ignored.${meant === undefined ? '' : ` Did you mean ${meant}?`}`,
    );
  }
  return notices;
}
