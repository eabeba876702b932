export { createKnownSecrets, type KnownSecretsSource } from './known-secrets.ts';
export * from './master-key.ts';
export { createRedactor } from './redactor.ts';
export { revealSecret } from './reveal.ts';
export { createSealedVault } from './sealed-vault.ts';
export type * from './types.ts';
export { variantsOf } from './variants.ts';
export { sealedKeys, settle, type KeyFile, type KeyFiles, type SealedKeys } from './key-files.ts';
export { parsePassphraseBox, requireGoodPassphrase, sealKey } from './passphrase.ts';
export { createSeal, vaultSealed, type KeyProtection, type Seal, type Unlocker } from './seal.ts';
export {
  createSecretVault,
  matchedNames,
  type SecretVault,
  type SecretView,
} from './secret-vault.ts';
