export { createKnownSecrets, type KnownSecretsSource } from './known-secrets.ts';
export * from './master-key.ts';
export { createRedactor } from './redactor.ts';
export { revealSecret, type RevealPurpose } from './reveal.ts';
export { createSealedVault, type SealedVaultDeps } from './sealed-vault.ts';
export { isStrong } from './strength.ts';
export type * from './types.ts';
export { variantsOf } from './variants.ts';
