import type { Approval } from '../api/types.ts';
import { who } from '../ui/who.ts';

/** How a request ended, as a sentence. */
export function statusText(approval: Pick<Approval, 'status' | 'decided_by'>): string {
  const by = approval.decided_by ? ` by ${who(approval.decided_by)}` : '';
  switch (approval.status) {
    case 'pending':
      return 'It waits for a decision.';
    case 'approved':
      return `Approved${by}.`;
    case 'denied':
      return `Denied${by}.`;
    case 'expired':
      return 'It expired before somebody decided. Nothing was run.';
    case 'cancelled':
      return 'Withdrawn, because its turn ended. Nothing was run.';
  }
}
