import { useQuery } from '@tanstack/react-query';
import { systemStatus } from '../api/queries.ts';

/** How many versions of scripts wait for a decision. Nothing when none does. */
export function ScriptsBadge() {
  const count = useQuery(systemStatus).data?.pending_scripts ?? 0;
  if (count === 0) return null;
  return (
    <span
      data-testid="scripts-badge"
      className="inline-flex h-5 min-w-5 items-center justify-center rounded-full border border-ask-line bg-ask-soft px-1 text-mini font-semibold text-ask tabular-nums"
    >
      <span aria-hidden>{count > 99 ? '99+' : count}</span>
      <span className="sr-only">{count === 1 ? '1 script waits' : `${count} scripts wait`}</span>
    </span>
  );
}
