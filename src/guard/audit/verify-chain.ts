// Guarantees: goes through the whole log up to the entry that was newest at the beginning, in slices of a few
// milliseconds between which others run; holds one slice in memory, however long the log is.
// Does not: find what the head of `audit.ts` says that it does not.
// An attacker may control: every row, if they can write the database.
import { timingSafeEqual } from 'node:crypto';
import type { AuditStore } from '../../host/storage/index.ts';
import { BROKEN, headMac, rowHash, START } from './row-hash.ts';

/** `signed`: whether the signature of the newest entry could be checked too. */
export type AuditVerdict =
  | { readonly ok: true; readonly rows: number; readonly head: string; readonly signed: boolean }
  | { readonly ok: false; readonly rows: number; readonly problem: string; readonly seq: number };

export interface VerifyOptions {
  /** Ends it: the promise is rejected with the reason. */
  readonly signal?: AbortSignal;
  /** After each slice: entries that hold, and how many there are to look at. */
  readonly onProgress?: (rows: number, of: number) => void;
  /** Milliseconds of rest after a slice, asked each time; default 0: as soon as the others had their turn. */
  readonly restMs?: () => number;
}

/** Rows that are read at once. */
const ROWS = 250;
/** Milliseconds after which the others have their turn. */
const SLICE_MS = 8;

/** Also used read-only beside a running instance; without the key the signature of the head is not checked. */
export async function verifyChain(
  store: Pick<AuditStore, 'ends' | 'list'>,
  key: Uint8Array | null,
  { signal, onProgress, restMs = () => 0 }: VerifyOptions = {},
): Promise<AuditVerdict> {
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
  const end = last?.seq ?? 0;
  let slice = performance.now();
  while (rows < end) {
    const chunk = store.list({ after: rows, limit: Math.min(ROWS, end - rows) });
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
    // Cut off while we looked.
    if (chunk.length === 0) return bad(rows + 1, `entry ${rows + 1} is missing`);
    if (performance.now() - slice < SLICE_MS) continue;
    onProgress?.(rows, end);
    await new Promise<void>((resolve) => {
      const rest = restMs();
      if (rest > 0) setTimeout(resolve, rest);
      else setImmediate(resolve);
    });
    signal?.throwIfAborted();
    slice = performance.now();
  }
  if (head.seq > rows)
    return bad(rows + 1, `the end is cut off: ${head.seq} entries were signed, ${rows} are there`);
  return { ok: true, rows, head: previous, signed: key !== null };
}

export function sameText(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
