import { Link, useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { CallError, explain } from '../api/client.ts';
import { Unreachable } from '../api/session.ts';
import { Brand } from '../ui/brand.tsx';
import { Button, buttonClass } from '../ui/button.tsx';

/** The whole page while the first answer is on its way; blank but for the sign, so that nothing flashes. */
export function RoutePending() {
  return (
    <div role="status" aria-label="Loading" className="flex h-full items-center justify-center text-faint">
      <div className="dot-live">
        <Brand size={28} />
      </div>
    </div>
  );
}

/** A page that could not be shown. A server that does not answer is asked again by itself. */
export function RouteProblem({ error }: ErrorComponentProps) {
  const router = useRouter();
  const [busy, setBusy] = useState(false);
  const silent = error instanceof Unreachable || (error instanceof CallError && error.status === 0);
  const { message, fix } = explain(error);

  useEffect(() => {
    if (!silent) return;
    const timer = window.setInterval(() => void router.invalidate(), 3_000);
    return () => window.clearInterval(timer);
  }, [silent, router]);

  return (
    <main className="flex h-full flex-col items-center justify-center gap-4 px-6 text-center">
      <Brand size={28} />
      <div className="flex flex-col gap-1">
        <h1 className="text-[16px] leading-6 font-semibold">{message}</h1>
        <p className="max-w-[420px] text-muted">
          {fix ?? ''} {silent && 'This page tries again by itself every few seconds.'}
        </p>
      </div>
      <Button
        busy={busy}
        onClick={() => {
          setBusy(true);
          void router.invalidate().finally(() => setBusy(false));
        }}
      >
        Try again now
      </Button>
    </main>
  );
}

export function Missing() {
  return (
    <main className="flex h-full flex-col items-center justify-center gap-4 px-6 text-center">
      <div className="flex flex-col gap-1">
        <h1 className="text-[16px] leading-6 font-semibold">There is no page at this address</h1>
        <p className="text-muted">It may have been moved, or the link is incomplete.</p>
      </div>
      <Link to="/chat" className={buttonClass('plain')}>
        Go to the chat
      </Link>
    </main>
  );
}
