import { createHash, createHmac } from 'node:crypto';
import { canonicalJson } from '../../core/index.ts';
import type { AuditRow } from '../../host/storage/index.ts';

/** What the first row follows. */
export const START = '0'.repeat(64);
/** Written where the end of the log is not the one that was signed. */
export const BROKEN = 'audit.broken';

/** SHA-256 over the content of a row and the hash of the one before; hex. */
export function rowHash(row: Omit<AuditRow, 'hash'>): string {
  const { seq, at, event, actor, origin, target, outcome, details, prev_hash } = row;
  return createHash('sha256')
    .update(canonicalJson([seq, at, event, actor, origin, target, outcome, details, prev_hash]))
    .digest('hex');
}

/** HMAC-SHA-256 that says that we wrote this newest row; hex. */
export function headMac(key: Uint8Array, seq: number, hash: string): string {
  return createHmac('sha256', key).update(`head:${seq}:${hash}`).digest('hex');
}
