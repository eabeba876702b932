// Guarantees: this is the only exit of a sealed value. `test/architecture.test.ts` lists the files that may name
// `revealSecret` or `revealFormerValues`; a purpose opens only the kinds that it is for.
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

interface Opener {
  value(ref: SecretRef): string | undefined;
  /** Newest first. */
  former(ref: SecretRef): readonly string[];
}
const openers = new WeakMap<SealedVault, Opener>();

/** Called once by the vault that is being made; not part of the folder's surface. */
export function lendOpener(vault: SealedVault, opener: Opener): void {
  openers.set(vault, opener);
}

/** The plaintext, or undefined when there is none of this name. Errors: config `secret_damaged`. */
export function revealSecret(vault: SealedVault, ref: SecretRef, purpose: RevealPurpose): string | undefined {
  return openerFor(vault, ref, purpose).value(ref);
}

/** Values that it had and that are still to be hidden: to look for in answers. */
export function revealFormerValues(
  vault: SealedVault,
  ref: SecretRef,
  purpose: RevealPurpose,
): readonly string[] {
  return openerFor(vault, ref, purpose).former(ref);
}

function openerFor(vault: SealedVault, ref: SecretRef, purpose: RevealPurpose): Opener {
  const open = openers.get(vault);
  if (open === undefined) throw new TypeError('not a vault of this process');
  if (!KINDS[purpose].includes(ref.kind)) {
    throw new AppError({
      family: 'forbidden',
      code: 'secret_purpose',
      message: `A secret of kind ${ref.kind} may not be used for ${purpose}.`,
    });
  }
  return open;
}
