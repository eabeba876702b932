import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useEffect, useState, type FormEvent } from 'react';
import { call, CallError, explain } from '../api/client.ts';
import { version } from '../api/queries.ts';
import { adoptSession } from '../api/session.ts';
import type { SessionAnswer } from '../api/types.ts';
import { Brand } from '../ui/brand.tsx';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';

const route = getRouteApi('/login');

export function LoginPage() {
  const { redirect } = route.useSearch();
  const router = useRouter();
  const { data } = useQuery(version);
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [waitUntil, setWaitUntil] = useState(0);
  const wait = useCountdown(waitUntil);
  const unfinished = redirect === '/setup';

  useEffect(() => {
    document.title = 'Log in · OpenPact';
  }, []);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy || wait > 0) return;
    setBusy(true);
    setProblem(null);
    try {
      const answer = await call<SessionAnswer>('POST', '/api/auth/login', {
        body: { username, password },
        open: true,
      });
      adoptSession(answer);
      router.history.push(redirect ?? '/chat');
    } catch (error) {
      if (error instanceof CallError && error.status === 429) {
        setWaitUntil(Date.now() + (error.retryAfter ?? 60) * 1_000);
      } else {
        const { message, fix } = explain(error);
        setProblem(fix ? `${message} ${fix}` : message);
      }
      setBusy(false);
    }
  }

  return (
    <main className="flex min-h-full flex-col items-center justify-center px-4 py-10">
      <div className="flex w-full max-w-[344px] flex-col gap-6">
        <div className="flex flex-col gap-4">
          <Brand size={32} />
          <div className="flex flex-col gap-1">
            <h1 className="text-title font-semibold">Log in to OpenPact</h1>
            {unfinished && (
              <p className="text-muted">Your account exists already. Log in to go on with the setup.</p>
            )}
          </div>
        </div>
        <form className="flex flex-col gap-2" onSubmit={(event) => void submit(event)}>
          <TextField
            label="Username"
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            // The only thing to do on this page.
            // oxlint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
            value={username}
            onChange={(event) => setUsername(event.target.value)}
            data-testid="login-username"
          />
          <TextField
            label="Password"
            name="password"
            secret
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            data-testid="login-password"
          />
          {wait > 0 ? (
            <Notice tone="ask" title="Too many failed logins" className="mb-2" testId="login-wait">
              <p className="tabular-nums">
                The next try is possible in {wait >= 60 ? `${Math.ceil(wait / 60)} min` : `${wait} s`}.
              </p>
            </Notice>
          ) : problem ? (
            <Notice tone="stop" className="mb-2" testId="login-error">
              {problem}
            </Notice>
          ) : null}
          <Button
            type="submit"
            tone="primary"
            className="h-9 w-full"
            busy={busy}
            disabled={wait > 0 || username === '' || password === ''}
            data-testid="login-submit"
          >
            Log in
          </Button>
        </form>
        <p className="text-mini text-faint">
          OpenPact {data?.version ?? ''}. Forgot the password? On the machine that runs OpenPact:{' '}
          <code className="text-muted">openpact user reset-password</code>
        </p>
      </div>
    </main>
  );
}

/** Whole seconds until a time in milliseconds; 0 when it has passed. */
function useCountdown(until: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 500);
    return () => window.clearInterval(timer);
  }, [until]);
  return Math.max(0, Math.ceil((until - now) / 1_000));
}
