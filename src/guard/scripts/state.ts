// Guarantees: whether a script may run is decided here and nowhere else, from one row of the database: the hash that was
// approved, with its grant, while nothing newer stands in its place (or `keep` is set), it is not disabled, and the grant
// has not run out.
// Does not: read the folder (the library does, before), or load the text.
import type { ScriptRow, ScriptVersionRow } from '../../host/storage/script-store.ts';
import { AppError, type Json } from '../../core/index.ts';
import type { ScriptHeader } from './header.ts';
import { readGranted, type Granted } from './grants.ts';

/** How the reason begins that an approval gets when it has run out. */
export const RAN_OUT = 'ran out at ';

export type ScriptStatus = 'pending' | 'approved' | 'rejected' | 'disabled';
/** What stands in the folder: the newest version, nothing, or something that is no script. */
export type OnDisk = 'same' | 'missing' | 'unreadable';

export interface ScriptState {
  readonly name: string;
  /** Of the newest version. */
  readonly hash: string;
  readonly status: ScriptStatus;
  /** Another version than the newest is the approved one. */
  readonly modified: boolean;
  readonly row: ScriptRow;
  readonly version: ScriptVersionRow;
  readonly approved: { readonly hash: string; readonly granted: Granted } | undefined;
  readonly onDisk: OnDisk;
  readonly header: ScriptHeader;
}

export type Refused = {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly message: string;
  readonly details: Readonly<Record<string, Json>>;
};
export type Runnable = { readonly ok: true; readonly hash: string; readonly granted: Granted } | Refused;

export type RefusalCode =
  | 'script_not_found'
  | 'script_not_approved'
  | 'script_modified'
  | 'script_disabled'
  | 'approval_expired'
  | 'quota_exceeded'
  | 'exec_off'
  | 'invalid_script';

export function stateOf(
  row: ScriptRow,
  version: ScriptVersionRow,
  header: ScriptHeader,
  onDisk: OnDisk,
): ScriptState {
  const granted = storedGrant(row);
  const approved =
    row.approved === null || granted === undefined ? undefined : { hash: row.approved, granted };
  return {
    name: row.name,
    hash: version.hash,
    status: statusOf(row, version, approved !== undefined),
    modified: approved !== undefined && approved.hash !== version.hash,
    row,
    version,
    approved,
    onDisk,
    header,
  };
}

/** Undefined for a script that is not approved, and for a grant that is damaged: it gives nothing until it is given anew. */
export function storedGrant(row: Pick<ScriptRow, 'approved' | 'granted'>): Granted | undefined {
  if (row.approved === null) return undefined;
  try {
    return readGranted(JSON.parse(row.granted ?? ''));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof AppError) return undefined;
    throw error;
  }
}

function statusOf(row: ScriptRow, version: ScriptVersionRow, isApproved: boolean): ScriptStatus {
  if (row.disabled_at !== null) return 'disabled';
  if (isApproved && row.approved === version.hash) return 'approved';
  return version.decision === 'rejected' ? 'rejected' : 'pending';
}

export function runnable(
  state: ScriptState | undefined,
  name: string,
  { now, onChange }: { readonly now: number; readonly onChange: 'block' | 'keep' },
): Runnable {
  const no = (code: RefusalCode, message: string, details: Record<string, Json> = {}): Refused => ({
    ok: false,
    code,
    message,
    details: { script: name, ...details },
  });
  if (state === undefined) return no('script_not_found', `There is no script ${name}.`);
  const { approved, version } = state;
  if (state.status === 'disabled')
    return no('script_disabled', `The owner has disabled ${name}.`, { status: 'disabled', hash: state.hash });
  if (state.onDisk === 'missing')
    return no('script_not_found', `The file of ${name} is gone from scripts/; the owner can restore it.`);
  const undecided = { hash: state.hash, status: state.status };
  if (version.decision === 'rejected' && (approved === undefined || onChange === 'block')) {
    const why = version.reason === null ? '' : `: ${version.reason}`;
    return no('script_not_approved', `The owner rejected ${name}${why}`, {
      ...undecided,
      status: 'rejected',
      reason: version.reason,
    });
  }
  const ranOut = (hash: string): Refused =>
    no('approval_expired', `The approval of ${name} has run out; the owner can approve it again.`, {
      status: 'expired',
      hash,
    });
  if (approved === undefined && version.decision === 'approved' && version.reason?.startsWith(RAN_OUT))
    return ranOut(state.hash);
  if (approved === undefined)
    return no('script_not_approved', `${name} waits for the owner's approval.`, {
      ...undecided,
      status: 'pending',
    });
  if (onChange === 'block' && (state.modified || state.onDisk === 'unreadable'))
    return no(
      'script_modified',
      state.onDisk === 'unreadable'
        ? `The file of ${name} is not the approved one, and no text.`
        : `${name} was changed since it was approved; the change waits for the owner.`,
      {
        status: 'modified',
        approved_hash: approved.hash,
        current_hash: state.onDisk === 'unreadable' ? null : state.hash,
      },
    );
  if (approved.granted.expiresAt !== undefined && approved.granted.expiresAt <= now)
    return ranOut(approved.hash);
  return { ok: true, hash: approved.hash, granted: approved.granted };
}
