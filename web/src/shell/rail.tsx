import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { systemStatus, waitingFor } from '../api/queries.ts';
import { Brand } from '../ui/brand.tsx';
import { ScriptsBadge } from '../scripts/scripts-badge.tsx';
import { Badge } from './badge.tsx';
import { PLACES } from './places.ts';
import { Account, SystemState } from './system-state.tsx';

/** The left rail; phones have the bottom bar instead. */
export function Rail() {
  const { data } = useQuery(systemStatus);
  return (
    <header className="flex w-[216px] shrink-0 flex-col border-r border-line bg-rail max-md:hidden">
      <div className="flex h-14 items-center gap-2 px-4">
        <Brand size={22} />
        <span className="min-w-0 truncate font-semibold">OpenPact</span>
      </div>
      <nav aria-label="Main" className="flex flex-1 flex-col gap-0.5 overflow-y-auto px-2 py-1">
        {PLACES.map(({ to, label, icon: Icon }) => (
          <Link
            key={to}
            to={to}
            data-testid={`rail-${label.toLowerCase().replaceAll(' ', '-')}`}
            className="flex h-8 items-center gap-2 rounded-md px-2 text-muted hover:bg-hover hover:text-ink data-[status=active]:bg-selected data-[status=active]:font-medium data-[status=active]:text-ink"
          >
            <Icon aria-hidden size={16} className="shrink-0" />
            <span className="flex-1">{label}</span>
            {to === '/approvals' && <Badge count={waitingFor(data)} />}
            {to === '/scripts' && <ScriptsBadge />}
          </Link>
        ))}
      </nav>
      <div className="flex flex-col gap-3 border-t border-line px-2 py-3">
        <SystemState />
      </div>
      <div className="border-t border-line px-2 py-2">
        <Account />
      </div>
    </header>
  );
}
