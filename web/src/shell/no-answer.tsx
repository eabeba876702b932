import { useQuery } from '@tanstack/react-query';
import { useLocation } from '@tanstack/react-router';
import { CloudOff } from 'lucide-react';
import { explain } from '../api/client.ts';
import { systemStatus } from '../api/queries.ts';
import { clockTime } from '../ui/time.tsx';

/** On every page while OpenPact can't be asked: what is shown is no more than how things were. */
export function NoAnswer() {
  const { data, error, dataUpdatedAt } = useQuery(systemStatus);
  const path = useLocation({ select: (location) => location.pathname });
  // A conversation has a line of its own about its connection.
  if (!error || !data || /^\/chat\/./.test(path)) return null;
  return (
    <div
      role="status"
      data-testid="no-answer"
      className="flex min-h-9 shrink-0 items-center gap-2 border-b border-stop-line bg-stop-soft px-4 py-1 text-meta"
    >
      <CloudOff aria-hidden size={16} className="shrink-0 text-stop" />
      <p className="min-w-0 flex-1">
        <span className="font-medium">{explain(error).message}</span> What is shown is as it was at{' '}
        {clockTime(dataUpdatedAt)}; this page asks again by itself.
      </p>
    </div>
  );
}
