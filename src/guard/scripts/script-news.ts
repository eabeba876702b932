/** What the assistant is told at the beginning of its next turns of what the owner decided on its scripts. */
import { isoTime } from '../../core/index.ts';
import type { ScriptStore } from '../../host/storage/script-store.ts';

const SINCE_MS = 24 * 3_600_000;
const MOST = 20;

/** Undefined when nothing was decided within a day. */
export function scriptNews(store: Pick<ScriptStore, 'decidedSince'>, now: number): string | undefined {
  const rows = store.decidedSince(now - SINCE_MS, MOST);
  if (rows.length === 0) return undefined;
  return rows
    .map(({ name, hash, decision, decided_at: at, reason }) => {
      const why = reason === null ? '' : `: ${reason}`;
      return `- ${isoTime(at ?? now)} ${name} (${hash}) was ${decision}${why}`;
    })
    .join('\n');
}
