import { Outlet } from '@tanstack/react-router';
import { BottomBar } from './bottom-bar.tsx';
import { IsolationBanner } from './isolation-banner.tsx';
import { NoAnswer } from './no-answer.tsx';
import { Rail } from './rail.tsx';

/** The frame around every page once somebody is logged in. */
export function Shell() {
  return (
    <div className="flex h-dvh flex-col">
      <a
        href="#main"
        className="fixed top-2 left-2 z-60 -translate-y-16 rounded-md bg-accent px-3 py-2 font-medium text-accent-ink focus:translate-y-0"
      >
        Skip to the content
      </a>
      <NoAnswer />
      <IsolationBanner />
      <div className="flex min-h-0 flex-1">
        <Rail />
        <main id="main" tabIndex={-1} className="min-w-0 flex-1 outline-none">
          <Outlet />
        </main>
      </div>
      <BottomBar />
    </div>
  );
}
