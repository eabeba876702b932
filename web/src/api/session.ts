import type { SessionAnswer } from './types.ts';

/**
 * The login of this tab. The access token lives in this module and nowhere else: not in storage, not in the query
 * cache, not in a cookie that scripts can read. The refresh cookie is the browser's and HttpOnly.
 */
export type SessionState =
  | { readonly status: 'unknown' }
  | { readonly status: 'out' }
  | { readonly status: 'in'; readonly username: string };

let state: SessionState = { status: 'unknown' };
let token: { readonly value: string; readonly expiresAt: number } | null = null;
let timer: number | undefined;
let running: Promise<boolean> | null = null;
const listeners = new Set<() => void>();

/** A logout in one tab is a logout in all: the cookie they share is gone. */
const otherTabs = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('openpact-session');
otherTabs?.addEventListener('message', (event) => {
  if (event.data === 'logout') forget(false);
});

export function sessionState(): SessionState {
  return state;
}

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function accessToken(): string | null {
  return token?.value ?? null;
}

export function adoptSession(answer: SessionAnswer): void {
  const parsed = Date.parse(answer.expires_at);
  token = {
    value: answer.access_token,
    expiresAt: Number.isNaN(parsed) ? Date.now() + 10 * 60_000 : parsed,
  };
  setState({ status: 'in', username: answer.username });
  schedule();
}

/** Drops the login of this tab. `tell`: the other tabs too, because the cookie is gone. */
export function forget(tell: boolean): void {
  token = null;
  window.clearTimeout(timer);
  setState({ status: 'out' });
  // A BroadcastChannel reaches this origin only and takes no target.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  if (tell) otherTabs?.postMessage('logout');
}

/** The server could not be asked: neither logged in nor out is known. */
export class Unreachable extends Error {
  constructor() {
    super('OpenPact does not answer.');
    this.name = 'Unreachable';
  }
}

/**
 * Asks the refresh cookie for a new access token; parallel callers share one request. True: logged in. False: the
 * cookie is not valid. Throws Unreachable when the server does not answer or is in trouble.
 */
export function refreshSession(): Promise<boolean> {
  running ??= oneTabAtATime(async () => {
    let response: Response;
    try {
      response = await fetch('/api/session', {
        credentials: 'same-origin',
        headers: { accept: 'application/json' },
      });
    } catch {
      throw new Unreachable();
    }
    if (response.ok) {
      adoptSession((await response.json()) as SessionAnswer);
      return true;
    }
    if (response.status === 401 || response.status === 403) {
      forget(false);
      return false;
    }
    throw new Unreachable();
  }).finally(() => {
    running = null;
  });
  return running;
}

/** The cookie is rotated on use; a lock keeps tabs from racing. Plain HTTP on a LAN has no locks: the server's grace covers it. */
function oneTabAtATime(act: () => Promise<boolean>): Promise<boolean> {
  const locks = (navigator as { locks?: LockManager }).locks;
  return locks ? locks.request('openpact-refresh', act) : act();
}

function schedule(): void {
  window.clearTimeout(timer);
  if (!token) return;
  const early = 60_000 + Math.random() * 15_000;
  const wait = Math.max(5_000, token.expiresAt - Date.now() - early);
  timer = window.setTimeout(() => {
    refreshSession().catch(() => {
      // Not reachable now: try again soon. Calls that need the token refresh by themselves as well.
      timer = window.setTimeout(schedule, 5_000);
    });
  }, wait);
}

// A laptop that slept wakes with an old token: renew as soon as somebody looks.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && token && token.expiresAt - Date.now() < 60_000) schedule();
});

function setState(next: SessionState): void {
  state = next;
  for (const listener of listeners) listener();
}
