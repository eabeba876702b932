// Guarantees: every row carries a hash over its content and its predecessor, and the newest row's hash is signed with a
// key that only the orchestrator holds. `verify` finds a changed, deleted, inserted, appended or reordered row, a cut-off
// end and a log that was emptied. A new row never covers such a thing up: where the end is not the one that was signed, an
// entry `audit.broken` is written first, and the log does not verify any more.
// A state change and its row are one transaction: callers append inside `tx`.
// Does not: find a rollback of the whole database (with its head) to an earlier state, nor what somebody who holds the
// master key rewrote. An attacker may control: texts inside rows, never which row is written.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
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
  verify(): Promise<AuditVerdict>;
}

/** `signed`: whether the signature of the newest entry could be checked too. */
export type AuditVerdict =
  | { readonly ok: true; readonly rows: number; readonly head: string; readonly signed: boolean }
  | { readonly ok: false; readonly rows: number; readonly problem: string; readonly seq: number };

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

/** Written where the end of the log is not the one that was signed. */
const BROKEN = 'audit.broken';
/** What the first row follows. */
export const START = '0'.repeat(64);
const CHUNK = 2_000;

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
    verify: () => verifyChain(store, deps.key),
  };
}

/** Also used read-only beside a running instance; without the key the signature of the head is not checked. */
export async function verifyChain(store: AuditStore, key: Uint8Array | null): Promise<AuditVerdict> {
  // Read at one moment: rows that are written meanwhile come after it and don't disturb.
  const { last, head } = store.ends();
  let previous = START;
  let rows = 0;
  const bad = (seq: number, problem: string): AuditVerdict => ({ ok: false, rows, seq, problem });
  if (!last && !head) return bad(0, 'it is empty, though every start writes an entry');
  if (!head) return bad(last?.seq ?? 0, 'the signed head is missing');
  if (key && !sameText(headMac(key, head.seq, head.hash), head.mac)) {
    return bad(
      head.seq,
      'the signature of the newest entry is wrong: the head was forged or the master key is another one',
    );
  }
  if (last && last.seq > head.seq)
    return bad(head.seq + 1, `entry ${head.seq + 1} was added without a signature`);
  for (;;) {
    const chunk = store.list({ after: rows, limit: CHUNK });
    for (const row of chunk) {
      if (row.seq !== rows + 1) return bad(rows + 1, `entry ${rows + 1} is missing`);
      if (row.prev_hash !== previous) return bad(row.seq, `entry ${row.seq} does not follow entry ${rows}`);
      const { hash, ...content } = row;
      if (rowHash(content) !== hash) return bad(row.seq, `entry ${row.seq} was changed`);
      if (head.seq === row.seq && head.hash !== hash)
        return bad(row.seq, `entry ${row.seq} is not the one that was signed`);
      if (row.event === BROKEN) {
        return bad(row.seq, `entry ${row.seq} tells that the log before it was not the one that was signed`);
      }
      previous = hash;
      rows = row.seq;
    }
    if (chunk.length < CHUNK) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (head.seq > rows)
    return bad(rows + 1, `the end is cut off: ${head.seq} entries were signed, ${rows} are there`);
  return { ok: true, rows, head: previous, signed: key !== null };
}

/** SHA-256 over the content of a row and the hash of the one before; hex. */
export function rowHash(row: Omit<AuditRow, 'hash'>): string {
  const { seq, at, event, actor, origin, target, outcome, details, prev_hash } = row;
  return createHash('sha256')
    .update(canonicalJson([seq, at, event, actor, origin, target, outcome, details, prev_hash]))
    .digest('hex');
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

/** HMAC-SHA-256 that says that we wrote this newest row; hex. */
export function headMac(key: Uint8Array, seq: number, hash: string): string {
  return createHmac('sha256', key).update(`head:${seq}:${hash}`).digest('hex');
}

function sameText(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
