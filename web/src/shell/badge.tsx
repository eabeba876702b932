import { cx } from '../ui/class-names.ts';

/** How many requests wait for a decision. Nothing when none does. */
export function Badge({ count, className }: { readonly count: number; readonly className?: string }) {
  if (count === 0) return null;
  return (
    <span
      data-testid="approvals-badge"
      className={cx(
        'inline-flex h-5 min-w-5 items-center justify-center rounded-full border border-ask-line bg-ask-soft px-1 text-mini font-semibold text-ask tabular-nums',
        className,
      )}
    >
      <span aria-hidden>{count > 99 ? '99+' : count}</span>
      <span className="sr-only">{count === 1 ? '1 request waits' : `${count} requests wait`}</span>
    </span>
  );
}
