import { Ban, CircleCheck, CircleX, FilePen, Hourglass } from 'lucide-react';
import type { ScriptSummary } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';

const LOOK = {
  pending: { words: 'Waits for you', icon: Hourglass, className: 'text-ask' },
  modified: { words: 'Changed since you approved it', icon: FilePen, className: 'text-ask' },
  approved: { words: 'Approved', icon: CircleCheck, className: 'text-ok' },
  rejected: { words: 'Rejected', icon: CircleX, className: 'text-stop' },
  disabled: { words: 'Disabled', icon: Ban, className: 'text-stop' },
} as const;

export type ShownState = keyof typeof LOOK;

/** `modified` is a pending version beside an approved one. */
export function shownState({ status, modified }: Pick<ScriptSummary, 'status' | 'modified'>): ShownState {
  return status === 'pending' && modified ? 'modified' : status;
}

export function StateMark({ script }: { readonly script: Pick<ScriptSummary, 'status' | 'modified'> }) {
  const state = shownState(script);
  const { words, icon: Icon, className } = LOOK[state];
  return (
    <span
      className={cx('inline-flex shrink-0 items-center gap-1 text-meta font-medium', className)}
      data-testid="script-state"
      data-state={state}
    >
      <Icon aria-hidden size={14} className="shrink-0" />
      {words}
    </span>
  );
}
