import { CircleCheck, CircleX, LoaderCircle, OctagonX } from 'lucide-react';
import type { ScriptRunView } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';

const LOOK = {
  running: { words: 'running', icon: LoaderCircle, className: 'text-muted' },
  ok: { words: 'done', icon: CircleCheck, className: 'text-ok' },
  error: { words: 'failed', icon: CircleX, className: 'text-stop' },
  killed: { words: 'stopped', icon: OctagonX, className: 'text-stop' },
  unknown: { words: 'end unknown', icon: OctagonX, className: 'text-ask' },
} as const;

export function RunOutcome({ outcome }: { readonly outcome: ScriptRunView['outcome'] }) {
  const { words, icon: Icon, className } = LOOK[outcome];
  return (
    <span className={cx('inline-flex items-center gap-1 whitespace-nowrap', className)}>
      <Icon aria-hidden size={14} className="shrink-0" />
      {words}
    </span>
  );
}
