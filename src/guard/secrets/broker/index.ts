export {
  createScriptBroker,
  TRAFFIC_LIMITS,
  type BrokerDeps,
  type ScriptBroker,
  type TrafficLimits,
} from './create-broker.ts';
export { NO_GRANT, parseGrant, type Placement, type ScriptGrant, type SecretGrant } from './grant.ts';
export type * from './ports.ts';
export type { RefusalCode } from './refusals.ts';
export { fixedSecrets, secretsWhile, vaultSecrets } from './script-secrets.ts';
export { factsOf } from './secret-facts.ts';
