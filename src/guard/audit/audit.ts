// Guarantees: every row carries a hash over its content and its predecessor, and the newest row's hash is signed with a
// key that only the orchestrator holds. `verify` finds a changed, deleted, inserted, appended or reordered row, a cut-off
// end and a log that was emptied. A new row never covers such a thing up: where the end is not the one that was signed, an
// entry `audit.broken` is written first, and the log does not verify any more.
// A state change and its row are one transaction: callers append inside `tx`.
// Does not: find a rollback of the whole database (with its head) to an earlier state, nor what somebody who holds the
// master key rewrote. An attacker may control: texts inside rows, never which row is written.
import { createHmac } from 'node:crypto';
import {
  AppError,
  canonicalJson,
  errorText,
  principalText,
  type Clock,
  type Json,
  type Log,
  type Origin,
  type Principal,
  type Redactor,
} from '../../core/index.ts';
import type { AuditHead, AuditQuery, AuditRow, AuditStore, Transactions } from '../../host/storage/index.ts';
import { BROKEN, headMac, rowHash, START } from './row-hash.ts';
import { sameText, verifyChain, type AuditVerdict, type VerifyOptions } from './verify-chain.ts';

export interface AuditEntry {
  /** Dotted, such as `login.failed`, `tool.intent`, `approval.decided`. */
  readonly event: string;
  readonly principal: Principal;
  readonly origin: Origin;
  /** What was acted on: an id, a path, a name. */
  readonly target: string;
  readonly outcome: 'ok' | 'refused' | 'failed' | 'intent' | 'unknown';
  readonly details?: Readonly<Record<string, Json>>;
}

export interface Audit {
  /**
   * Writes a row, in the running transaction or in one of its own, and returns its seq.
   * Throws `audit_failed` when the row can't be written: the act must not happen then.
   */
  append(entry: AuditEntry): number;
  /** For acts that only reduce power (deny, stop): a row that can't be written is logged and does not stop the act. */
  note(entry: AuditEntry): void;
  /** HMAC-SHA-256 over the canonical, redacted form: says that two calls were equal, not what was in them. */
  digest(value: unknown): string;
  list(query: AuditQuery): readonly AuditRow[];
  /** Goes through the log in chunks, giving way to others between them. */
  verify(options?: VerifyOptions): Promise<AuditVerdict>;
  /** Whether the newest entry is the one that was signed, and which that is. */
  head(): AuditEnd;
}

/** The newest entry; `signed`: the signature belongs to it. */
export interface AuditEnd {
  readonly seq: number;
  readonly hash: string | null;
  /** Milliseconds; null for a log without entries. */
  readonly at: number | null;
  readonly signed: boolean;
}

export interface AuditDeps {
  readonly store: AuditStore;
  readonly database: Transactions;
  readonly clock: Clock;
  readonly log: Log;
  readonly redactor: Redactor;
  /** 32 bytes, derived from the master key. */
  readonly key: Uint8Array;
  /** The database was made just now, so that the log is rightly empty. Default false. */
  readonly fresh?: boolean;
}

export function createAudit(deps: AuditDeps): Audit {
  const { store, database, clock, log, redactor } = deps;

  /** A log that is new to us and empty; every other one has a signed head. */
  let mayBeEmpty = deps.fresh ?? false;

  function add(last: AuditRow | undefined, entry: AuditEntry): AuditRow {
    const content = {
      seq: (last?.seq ?? 0) + 1,
      at: clock.now(),
      event: entry.event,
      actor: redactor.text(principalText(entry.principal)).value,
      origin: entry.origin,
      target: redactor.text(entry.target).value,
      outcome: entry.outcome,
      details: canonicalJson(redactor.json(entry.details ?? {}).value),
      prev_hash: last?.hash ?? START,
    };
    const row = { ...content, hash: rowHash(content) };
    store.append(row);
    return row;
  }

  function write(entry: AuditEntry): number {
    return database.tx(() => {
      const { last, head } = store.ends();
      let before = last;
      if (!(mayBeEmpty && !last && !head) && !isSigned(last, head, deps.key)) {
        log.error('the audit log is not the one that was signed', {
          signed: head?.seq ?? 0,
          found: last?.seq ?? 0,
        });
        before = add(last, {
          event: BROKEN,
          principal: { kind: 'system' },
          origin: 'system',
          target: 'audit',
          outcome: 'failed',
          details: {
            signed_seq: head?.seq ?? null,
            signed_hash: head?.hash ?? null,
            found_seq: last?.seq ?? null,
            found_hash: last?.hash ?? null,
          },
        });
      }
      const { seq, hash } = add(before, entry);
      store.setHead({ seq, hash, mac: headMac(deps.key, seq, hash) });
      database.afterCommit(() => (mayBeEmpty = false));
      return seq;
    });
  }

  return {
    append(entry) {
      try {
        return write(entry);
      } catch (error) {
        throw new AppError({
          family: 'config',
          code: 'audit_failed',
          message: 'The audit log could not be written, so the act was not carried out.',
          fix: 'Free disk space and check that the workspace is writable.',
          cause: error,
        });
      }
    },
    note(entry) {
      try {
        write(entry);
      } catch (error) {
        log.error('audit row lost: the act only reduced power and went ahead', {
          event: entry.event,
          target: entry.target,
          problem: errorText(error),
        });
      }
    },
    digest: (value) =>
      createHmac('sha256', deps.key)
        .update(canonicalJson(redactor.json(value).value))
        .digest('hex'),
    list: (query) => store.list(query),
    verify: (options) => verifyChain(store, deps.key, options),
    head() {
      const { last, head } = store.ends();
      return {
        seq: last?.seq ?? 0,
        hash: last?.hash ?? null,
        at: last?.at ?? null,
        signed: isSigned(last, head, deps.key),
      };
    },
  };
}

/** Whether the newest row is the one whose hash we signed. */
function isSigned(last: AuditRow | undefined, head: AuditHead | undefined, key: Uint8Array): boolean {
  return (
    last !== undefined &&
    head !== undefined &&
    last.seq === head.seq &&
    last.hash === head.hash &&
    sameText(headMac(key, head.seq, head.hash), head.mac)
  );
}
