export { NO_GRANT, parseGrant, type Placement, type ScriptGrant, type SecretGrant } from './grant.ts';
export type * from './ports.ts';
