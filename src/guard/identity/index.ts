export { addressKey } from './address-key.ts';
export { createIdentity, type Identity, type IdentityDeps, type IdentityOptions } from './identity.ts';
export type { Profile, StepUp } from './ports.ts';
export { createTokenBuckets, type KeyedBuckets } from './rate-limit.ts';
export type { StartedSession } from './sessions.ts';
export { PROFILE_SETTING, type SetupStep } from './setup.ts';
export { tokenKey, type AccessFacts } from './tokens.ts';
