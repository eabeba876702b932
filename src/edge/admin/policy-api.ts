/** The shapes of the API: the policy. */
import type { ToolView } from './system-api.ts';

export type PolicyDecision = 'allow' | 'ask' | 'deny';
/** From where a call can come in this version. */
export type PolicyOrigin = 'page' | 'mcp' | 'cli' | 'schedule' | 'chat' | 'system';
/** One square of the table: a tool, a class of targets, an origin. */
export interface PolicyCell {
  readonly tool: string;
  readonly resource: string;
  readonly origin: PolicyOrigin;
  readonly decision: PolicyDecision;
  /** `owner`, the id of a shipped rule, or `default-deny` where no rule names it. */
  readonly rule: string;
  readonly because: string;
  readonly shipped: PolicyDecision;
  /** What can be chosen. */
  readonly choices: readonly PolicyDecision[];
  /** Why the other choices are not there. */
  readonly limit: string | null;
}
/** GET /api/policy, and the answer of PUT. */
export interface PolicyAnswer {
  /** `damaged`: the stored rules can't be read, and the shipped ones decide. */
  readonly source: 'shipped' | 'owner' | 'damaged';
  readonly problem: string | null;
  /** Names this state; a change sends it back. */
  readonly digest: string;
  readonly origins: readonly PolicyOrigin[];
  readonly resources: readonly { readonly name: string; readonly label: string; readonly reach: string }[];
  readonly tools: readonly Pick<ToolView, 'name' | 'title' | 'effect'>[];
  readonly cells: readonly PolicyCell[];
}
export interface PolicyRuleChange {
  readonly tool: string;
  readonly resource: string;
  readonly origin: PolicyOrigin;
  readonly decision: PolicyDecision;
}
/** PUT /api/policy: all rules of the owner; none means the shipped policy. The password is always needed. */
export interface PolicyChange {
  readonly rules: readonly PolicyRuleChange[];
  readonly digest: string;
  readonly password?: string;
}
