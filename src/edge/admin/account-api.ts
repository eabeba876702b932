/** The shapes of the API: setup, login and the own account. */

export type SetupStep = 'account' | 'profile' | 'complete';
export interface SetupStatus {
  readonly setup_required: boolean;
  readonly setup_step: SetupStep;
}
export interface SetupRequest {
  readonly username: string;
  readonly password: string;
  readonly confirm_password: string;
  readonly setup_code: string;
}
export interface SetupAnswer {
  readonly success: true;
  readonly message: string;
  readonly access_token: string;
}
export const PERSONALITIES = [
  'friendly',
  'professional',
  'witty',
  'calm',
  'direct',
  'curious',
  'sardonic',
  'supportive',
  'creative',
  'balanced',
] as const;
export type Personality = (typeof PERSONALITIES)[number];
export interface ProfileRequest {
  readonly agent_name: string;
  readonly personality: Personality;
  readonly user_name: string;
  readonly timezone: string;
}
export interface LoginRequest {
  readonly username: string;
  readonly password: string;
}
/** POST /api/auth/login sets the cookie and answers the same as GET /api/session. */
export interface SessionAnswer {
  readonly access_token: string;
  readonly expires_at: string;
  readonly username: string;
}
export interface MeAnswer {
  readonly username: string;
  readonly role: 'admin';
}
export interface TicketAnswer {
  readonly ticket: string;
  readonly expires_at: string;
}

/** GET /api/auth/sessions: where this account is logged in. */
export interface LoginSession {
  readonly id: string;
  /** The one that asks. */
  readonly current: boolean;
  readonly address: string;
  readonly user_agent: string;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly expires_at: string;
}
export interface LoginSessionList {
  readonly sessions: readonly LoginSession[];
}
/** POST /api/auth/password: ends every session and answers as a login does, with a new cookie. */
export interface PasswordChangeRequest {
  readonly current_password: string;
  readonly new_password: string;
  readonly confirm_password: string;
}
