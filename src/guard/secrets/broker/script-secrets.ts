/** Where the broker's secrets come from: the vault, or a fixed list that an author tries a script with. */
import { AppError } from '../../../core/index.ts';
import { NOMINAL_BYTES } from '../../../sandbox/wire/index.ts';
import { revealFormerValues, revealSecret } from '../reveal.ts';
import type { SealedVault } from '../types.ts';
import type { ScriptSecrets } from './ports.ts';
import { factsOf } from './secret-facts.ts';

function from(open: (name: string) => string | undefined): ScriptSecrets {
  const openValue = (name: string): string | undefined => {
    const value = open(name)?.trim();
    return value === undefined || value === '' ? undefined : value;
  };
  return {
    facts(name) {
      const value = openValue(name);
      return value === undefined ? undefined : factsOf(value);
    },
    openValue,
  };
}

/** The secrets for scripts in the vault. */
export function vaultSecrets(vault: SealedVault): ScriptSecrets {
  return {
    ...from((name) => revealSecret(vault, { kind: 'script', name }, 'script_request')),
    formerValues: (name) => revealFormerValues(vault, { kind: 'script', name }, 'script_request'),
  };
}

/** None any more once `alive` says no: of a run that was ended. */
export function secretsWhile(secrets: ScriptSecrets, alive: () => boolean): ScriptSecrets {
  const { hideOthers } = secrets;
  return {
    ...(hideOthers === undefined ? {} : { hideOthers }),
    formerValues: (name) => secrets.formerValues?.(name) ?? [],
    mayReach: (name, origin) => alive() && secrets.mayReach?.(name, origin) !== false,
    facts: (name) => (alive() ? secrets.facts(name) : undefined),
    openValue: (name) => (alive() ? secrets.openValue(name) : undefined),
  };
}

/** Own values by name. Errors: input `secret_too_long` (over 4,096 bytes, what every secret counts). */
export function fixedSecrets(values: ReadonlyMap<string, string>): ScriptSecrets {
  for (const [name, value] of values) {
    if (Buffer.byteLength(value.trim()) <= NOMINAL_BYTES) continue;
    throw new AppError({
      family: 'input',
      code: 'secret_too_long',
      message: `The value of ${name} is longer than ${NOMINAL_BYTES} bytes.`,
    });
  }
  return from((name) => values.get(name));
}
