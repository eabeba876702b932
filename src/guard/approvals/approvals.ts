// Guarantees: a request is stored before anybody can wait for it; it is decided once, by one winner, with its audit row in
// the same transaction; it expires; the exact arguments that were shown are the ones that are kept.
// Does not: run anything. The gate does, with the arguments stored here.
// An attacker may control: the arguments and the model's words; both are shown as what they are, untrusted.
import {
  AppError,
  newId,
  type Clock,
  type Json,
  type Log,
  type Principal,
  type Redactor,
  principalText,
  errorText,
} from '../../core/index.ts';
import type {
  ApprovalRow,
  ApprovalState,
  ApprovalStore,
  ToolCallKey,
  Transactions,
} from '../../host/storage/index.ts';
import type { Audit } from '../audit/index.ts';

export interface ApprovalRequest {
  readonly kind: ApprovalRow['kind'];
  readonly conversationId: string;
  readonly call: ToolCallKey;
  readonly tool: string;
  readonly arguments: Json;
  readonly summary: string;
  /** The model's own words before the call. */
  readonly why: string;
  readonly principal: Principal;
}

export type ApprovalEnd =
  | { readonly status: 'approved'; readonly by: string }
  | { readonly status: 'denied'; readonly by: string; readonly reason: string | null }
  | { readonly status: 'expired' }
  | { readonly status: 'cancelled' }
  /** Only for who waits: the program stops, and the request stays pending on disk. */
  | { readonly status: 'left' };

/** The reason of an abort that leaves requests pending. */
export const SHUTDOWN = 'shutdown';

/** A decision that is stored. */
export type FinalEnd = Exclude<ApprovalEnd, { status: 'left' }>;

/** Hears of every decision, inside its transaction. The engine writes the conversation's event there. */
export interface ApprovalListener {
  decided(row: ApprovalRow, end: FinalEnd): void;
}

export interface Approvals {
  /** Stores the request; call it inside the transaction that marks the call as asking. */
  request(request: ApprovalRequest): ApprovalRow;
  /** Resolves when the request is decided. An abort only ends the waiting. */
  wait(id: string, signal: AbortSignal): Promise<ApprovalEnd>;
  /**
   * Decides as a person. `digest` is what the person saw. Errors: `not_found`, `already_decided` (409), `digest_mismatch` (409).
   * Approving needs its audit row; denying goes ahead without one.
   */
  decide(
    id: string,
    act: 'approve' | 'deny',
    by: Principal,
    options: { digest?: string; reason?: string },
  ): ApprovalRow;
  /** Ends the pending requests of a turn that was stopped. */
  cancelTurn(turnId: string): void;
  /** Ends what is due, and stores what could not be stored before. Never throws for a disk that is full. */
  expireDue(): void;
  get(id: string): ApprovalRow | undefined;
  list(status: ApprovalState | undefined, limit: number): readonly ApprovalRow[];
  /** A row that was read elsewhere, as it stands: decisions that are not on the disk yet included. */
  asItIs(row: ApprovalRow): ApprovalRow;
  countPending(): number;
  /** Called for each decision that nobody waits for any more, as after a restart. */
  onOrphan(run: (row: ApprovalRow, end: FinalEnd) => void): void;
  /** Removes what is kept of a deleted conversation. */
  forget(conversationId: string): void;
  addListener(listener: ApprovalListener): void;
}

export interface ApprovalsDeps {
  readonly store: ApprovalStore;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly redactor: Redactor;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds until a request expires. */
  readonly expireAfterMs: number;
}

export function createApprovals(deps: ApprovalsDeps): Approvals {
  const { store, database, audit, redactor, clock, log } = deps;
  const waiters = new Map<string, (end: ApprovalEnd) => void>();
  const listeners: ApprovalListener[] = [];
  let orphan: (row: ApprovalRow, end: FinalEnd) => void = () => undefined;
  /** Decisions that took power away and could not be stored: they hold all the same, and are stored once that works. */
  const unstored = new Map<string, { readonly end: FinalEnd; readonly by: Principal; readonly at: number }>();

  /** The row as it stands, decisions that are not on the disk yet included. */
  function seen(row: ApprovalRow): ApprovalRow {
    const late = row.status === 'pending' ? unstored.get(row.id) : undefined;
    if (!late) return row;
    const reason = late.end.status === 'denied' ? late.end.reason : null;
    return {
      ...row,
      status: late.end.status,
      decided_at: late.at,
      decided_by: principalText(late.by),
      reason,
    };
  }

  function settle(row: ApprovalRow, end: FinalEnd): void {
    const waiter = waiters.get(row.id);
    if (waiter) {
      waiters.delete(row.id);
      waiter(end);
    } else {
      orphan(row, end);
    }
  }

  /** One winner: the row changes only while it is pending. */
  function finish(row: ApprovalRow, end: FinalEnd, by: Principal): boolean {
    const reason = end.status === 'denied' ? end.reason : null;
    const entry = {
      event: `approval.${end.status}`,
      principal: by,
      origin: by.kind === 'user' ? 'page' : 'system',
      target: row.id,
      outcome: 'ok',
      details: { tool: row.tool, digest: row.digest, conversation: row.conversation_id, reason },
    } as const;
    const change = (record: () => void): boolean =>
      database.tx(() => {
        const won = store.decide(row.id, {
          status: end.status,
          now: clock.now(),
          by: principalText(by),
          reason,
        });
        if (won === 0) return false;
        record();
        for (const listener of listeners) listener.decided(row, end);
        database.afterCommit(() => settle(row, end));
        return true;
      });
    if (end.status === 'approved') return change(() => audit.append(entry));
    try {
      return change(() => audit.append(entry));
    } catch (error) {
      // Less power must win even when nothing can be written: the waiting call ends now, the row stays pending on disk.
      log.error('a decision could not be stored; the call ends all the same', {
        approval: row.id,
        problem: errorText(error),
      });
      unstored.set(row.id, { end, by, at: clock.now() });
      settle(row, end);
      return true;
    }
  }

  /** Tries again what could not be stored. */
  function storeLate(): void {
    for (const [id, { end, by }] of unstored) {
      const row = store.get(id);
      unstored.delete(id);
      // A try that fails puts it back.
      if (row?.status === 'pending') finish(row, end, by);
      if (unstored.has(id)) return;
    }
  }

  return {
    request(request) {
      const now = clock.now();
      const row: ApprovalRow = {
        id: newId('apr', now),
        kind: request.kind,
        status: 'pending',
        conversation_id: request.conversationId,
        turn_id: request.call.turn_id,
        step: request.call.step,
        idx: request.call.idx,
        tool: request.tool,
        arguments: JSON.stringify(request.arguments),
        digest: audit.digest({ tool: request.tool, arguments: request.arguments }),
        summary: request.summary,
        why: request.why,
        created_at: now,
        expires_at: now + deps.expireAfterMs,
        decided_at: null,
        decided_by: null,
        reason: null,
      };
      database.tx(() => {
        store.insert(row);
        audit.append({
          event: 'approval.requested',
          principal: request.principal,
          origin: 'page',
          target: row.id,
          outcome: 'ok',
          details: { tool: row.tool, digest: row.digest, conversation: row.conversation_id },
        });
      });
      return row;
    },

    wait(id, signal) {
      return new Promise((resolve) => {
        const aborted = (): ApprovalEnd => ({ status: signal.reason === SHUTDOWN ? 'left' : 'cancelled' });
        if (signal.aborted) return resolve(aborted());
        const onAbort = () => {
          waiters.delete(id);
          resolve(aborted());
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiters.set(id, (end) => {
          signal.removeEventListener('abort', onAbort);
          resolve(end);
        });
      });
    },

    decide(id, act, by, { digest, reason }) {
      const stored = store.get(id);
      const row = stored && seen(stored);
      if (!row)
        throw new AppError({
          family: 'missing',
          code: 'not_found',
          message: 'There is no such approval request.',
          fix: 'Look at those that wait and those that were decided.',
        });
      if (row.status === 'pending' && row.expires_at <= clock.now())
        finish(row, { status: 'expired' }, { kind: 'system' });
      if (digest !== undefined && digest !== row.digest) {
        throw new AppError({
          family: 'conflict',
          code: 'digest_mismatch',
          message: 'The request is not the one that was shown.',
          fix: 'Reload the page and read it again.',
        });
      }
      const end: FinalEnd =
        act === 'approve'
          ? { status: 'approved', by: principalText(by) }
          : {
              status: 'denied',
              by: principalText(by),
              reason: redactor.text(reason?.trim() ?? '').value || null,
            };
      const now = seen(store.get(id) ?? row);
      const won = now.status === 'pending' && finish(row, end, by);
      const after = seen(store.get(id) ?? row);
      if (!won) {
        throw new AppError({
          family: 'conflict',
          code: 'already_decided',
          message: `This request was already decided: ${after.status}${after.decided_by ? ` by ${after.decided_by}` : ''}.`,
          fix: 'What was decided stands; the assistant can ask again.',
          details: { status: after.status },
        });
      }
      return after;
    },

    cancelTurn(turnId) {
      for (const row of store.pendingOfTurn(turnId))
        if (!unstored.has(row.id)) finish(row, { status: 'cancelled' }, { kind: 'system' });
    },

    expireDue() {
      storeLate();
      for (const row of store.due(clock.now()))
        if (!unstored.has(row.id)) finish(row, { status: 'expired' }, { kind: 'system' });
    },

    get(id) {
      const row = store.get(id);
      return row && seen(row);
    },
    list(status, limit) {
      const rows = store.list(status, limit).map(seen);
      return status === undefined ? rows : rows.filter((row) => row.status === status);
    },
    asItIs: seen,
    countPending: () => store.countPending() - unstored.size,
    forget: (conversationId) => store.deleteOfConversation(conversationId),
    onOrphan(run) {
      orphan = run;
    },
    addListener(listener) {
      listeners.push(listener);
    },
  };
}
