// Guarantees: this is the only exit of a sealed value. `test/architecture.test.ts` lists the files that may name
// `revealSecret`; a purpose opens only the kinds that it is for.
// Does not: follow the value afterwards: the caller hands it to one place (a request header) and keeps no copy.
// An attacker may control: nothing here.
import { AppError } from '../../core/index.ts';
import type { SealedVault, SecretKind, SecretRef } from './types.ts';

/**
 * Why a value is needed. `llm_call`: to be put into the header of a request to its provider. `script_request`: for the
 * broker, which puts it into a request that a script's grant allows and looks for it in the answer.
 */
export type RevealPurpose = 'llm_call' | 'script_request';

const KINDS: Readonly<Record<RevealPurpose, readonly SecretKind[]>> = {
  llm_call: ['llm_key'],
  script_request: ['script'],
};

type Opener = (ref: SecretRef) => string | undefined;
const openers = new WeakMap<SealedVault, Opener>();

/** Called once by the vault that is being made; not part of the folder's surface. */
export function lendOpener(vault: SealedVault, opener: Opener): void {
  openers.set(vault, opener);
}

/** The plaintext, or undefined when there is none of this name. Errors: config `secret_damaged`. */
export function revealSecret(vault: SealedVault, ref: SecretRef, purpose: RevealPurpose): string | undefined {
  const open = openers.get(vault);
  if (open === undefined) throw new TypeError('not a vault of this process');
  if (!KINDS[purpose].includes(ref.kind)) {
    throw new AppError({
      family: 'forbidden',
      code: 'secret_purpose',
      message: `A secret of kind ${ref.kind} may not be used for ${purpose}.`,
    });
  }
  return open(ref);
}
