import { isoTime, type Clock } from '../../core/index.ts';

/** How the newest call to an upstream ended. Kept in memory: a start begins anew. */
export interface UpstreamHealth {
  readonly outcome: 'ok' | 'failed';
  readonly at: string;
  /** The newest failure, also when a call succeeded since. */
  readonly error_code: string | null;
  readonly error_at: string | null;
}

export interface HealthBoard {
  /** `code` is a failure's; null: it answered. */
  note(provider: string, code: string | null): void;
  of(provider: string): UpstreamHealth | null;
}

export function createHealthBoard(clock: Clock): HealthBoard {
  const known = new Map<string, UpstreamHealth>();
  return {
    note(provider, code) {
      const at = isoTime(clock.now());
      const before = known.get(provider);
      known.set(provider, {
        outcome: code === null ? 'ok' : 'failed',
        at,
        error_code: code ?? before?.error_code ?? null,
        error_at: code === null ? (before?.error_at ?? null) : at,
      });
    },
    of: (provider) => known.get(provider) ?? null,
  };
}
