import { Ban, Check, Clock, Replace, Undo2, type LucideIcon } from 'lucide-react';
import type { InboxItem, InboxStatus } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { Time } from '../ui/time.tsx';
import { statusText } from './status-text.ts';

/** For calls; a script that is denied is said to be rejected. */
export const STATE_LOOK: Readonly<
  Record<InboxStatus, { readonly icon: LucideIcon; readonly word: string; readonly tint: string }>
> = {
  pending: { icon: Clock, word: 'Waiting', tint: 'text-ask' },
  approved: { icon: Check, word: 'Approved', tint: 'text-ok' },
  denied: { icon: Ban, word: 'Denied', tint: 'text-stop' },
  expired: { icon: Clock, word: 'Expired', tint: 'text-faint' },
  cancelled: { icon: Undo2, word: 'Withdrawn', tint: 'text-faint' },
  superseded: { icon: Replace, word: 'Replaced', tint: 'text-faint' },
};

export function stateWord({ kind, status }: Pick<InboxItem, 'kind' | 'status'>): string {
  return kind === 'script' && status === 'denied' ? 'Rejected' : STATE_LOOK[status].word;
}

/** In the place of the buttons of a card that waits no more: what became of it, and nothing to press. */
export function SettledLine({ item }: { readonly item: InboxItem }) {
  const { icon: Icon, tint } = STATE_LOOK[item.status];
  return (
    <p
      role="status"
      className="flex min-h-8 flex-wrap items-center gap-x-2 text-meta max-md:min-h-10"
      data-testid="approval-settled"
      data-status={item.status}
    >
      <Icon aria-hidden size={16} className={cx('shrink-0', tint)} />
      <span className="font-medium">{statusText(item)}</span>
      {item.decided_at && <Time iso={item.decided_at} className="text-muted" />}
    </p>
  );
}
