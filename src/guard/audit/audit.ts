// Guarantees: every row carries a hash over its content and its predecessor, and the newest row's hash is signed with a
// key that only the orchestrator holds. `verify` finds a changed, deleted, inserted, appended or reordered row, a cut-off
// end and a log that was emptied. A new row never covers such a thing up: where the end is not the one that was signed, an
// entry `audit.broken` is written first, and the log does not verify any more.
// A state change and its row are one transaction: callers append inside `tx`.
// Does not: find a rollback of the whole database (with its head) to an earlier state, nor what somebody who holds the
// master key rewrote; entries of a time in which the vault was sealed are signed only when it is opened (`unseal`): until
// then they can be removed or rewritten by who writes the database while we don't run. An attacker may control: texts inside rows, never which row is written.
import { createHmac, randomBytes } from 'node:crypto';
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
  /** The vault is open: what was written while it was sealed is checked and signed with the next entry. */
  unseal(key: Uint8Array): void;
  /** The vault was locked: from now on entries are signed with a key of this start, until `unseal`. */
  seal(): void;
  /** In the transaction of a rekey: the newest entry is signed with another key. The log goes on with the old one: end it. */
  resign(next: Uint8Array): void;
}

/** The newest entry; `signed`: the signature belongs to it. */
export interface AuditEnd {
  readonly seq: number;
  readonly hash: string | null;
  /** Milliseconds; null for a log without entries. */
  readonly at: number | null;
  readonly signed: boolean;
}

/** The newest head that was signed before a sealed time. */
export interface AnchorPort {
  get(): AuditHead | undefined;
  set(head: AuditHead | undefined): void;
}

export interface AuditDeps {
  readonly store: AuditStore;
  readonly database: Transactions;
  readonly clock: Clock;
  readonly log: Log;
  readonly redactor: Redactor;
  /** 32 bytes, derived from the master key; null while the vault is sealed. */
  readonly key: Uint8Array | null;
  /** Keeps the newest signed head while entries are written that can't be signed. Needed where `key` may be null. */
  readonly anchor?: AnchorPort;
  /** The database was made just now, so that the log is rightly empty. Default false. */
  readonly fresh?: boolean;
}

export function createAudit(deps: AuditDeps): Audit {
  const { store, database, clock, log, redactor, anchor } = deps;
  let key = deps.key;
  /** Signs while there is no other, so that a change beside us is found as long as this process lives. */
  const bootKey = new Uint8Array(randomBytes(32));
  let signedSinceBoot = false;

  /** With the key: the end must be the one that was signed. Without it: the one that was signed by this process. */
  function isOurs(last: AuditRow | undefined, head: AuditHead | undefined): boolean {
    if (key !== null) return isSigned(last, head, key);
    if (!last || !head || last.seq !== head.seq || last.hash !== head.hash) return false;
    return !signedSinceBoot || sameText(sealedMac(bootKey, head.seq, head.hash), head.mac);
  }

  /** Takes over what was written while the vault was sealed, where it follows what was signed before. */
  function settle(
    last: AuditRow | undefined,
    head: AuditHead | undefined,
  ): { readonly last: AuditRow | undefined; readonly head: AuditHead | undefined } {
    if (key === null || !head?.mac.startsWith(SEALED)) return { last, head };
    const before = anchor?.get();
    const holds =
      before !== undefined &&
      sameText(headMac(key, before.seq, before.hash), before.mac) &&
      (!signedSinceBoot || sameText(sealedMac(bootKey, head.seq, head.hash), head.mac)) &&
      follows(store, before, head);
    anchor?.set(undefined);
    if (!holds) return { last, head };
    return { last, head: { ...head, mac: headMac(key, head.seq, head.hash) } };
  }

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
      const ends = store.ends();
      const { last, head } = settle(ends.last, ends.head);
      let before = last;
      if (!(mayBeEmpty && !last && !head) && !isOurs(last, head)) {
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
      if (key === null && head && !head.mac.startsWith(SEALED)) anchor?.set(head);
      const mac = key === null ? sealedMac(bootKey, seq, hash) : headMac(key, seq, hash);
      store.setHead({ seq, hash, mac });
      database.afterCommit(() => {
        mayBeEmpty = false;
        signedSinceBoot = true;
      });
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
      createHmac('sha256', key ?? bootKey)
        .update(canonicalJson(redactor.json(value).value))
        .digest('hex'),
    list: (query) => store.list(query),
    verify: (options) => verifyChain(store, key, options),
    head() {
      const { last, head } = store.ends();
      return {
        seq: last?.seq ?? 0,
        hash: last?.hash ?? null,
        at: last?.at ?? null,
        signed: isOurs(last, head),
      };
    },
    unseal(opened) {
      key = opened;
    },
    seal() {
      key = null;
      // The newest entry is signed with the key that is gone now.
      signedSinceBoot = false;
    },
    resign(next) {
      const { last, head } = store.ends();
      if (!isOurs(last, head) || !head)
        throw new TypeError('only a log that was just written can be signed anew');
      store.setHead({ ...head, mac: headMac(next, head.seq, head.hash) });
    },
  };
}

/** Begins the signature of a head that was written while the vault was sealed. */
const SEALED = 'sealed:';

function sealedMac(key: Uint8Array, seq: number, hash: string): string {
  return `${SEALED}${headMac(key, seq, hash)}`;
}

/** Whether the rows from the one to the other are whole. */
function follows(store: Pick<AuditStore, 'list'>, from: AuditHead, to: AuditHead): boolean {
  let previous: string | undefined;
  let seq = from.seq - 1;
  while (seq < to.seq) {
    const chunk = store.list({ after: seq, limit: 250 });
    if (chunk.length === 0) return false;
    for (const row of chunk) {
      const { hash, ...content } = row;
      if (row.seq !== seq + 1 || rowHash(content) !== hash) return false;
      if (row.seq === from.seq ? hash !== from.hash : row.prev_hash !== previous) return false;
      previous = hash;
      seq = row.seq;
      if (seq === to.seq) return hash === to.hash;
    }
  }
  return false;
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
