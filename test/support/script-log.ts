/** What the audit log says of scripts, read again from the beginning: one order of decisions, and what ran under which. */
import type { AuditEntryView, AuditList } from '../../src/edge/admin/api.ts';
import type { RunningProgram } from './running-program.ts';

export interface ScriptLog {
  readonly entries: readonly AuditEntryView[];
  /** The approved hash of each script at the end; null: none. */
  readonly approved: ReadonlyMap<string, string | null>;
  readonly disabled: ReadonlySet<string>;
  /** Runs that began with another text than the one that was approved at that moment, or without any approval. */
  readonly strays: readonly AuditEntryView[];
}

export const detail = (entry: AuditEntryView, name: string): unknown =>
  (entry.details as Readonly<Record<string, unknown>>)[name];

export async function entriesOf(program: RunningProgram, event: string): Promise<AuditEntryView[]> {
  const entries: AuditEntryView[] = [];
  for (let after = 0; ;) {
    const { status, body } = await program.api<AuditList>(
      'GET',
      `/api/audit?event=${event}&limit=1000&after=${after}`,
    );
    if (status !== 200) throw new Error(`the audit log was refused: ${JSON.stringify(body)}`);
    entries.push(...body.entries);
    if (body.end || body.edge === after) return entries;
    after = body.edge;
  }
}

export async function scriptLog(program: RunningProgram): Promise<ScriptLog> {
  const entries = await entriesOf(program, 'script.');
  const approved = new Map<string, string | null>();
  const disabled = new Set<string>();
  const strays: AuditEntryView[] = [];
  for (const entry of entries) {
    const { event, target } = entry;
    const hash = String(detail(entry, 'hash'));
    if (event === 'script.approved') approved.set(target, hash);
    if (event === 'script.disabled') disabled.add(target);
    if (event === 'script.enabled') disabled.delete(target);
    const gone =
      (event === 'script.rejected' && detail(entry, 'revoked') === true) ||
      (event === 'script.version' && detail(entry, 'how') === 'restored' && approved.get(target) === hash) ||
      event === 'script.deleted' ||
      event === 'script.approval_expired';
    if (gone) approved.set(target, null);
    // Neither code without a script nor a test with made-up answers stands on an approval.
    if (event !== 'script.run' || ['exec', 'canned'].includes(String(detail(entry, 'kind')))) continue;
    if (approved.get(target) !== hash || disabled.has(target)) strays.push(entry);
  }
  return { entries, approved, disabled, strays };
}
