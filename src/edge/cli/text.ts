import type { AuditVerdict } from '../../guard/audit/index.ts';
import type { AuditLine, SettingView } from './ports.ts';
import { printable } from './printable.ts';

/** Columns as wide as their widest cell, the last one as it is. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export function settingLines(settings: readonly SettingView[]): readonly string[] {
  return columns(
    settings.map(({ key, value, source, from }) => [
      printable(key),
      printable(value),
      from === null ? source : `${source} (${printable(from)})`,
    ]),
  );
}

export function auditLines(entries: readonly AuditLine[]): readonly string[] {
  if (entries.length === 0) return ['No entries.'];
  return columns(
    entries.map(({ seq, at, event, actor, origin, target, outcome }) =>
      [String(seq), at, event, outcome, origin, actor, target].map((cell) => printable(cell)),
    ),
  );
}

export function verdictLine(verdict: AuditVerdict): string {
  if (!verdict.ok) return `The audit log is not whole: ${printable(verdict.problem)}.`;
  const entries = verdict.rows === 1 ? 'one entry' : `${verdict.rows} entries`;
  const signature = verdict.signed
    ? ''
    : ' The signature of the newest could not be checked: the master key is not here.';
  return `The audit log is whole: ${entries}, the newest with the hash ${verdict.head}.${signature}`;
}
