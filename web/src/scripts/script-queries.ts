import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { call } from '../api/client.ts';
import { LIVE, place, queryClient } from '../api/queries.ts';
import type {
  Script,
  ScriptHistory,
  ScriptList,
  ScriptRunChart,
  ScriptRunList,
  ScriptRunStep,
  ScriptRunView,
  ScriptVersionText,
} from '../api/types.ts';

const RUNS_A_PAGE = 50;

/** Names and hashes are plain letters, digits, "-", "_" and ":"; the server refuses any other. */
export function scriptPath(name: string, rest = ''): string {
  return `/api/scripts/${encodeURIComponent(name)}${rest}`;
}

export const scriptList = queryOptions({
  queryKey: ['scripts'],
  queryFn: ({ signal }) => call<ScriptList>('GET', '/api/scripts', { signal }),
  refetchInterval: LIVE,
});

export const script = (name: string) =>
  queryOptions({
    queryKey: ['script', name],
    queryFn: ({ signal }) => call<Script>('GET', scriptPath(name), { signal }),
    refetchInterval: LIVE,
    // What was seen on an earlier visit is not what is decided on now.
    staleTime: 0,
  });

export type RunOutcome = ScriptRunView['outcome'];

/** Runs and live tests, newest first; each page begins behind the last run of the one before. */
export const scriptRuns = (name: string, outcome: RunOutcome | null) =>
  infiniteQueryOptions({
    queryKey: ['script-runs', name, outcome],
    queryFn: ({ signal, pageParam }) => {
      const query = new URLSearchParams({ limit: String(RUNS_A_PAGE) });
      if (outcome !== null) query.set('outcome', outcome);
      if (pageParam !== null) query.set('before', pageParam);
      return call<ScriptRunList>('GET', scriptPath(name, `/runs?${query}`), { signal });
    },
    initialPageParam: null as string | null,
    getNextPageParam: ({ runs }) => (runs.length < RUNS_A_PAGE ? undefined : runs.at(-1)?.id),
    refetchInterval: LIVE,
    placeholderData: keepPreviousData,
  });

export const scriptRunChart = (name: string, by: ScriptRunStep) =>
  queryOptions({
    queryKey: ['script-runs', name, 'chart', by],
    queryFn: ({ signal }) =>
      call<ScriptRunChart>('GET', scriptPath(name, `/runs/chart?by=${by}`), { signal }),
    refetchInterval: LIVE,
    placeholderData: keepPreviousData,
  });

export const scriptHistory = (name: string) =>
  queryOptions({
    queryKey: ['script-history', name],
    queryFn: ({ signal }) => call<ScriptHistory>('GET', scriptPath(name, '/history'), { signal }),
    refetchInterval: LIVE,
  });

export const scriptVersion = (name: string, hash: string) =>
  queryOptions({
    queryKey: ['script-version', name, hash],
    queryFn: ({ signal }) => call<ScriptVersionText>('GET', scriptPath(name, `/history/${hash}`), { signal }),
    // The hash names the text.
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Asks again for everything that an act on this script touches. */
export function refreshScript(name: string): void {
  for (const key of ['script', 'script-runs', 'script-history'])
    void queryClient.invalidateQueries({ queryKey: [key, name] });
  void queryClient.invalidateQueries({ queryKey: ['scripts'] });
}

/** Puts what the server answered to an act where it is shown, before the next poll. */
export function placeScript(changed: Script): void {
  place(script(changed.name).queryKey, changed);
  refreshScript(changed.name);
}
