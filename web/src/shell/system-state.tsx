import { useQuery } from '@tanstack/react-query';
import { LogOut, Monitor, Moon, ShieldAlert, ShieldCheck, ShieldX, Square, Sun } from 'lucide-react';
import { useState, useSyncExternalStore } from 'react';
import { call } from '../api/client.ts';
import { systemStatus, version } from '../api/queries.ts';
import { forget, onSessionChange, sessionState } from '../api/session.ts';
import { queryClient } from '../api/queries.ts';
import type { StopAllAnswer, SystemStatus } from '../api/types.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { Confirm } from '../ui/dialog.tsx';
import { setTheme, useTheme, type ThemeChoice } from '../ui/theme.ts';

type Isolation = SystemStatus['isolation'];

/** The level as a word: what a person reads first. */
export function isolationTone(level: Isolation['level']): 'ok' | 'ask' | 'stop' {
  return level === 3 ? 'ok' : level === 0 ? 'stop' : 'ask';
}

const SHIELDS = { ok: ShieldCheck, ask: ShieldAlert, stop: ShieldX } as const;
const TEXT = { ok: 'text-ok', ask: 'text-ask', stop: 'text-stop' } as const;

const ENGINE_WORDS: Readonly<Record<SystemStatus['engine']['state'], string>> = {
  starting: 'Engine is starting',
  ready: 'Engine is ready',
  failing: 'Engine is failing',
  stopped: 'Engine is stopped',
};
const ENGINE_DOT: Readonly<Record<SystemStatus['engine']['state'], string>> = {
  starting: 'bg-ask',
  ready: 'bg-ok',
  failing: 'bg-stop',
  stopped: 'bg-faint',
};

/** Isolation, engine and the red Stop: what is in force right now. */
export function SystemState() {
  const { data, isError } = useQuery(systemStatus);
  if (!data && !isError) {
    return (
      <div className="flex flex-col gap-2 px-2" role="status" aria-label="Loading">
        <div className="skeleton h-4 w-32" />
        <div className="skeleton h-4 w-24" />
        <div className="skeleton h-8 w-full" />
      </div>
    );
  }
  return (
    <div className="flex flex-col gap-2">
      {data && !isError ? (
        <Known isolation={data.isolation} engine={data.engine} />
      ) : (
        <p className="px-2 text-mini text-stop">The state of the system is not known: no answer.</p>
      )}
      {data && <StopAll running={data.running_turns} />}
    </div>
  );
}

function Known({ isolation, engine }: Pick<SystemStatus, 'isolation' | 'engine'>) {
  const tone = isolationTone(isolation.level);
  const Shield = SHIELDS[tone];
  return (
    <>
      <div className="flex gap-2 px-2" data-testid="isolation">
        <Shield aria-hidden size={16} className={cx('mt-px shrink-0', TEXT[tone])} />
        <div className="min-w-0 text-mini">
          <p className="font-medium">Isolation {isolation.level} of 3</p>
          <p className="text-muted">{isolation.summary}</p>
        </div>
      </div>
      <div className="flex gap-2 px-2" data-testid="engine-state">
        <span aria-hidden className="flex size-4 shrink-0 items-center justify-center">
          <span className={cx('size-2 rounded-full', ENGINE_DOT[engine.state])} />
        </span>
        <div className="min-w-0 text-mini">
          <p className="font-medium">{ENGINE_WORDS[engine.state]}</p>
          {engine.detail && <p className="text-muted wrap-anywhere">{engine.detail}</p>}
        </div>
      </div>
    </>
  );
}

function StopAll({ running }: { readonly running: number }) {
  const [open, setOpen] = useState(false);
  const turns = running === 1 ? '1 running turn' : `${running} running turns`;
  return (
    <>
      <Button
        tone={running > 0 ? 'danger' : 'danger-plain'}
        disabled={running === 0}
        icon={<Square aria-hidden size={12} fill="currentColor" />}
        className="w-full"
        data-testid="stop-all"
        title={running === 0 ? 'Nothing is running' : `Stop ${turns}`}
        onClick={() => setOpen(true)}
      >
        Stop
      </Button>
      <Confirm
        open={open}
        onOpenChange={setOpen}
        title="Stop everything that runs"
        act={`Stop ${turns}`}
        testId="stop-all-dialog"
        onAct={async () => {
          await call<StopAllAnswer>('POST', '/api/turns/stop', { body: {} });
          await queryClient.invalidateQueries();
        }}
      >
        This ends {turns} within a second; what is written so far stays, and each conversation offers a way to
        go on.
      </Confirm>
    </>
  );
}

const THEMES: readonly { readonly choice: ThemeChoice; readonly label: string; readonly icon: typeof Sun }[] =
  [
    { choice: 'system', label: 'Theme of this device', icon: Monitor },
    { choice: 'light', label: 'Light theme', icon: Sun },
    { choice: 'dark', label: 'Dark theme', icon: Moon },
  ];

export function ThemeSwitch() {
  const theme = useTheme();
  const index = THEMES.findIndex((each) => each.choice === theme);
  const current = THEMES[index] ?? THEMES[0];
  const next = THEMES[(index + 1) % THEMES.length] ?? THEMES[0];
  if (!current || !next) return null;
  const Icon = current.icon;
  return (
    <IconButton
      label={`${current.label}. Change to: ${next.label.toLowerCase()}`}
      data-testid="theme-switch"
      onClick={() => setTheme(next.choice)}
    >
      <Icon aria-hidden size={16} />
    </IconButton>
  );
}

/** Who is logged in, the theme, the way out. */
export function Account() {
  const session = useSyncExternalStore(onSessionChange, sessionState);
  const { data } = useQuery(version);
  const [busy, setBusy] = useState(false);
  async function logOut() {
    setBusy(true);
    try {
      await call('POST', '/api/auth/logout', { body: {} });
    } catch {
      // The cookie could not be revoked on the server. This tab forgets its token all the same, and says nothing
      // more: the login page will find the cookie still valid and lead back, which shows that it did not work.
    } finally {
      setBusy(false);
      forget(true);
    }
  }
  return (
    <div className="flex items-center gap-1 pl-2">
      <div className="min-w-0 flex-1 text-mini">
        <p className="truncate font-medium">{session.status === 'in' ? session.username : ''}</p>
        <p className="truncate text-faint">OpenPact {data?.version ?? ''}</p>
      </div>
      <ThemeSwitch />
      <IconButton label="Log out" data-testid="logout" disabled={busy} onClick={() => void logOut()}>
        <LogOut aria-hidden size={16} />
      </IconButton>
    </div>
  );
}
