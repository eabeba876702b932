/** The shapes of the API: what it can do. */
import type { PolicyAnswer } from './policy-api.ts';
import type { SystemStatus } from './system-api.ts';

/** `not_enforced`: it is not meant to, but nothing on this machine stops it. */
export type CapabilityAnswer = 'allowed' | 'asks' | 'never' | 'not_enforced';
export interface NamedTest {
  readonly file: string;
  readonly name: string;
}
export interface Capability {
  readonly id: string;
  readonly group: 'files' | 'network' | 'machine' | 'itself';
  readonly answer: CapabilityAnswer;
  readonly sentence: string;
  /** What enforces it, and whether that is in force now. */
  readonly fences: readonly { readonly text: string; readonly holds: boolean }[];
  /** The tests that attack it. */
  readonly tests: readonly NamedTest[];
}
/** GET /api/capabilities: made from the running system when it is asked for. */
export interface CapabilitiesAnswer {
  readonly at: string;
  readonly agent_name: string;
  readonly isolation: SystemStatus['isolation'];
  readonly policy_source: PolicyAnswer['source'];
  readonly capabilities: readonly Capability[];
  readonly limits: readonly { readonly name: string; readonly value: string }[];
}
