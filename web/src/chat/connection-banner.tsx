import { LoaderCircle, WifiOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import { buttonClass } from '../ui/button.tsx';
import type { ConnectionState } from './connection.ts';

/** Short losses mend unseen; only what lasts longer than this many milliseconds is worth a line. */
const QUIET = 1_200;

export function ConnectionBanner({
  connection,
  onRetry,
}: {
  readonly connection: ConnectionState;
  readonly onRetry: () => void;
}) {
  const [now, setNow] = useState(() => Date.now());
  const lost = connection.name === 'lost';
  useEffect(() => {
    if (!lost) return;
    const timer = window.setInterval(() => setNow(Date.now()), 400);
    return () => window.clearInterval(timer);
  }, [lost]);
  if (connection.name !== 'lost' || now - connection.since < QUIET) return null;
  const wait = connection.retryAt === null ? 0 : Math.ceil((connection.retryAt - now) / 1_000);
  return (
    <div
      role="status"
      data-testid="connection-banner"
      className="flex h-9 shrink-0 items-center gap-2 border-b border-line bg-sunken pr-3 pl-6 text-meta text-muted max-md:pl-4"
    >
      {wait > 0 ? <WifiOff aria-hidden size={14} /> : <LoaderCircle aria-hidden size={14} className="spin" />}
      <span className="flex-1 truncate">
        Connection lost. What runs goes on; this page catches up when it is back.
      </span>
      <button type="button" className={buttonClass('quiet', true)} onClick={onRetry} disabled={wait <= 0}>
        {wait > 0 ? `Try now (${wait} s)` : 'Trying'}
      </button>
    </div>
  );
}
