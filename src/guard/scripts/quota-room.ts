import type { Clock } from '../../core/index.ts';
import type { ScriptRunStore } from '../../host/storage/script-run-store.ts';
import type { Quotas } from './grants.ts';
import type { Refused } from './state.ts';

const HOUR_MS = 3_600_000;
/** Of one run, whatever its quotas say. */
export const RUN_REQUESTS = 50;
export const RUN_BYTES = 50 * 1024 * 1024;

/** Whether code without a script may run once more: its quota is one for all conversations together. */
export function execRoom(
  { runStore, clock }: { readonly runStore: ScriptRunStore; readonly clock: Clock },
  limit: number,
): Refused | undefined {
  const now = clock.now();
  const { runs, at } = runStore.execs(now - HOUR_MS, limit);
  if (runs < limit) return undefined;
  const seconds = Math.max(1, Math.ceil(((at ?? now) + HOUR_MS - now) / 1000));
  return {
    ok: false,
    code: 'quota_exceeded',
    message: `Code without a script has used up its quota starlark.exec_per_hour (${runs} of ${limit}); it goes on in ${seconds} s.`,
    details: { quota: 'exec_per_hour', used: runs, limit, retry_after_s: seconds },
  };
}

/** What is left of the quotas, runs that are under way counted with all that they may use; tests count for nothing. */
export function quotaRoom(
  facts: {
    readonly runStore: ScriptRunStore;
    readonly clock: Clock;
    readonly live: Iterable<{
      readonly name: string;
      readonly test: boolean;
      readonly requests: number;
      readonly bytes: number;
    }>;
  },
  name: string,
  quotas: Required<Quotas>,
): Refused | { requests: number; bytes: number } {
  const { runStore, clock } = facts;
  const since = clock.now() - HOUR_MS;
  const used = runStore.used(name, since);
  for (const run of facts.live) {
    if (run.name !== name || run.test) continue;
    used.requests += run.requests;
    used.bytes += run.bytes;
  }
  const left = {
    runs: quotas.runs_per_hour - used.runs,
    requests: quotas.requests_per_hour - used.requests,
    bytes: quotas.bytes_per_hour - used.bytes,
  };
  const over =
    left.runs <= 0
      ? { what: 'runs_per_hour', used: used.runs, limit: quotas.runs_per_hour }
      : left.requests <= 0 && quotas.requests_per_hour > 0
        ? { what: 'requests_per_hour', used: used.requests, limit: quotas.requests_per_hour }
        : left.bytes <= 0 && quotas.bytes_per_hour > 0
          ? { what: 'bytes_per_hour', used: used.bytes, limit: quotas.bytes_per_hour }
          : undefined;
  if (over === undefined)
    return {
      requests: Math.max(0, Math.min(RUN_REQUESTS, left.requests)),
      bytes: Math.max(0, Math.min(RUN_BYTES, left.bytes)),
    };
  const oldest = runStore.oldest(name, since) ?? clock.now();
  const seconds = Math.max(1, Math.ceil((oldest + HOUR_MS - clock.now()) / 1000));
  return {
    ok: false,
    code: 'quota_exceeded',
    message: `${name} has used up its quota ${over.what} (${over.used} of ${over.limit}); some of it is free in ${seconds} s.`,
    details: { script: name, quota: over.what, used: over.used, limit: over.limit, retry_after_s: seconds },
  };
}
