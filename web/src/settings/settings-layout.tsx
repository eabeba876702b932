import { Link, Outlet } from '@tanstack/react-router';

/** The pages under Settings, in order. */
const PAGES = [
  { to: '/settings/model', label: 'Model' },
  { to: '/settings/policy', label: 'Policy' },
  { to: '/settings/identity', label: 'Identity' },
] as const;

/** A row of links above each page of the settings. */
export function SettingsLayout() {
  return (
    <div className="flex h-full flex-col">
      <nav
        aria-label="Settings"
        className="flex shrink-0 gap-1 overflow-x-auto border-b border-line px-6 py-2 max-md:px-2"
      >
        {PAGES.map(({ to, label }) => (
          <Link
            key={to}
            to={to}
            data-testid={`settings-${label.toLowerCase()}`}
            className="flex h-8 shrink-0 items-center rounded-md px-2 text-muted hover:bg-hover hover:text-ink data-[status=active]:bg-selected data-[status=active]:font-medium data-[status=active]:text-ink max-md:h-10 max-md:px-3"
          >
            {label}
          </Link>
        ))}
      </nav>
      <div className="min-h-0 flex-1">
        <Outlet />
      </div>
    </div>
  );
}
