import type { InboxItem } from '../api/types.ts';
import { who } from '../ui/who.ts';

/** How a request ended, as a sentence. */
export function statusText(item: Pick<InboxItem, 'kind' | 'status' | 'decided_by'>): string {
  const by = item.decided_by ? ` by ${who(item.decided_by)}` : '';
  const script = item.kind === 'script';
  switch (item.status) {
    case 'pending':
      return 'It waits for a decision.';
    case 'approved':
      return `Approved${by}.`;
    case 'denied':
      return script ? `Rejected${by}.` : `Denied${by}.`;
    case 'expired':
      return 'It expired before somebody decided. Nothing was run.';
    case 'cancelled':
      return script
        ? `Withdrawn, because the script was deleted${by}. It was not decided on.`
        : 'Withdrawn, because its turn ended. Nothing was run.';
    case 'superseded':
      return `Replaced by a newer version${by} before somebody decided. It was not decided on.`;
  }
}
