import { getRouteApi, useRouter } from '@tanstack/react-router';
import { LockKeyhole } from 'lucide-react';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { call, explain } from '../api/client.ts';
import { place, queryClient, vault } from '../api/queries.ts';
import { forget } from '../api/session.ts';
import type { VaultStatus } from '../api/types.ts';
import { Brand } from '../ui/brand.tsx';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';

const route = getRouteApi('/unlock');

/** The vault is under a passphrase and nobody has entered it since the start. */
export function UnlockPage() {
  const { redirect } = route.useSearch();
  const router = useRouter();
  const [passphrase, setPassphrase] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (problem !== null && !busy) field.current?.focus();
  }, [problem, busy]);

  useEffect(() => {
    document.title = 'Unlock the vault · OpenPact';
    // Somebody else may have done it, here or at the command line.
    const timer = window.setInterval(() => {
      void queryClient
        .fetchQuery({ ...vault, staleTime: 0 })
        .then(({ sealed }) => !sealed && router.history.push(redirect ?? '/chat'))
        .catch(() => undefined);
    }, 4_000);
    return () => window.clearInterval(timer);
  }, [redirect, router]);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy || passphrase === '') return;
    setBusy(true);
    setProblem(null);
    try {
      const status = await call<VaultStatus>('POST', '/api/vault/unlock', { body: { passphrase } });
      place(vault.queryKey, status);
      router.history.push(redirect ?? '/chat');
    } catch (error) {
      const { message, fix } = explain(error);
      setProblem(fix ? `${message} ${fix}` : message);
      setBusy(false);
    } finally {
      setPassphrase('');
    }
  }

  async function logOut() {
    try {
      await call('POST', '/api/auth/logout', { body: {} });
      forget(true);
      router.history.push('/login');
    } catch (error) {
      setProblem(explain(error).message);
    }
  }

  return (
    <main
      className="flex min-h-full flex-col items-center justify-center px-4 py-10"
      data-testid="unlock-page"
    >
      <div className="flex w-full max-w-[344px] flex-col gap-6">
        <div className="flex flex-col gap-4">
          <Brand size={32} />
          <div className="flex flex-col gap-2">
            <h1 className="flex items-center gap-2 text-title font-semibold">
              <LockKeyhole aria-hidden size={20} className="text-ask" />
              The vault is sealed
            </h1>
            <p className="text-muted">
              Since it was started or locked, OpenPact waits for the passphrase of its vault. Until then the
              assistant does nothing, no secret can be read, and no page but this one is served.
            </p>
          </div>
        </div>
        <form className="flex flex-col gap-2" onSubmit={(event) => void submit(event)}>
          <TextField
            label="Passphrase"
            ref={field}
            secret
            autoComplete="off"
            required
            // The only thing to do on this page.
            // oxlint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
            value={passphrase}
            onChange={(event) => setPassphrase(event.target.value)}
            hint="Not your password: it was set with openpact secrets rekey."
            data-testid="unlock-passphrase"
          />
          {problem && (
            <Notice tone="stop" className="mb-2" testId="unlock-error">
              {problem}
            </Notice>
          )}
          <Button
            type="submit"
            tone="primary"
            className="h-9 w-full"
            busy={busy}
            disabled={passphrase === ''}
            data-testid="unlock-submit"
          >
            Unlock the vault
          </Button>
        </form>
        <div className="flex flex-col gap-2 text-mini text-faint">
          <p>
            Or on the machine that runs OpenPact: <code className="text-muted">openpact vault unlock</code>.
            Without the passphrase the stored secrets can&apos;t be opened by anybody.
          </p>
          <div>
            <Button small tone="quiet" onClick={() => void logOut()}>
              Log out
            </Button>
          </div>
        </div>
      </div>
    </main>
  );
}
