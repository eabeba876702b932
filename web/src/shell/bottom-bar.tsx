import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { useState } from 'react';
import { systemStatus, waitingFor } from '../api/queries.ts';
import { ScriptsBadge } from '../scripts/scripts-badge.tsx';
import { Sheet } from '../ui/dialog.tsx';
import { Badge } from './badge.tsx';
import { PLACES } from './places.ts';
import { Account, SystemState } from './system-state.tsx';

const ITEM =
  'relative flex flex-1 flex-col items-center justify-center gap-0.5 text-mini text-muted data-[status=active]:font-medium data-[status=active]:text-ink';

/** The phone's navigation: Chat, Approvals, Activity, and the rest under More. */
export function BottomBar() {
  const { data } = useQuery(systemStatus);
  const [open, setOpen] = useState(false);
  const path = useLocation({ select: (location) => location.pathname });
  const under = PLACES.filter((place) => !place.inBar);
  // In a conversation the bottom edge belongs to the composer; the way back is in its header.
  if (/^\/chat\/./.test(path)) return null;
  return (
    <nav
      aria-label="Main"
      className="flex h-[calc(56px+env(safe-area-inset-bottom))] shrink-0 border-t border-line bg-rail pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {PLACES.filter((place) => place.inBar).map(({ to, label, icon: Icon }) => (
        <Link key={to} to={to} className={ITEM}>
          <Icon aria-hidden size={20} />
          {label}
          {to === '/approvals' && <Badge count={waitingFor(data)} className="absolute top-1 left-1/2 ml-2" />}
        </Link>
      ))}
      <button
        type="button"
        className={ITEM}
        data-status={under.some((place) => path.startsWith(place.to)) ? 'active' : undefined}
        data-testid="more"
        onClick={() => setOpen(true)}
      >
        <Ellipsis aria-hidden size={20} />
        More
      </button>
      <Sheet open={open} onOpenChange={setOpen} title="More">
        <div className="flex flex-col">
          {under.map(({ to, label, icon: Icon }) => (
            <Link
              key={to}
              to={to}
              onClick={() => setOpen(false)}
              className="flex h-11 items-center gap-3 rounded-md px-2 hover:bg-hover"
            >
              <Icon aria-hidden size={20} className="text-muted" />
              <span className="flex-1">{label}</span>
              {to === '/scripts' && <ScriptsBadge />}
            </Link>
          ))}
        </div>
        <div className="border-t border-line pt-4">
          <SystemState />
        </div>
        <div className="border-t border-line pt-3">
          <Account />
        </div>
      </Sheet>
    </nav>
  );
}
