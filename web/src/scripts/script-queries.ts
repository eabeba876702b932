import { queryOptions } from '@tanstack/react-query';
import { call } from '../api/client.ts';
import { queryClient } from '../api/queries.ts';
import type { Script, ScriptHistory, ScriptList, ScriptRunList, ScriptVersionText } from '../api/types.ts';

const LIVE = 4_000;

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
  });

export const scriptRuns = (name: string) =>
  queryOptions({
    queryKey: ['script-runs', name],
    queryFn: ({ signal }) => call<ScriptRunList>('GET', scriptPath(name, '/runs?limit=50'), { signal }),
    refetchInterval: LIVE,
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
  queryClient.setQueryData(script(changed.name).queryKey, changed);
  refreshScript(changed.name);
}
