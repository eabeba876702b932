export { createKnownSecrets, type KnownSecretsSource } from './known-secrets.ts';
export * from './master-key.ts';
export { createRedactor } from './redactor.ts';
export { revealSecret } from './reveal.ts';
export { createSealedVault } from './sealed-vault.ts';
export type * from './types.ts';
export { variantsOf } from './variants.ts';
