// Guarantees: rows leave as they are stored (redacted when they were written), a bounded number at a time, so that the
// size of an export is nothing that memory feels; in CSV no cell is a formula, and no character moves a terminal's cursor
// or turns the direction of text. JSON Lines keep every character (escaped), so that the hashes can be computed again.
// Does not: hide what was not known to be secret when the row was written.
// An attacker may control: texts inside rows.
import type { Json } from '../../core/index.ts';
import type { AuditRow, AuditStore } from '../../host/storage/index.ts';
import type { AuditFilter } from '../../host/storage/audit-filter.ts';

export type AuditExportFormat = 'jsonl' | 'csv';

const ROWS = 250;
const COLUMNS = [
  'seq',
  'at',
  'event',
  'actor',
  'origin',
  'target',
  'outcome',
  'details',
  'prev_hash',
  'hash',
] as const;

/**
 * The log, oldest first, up to the entry `through`, in pieces of some ten kilobytes. Others run between two pieces.
 * Ends early, without an error, when whoever reads stops reading; throws when `signal` ends it.
 */
export async function* exportAudit(
  store: Pick<AuditStore, 'page'>,
  filter: AuditFilter,
  options: { readonly format: AuditExportFormat; readonly through: number; readonly signal: AbortSignal },
): AsyncGenerator<string> {
  const { format, through, signal } = options;
  const line = format === 'csv' ? csvLine : jsonLine;
  if (format === 'csv') yield `${COLUMNS.join(',')}\r\n`;
  let start = 0;
  for (;;) {
    signal.throwIfAborted();
    // One bounded step at a time: a filter that finds nothing holds nobody up.
    const { rows, edge, end } = store.page(
      { ...filter, direction: 'newer', start, through, limit: ROWS },
      () => true,
    );
    if (rows.length > 0) yield rows.map(line).join('');
    if (end) return;
    start = edge;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A row's details; those that are no JSON any more (somebody changed them) as the text that is there. */
export function detailsOf(row: Pick<AuditRow, 'details'>): Json {
  try {
    return JSON.parse(row.details) as Json;
  } catch {
    return row.details;
  }
}

function jsonLine(row: AuditRow): string {
  return `${JSON.stringify({ ...row, at: timeOf(row), details: detailsOf(row) })}\n`;
}

function csvLine(row: AuditRow): string {
  return `${COLUMNS.map((name) => csvCell(name === 'at' ? timeOf(row) : String(row[name]))).join(',')}\r\n`;
}

function timeOf({ at }: AuditRow): string {
  return new Date(at).toISOString();
}

/** What a spreadsheet would take for a formula begins with an apostrophe instead. */
function csvCell(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (char) =>
    [...char].map((each) => `\\u{${(each.codePointAt(0) ?? 0).toString(16)}}`).join(''),
  );
  const harmless = /^\s*[=+\-@\uff0b\uff0d\uff1d\uff20]/u.test(plain) ? `'${plain}` : plain;
  return /[",'\s]/u.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
