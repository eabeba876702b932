export { EgressError, type EgressCode } from './codes.ts';
export {
  createEgressGuard,
  type EgressGuard,
  type EgressGuardDeps,
  type EgressRefusal,
  type EgressRequest,
} from './egress-guard.ts';
export { createScriptSend } from './script-send.ts';
export { judgeAddress } from './address-rules.ts';
