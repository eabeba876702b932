import type { Principal } from '../../core/index.ts';

/** Where the one-time setup code is left for the owner of the machine: `secure/data/setup_code`, mode 600. */
export interface SetupCodeFile {
  /** Replaces what is there. */
  write(code: string): Promise<void>;
  /** Also fine when there is none. */
  remove(): Promise<void>;
}

/** What the profile step leaves in the workspace: SOUL.md and USER.md. */
export interface ProfileWriter {
  write(profile: Profile): Promise<void>;
}

export interface Profile {
  readonly agent_name: string;
  /** One of the ten keys of A-24. */
  readonly personality: string;
  readonly user_name: string;
  /** An IANA name that this machine knows. */
  readonly timezone: string;
}

/** An act that needs the person again, not only their session. */
interface StepUpAct {
  readonly principal: Extract<Principal, { kind: 'user' }>;
  readonly address: string;
  /** What for, as the audit log names it, such as `approval.approve`. */
  readonly act: string;
  readonly password: string | undefined;
}

/**
 * Asks for the password, for now. Returns when the person has shown it.
 * Errors: `step_up_required` (forbidden) without a password, `wrong_password` (forbidden), `rate_limited` (limit).
 */
export interface StepUp {
  requireStepUp(act: StepUpAct): Promise<void>;
}
