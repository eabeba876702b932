import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let now = Date.now();
let ticker: number | undefined;

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) now = Date.now();
  listeners.add(listener);
  ticker ??= window.setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 10_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      window.clearInterval(ticker);
      ticker = undefined;
    }
  };
}

/** The time in milliseconds, renewed every 10 s for everybody who shows a relative time. */
function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "just now", "5 min ago", "in 2 h", and a date after a week. */
export function relative(iso: string, at: number): string {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return 'unknown time';
  const seconds = Math.round((at - time) / 1000);
  const size = Math.abs(seconds);
  // What arrived between two ticks lies a little ahead of `at`.
  if (size < 45) return seconds >= -12 ? 'just now' : 'in a moment';
  const text =
    size < HOUR
      ? `${Math.max(1, Math.round(size / MINUTE))} min`
      : size < DAY
        ? `${Math.round(size / HOUR)} h`
        : size < 7 * DAY
          ? `${Math.round(size / DAY)} d`
          : null;
  if (text === null) return new Date(time).toLocaleDateString(undefined, { dateStyle: 'medium' });
  return seconds >= 0 ? `${text} ago` : `in ${text}`;
}

export function exact(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  return time.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
}

/** The time of day on the reader's clock; of another day, with its date. */
export function clockTime(ms: number): string {
  const time = new Date(ms);
  return time.toDateString() === new Date().toDateString()
    ? time.toLocaleTimeString(undefined, { timeStyle: 'medium' })
    : time.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** A relative time; the exact one on hover. */
export function Time({ iso, className }: { readonly iso: string; readonly className?: string }) {
  const at = useNow();
  return (
    <time dateTime={iso} title={exact(iso)} className={className}>
      {relative(iso, at)}
    </time>
  );
}

/** Milliseconds as "85 ms", "1.2 s", "2 min 5 s". */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}
