export { EGRESS_CODES, EgressError, type EgressCode } from './codes.ts';
export {
  createEgressGuard,
  type EgressAnswer,
  type EgressGuard,
  type EgressGuardDeps,
  type EgressRefusal,
  type EgressRequest,
} from './egress-guard.ts';
export type { FollowedAnswer } from './follow.ts';
export { createScriptSend } from './script-send.ts';
export { judgeAddress, type JudgeAddress } from './address-rules.ts';
export type { OwnDestination } from './destinations.ts';
export type { Resolve } from './resolve.ts';
