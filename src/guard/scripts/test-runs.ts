// Guarantees: a version that is not the approved one runs with canned answers and dummy secrets only: no host is reached and
// no secret is opened. A live test is a run of the approved digest with its grant, and nothing more.
// Does not: count against quotas; the owner asks for it.
// An attacker may control: the text of the script.
import { AppError, newToken, type Json, type Principal, type Redactor } from '../../core/index.ts';
import type { Audit } from '../audit/index.ts';
import { fixedSecrets } from '../secrets/broker/index.ts';
import { readCannedHttp } from './canned-http.ts';
import { readGranted } from './grants.ts';
import type { ScriptLibrary } from './library.ts';
import type { Runner } from './ports.ts';
import type { RunResult, ScriptRuns } from './run-ports.ts';

export interface TestAsk {
  readonly name: string;
  readonly hash: string;
  readonly function?: string | undefined;
  readonly args?: readonly Json[] | undefined;
  readonly kwargs?: { readonly [name: string]: Json } | undefined;
  /** Canned answers; undefined for the approved version: live. */
  readonly http?: Json | undefined;
  readonly by: Principal;
  readonly signal?: AbortSignal | undefined;
}

export interface TestDone {
  /** With the real hosts and secrets of the grant. */
  readonly live: boolean;
  readonly runId: string | null;
  readonly value: Json;
  readonly error: { readonly code: string; readonly message: string; readonly line: number | null } | null;
  readonly logs: readonly string[];
  readonly durationMs: number;
  readonly requests: readonly {
    readonly method: string;
    readonly url: string;
    readonly refused: string | null;
  }[];
}

export interface TestDeps {
  readonly library: ScriptLibrary;
  readonly runs: ScriptRuns;
  readonly runner: Runner;
  readonly redactor: Redactor;
  readonly audit: Audit;
  readonly limits: { readonly timeMs: number; readonly memoryBytes: number };
}

/** Errors: `not_found`, `script_changed`, `grant_invalid`, `invalid_request`, and what a live run refuses (a value). */
export async function testScript(
  { library, runs, runner, redactor, audit, limits }: TestDeps,
  ask: TestAsk,
): Promise<TestDone | Extract<RunResult, { ok: false }>> {
  await library.look(ask.name, ask.signal);
  const state = library.require(ask.name);
  library.versionOf(ask.name, ask.hash);
  const approved = state.approved?.hash === ask.hash ? state.approved : undefined;
  if (approved !== undefined && ask.http === undefined) {
    const done = await runs.run({ ...ask, origin: 'page', kind: 'test' });
    if (!('runId' in done)) return done;
    const { runId, value, error, logs, durationMs } = done;
    const requests = done.requests.map(({ method, host, refused }) => ({
      method,
      url: `//${host}`,
      refused: refused ?? null,
    }));
    return { live: true, runId, value, error, logs, durationMs, requests };
  }
  const facts = library.facts(ask.hash);
  const granted = approved?.granted ?? readGranted(JSON.parse(JSON.stringify(facts.proposed)) as Json);
  const dummies = new Map([...granted.grant.secrets.keys()].map((name) => [name, `dummy-${newToken()}`]));
  const answer = readCannedHttp(ask.http ?? {}, { secrets: dummies, refuse: httpInvalid });
  const requests: { method: string; url: string; refused: string | null }[] = [];
  const entry = { principal: ask.by, origin: 'page', target: ask.name } as const;
  audit.append({
    ...entry,
    event: 'script.run',
    outcome: 'intent',
    details: {
      kind: 'canned',
      hash: ask.hash,
      arguments: audit.digest({ args: ask.args ?? [], kwargs: ask.kwargs ?? {} }),
    },
  });
  const end = await runner.runScript(
    {
      digest: ask.hash,
      source: facts.source,
      name: `${ask.name}.star`,
      entry: ask.function,
      args: ask.args,
      kwargs: ask.kwargs,
      grant: granted.grant,
      limits: { time: limits.timeMs, memory: limits.memoryBytes },
      signal: ask.signal,
      lane: 'test',
    },
    {
      secrets: fixedSecrets(dummies),
      watcher: {
        notice: () => undefined,
        request: ({ method, url, refused }) => {
          if (requests.length < 100) requests.push({ method, url, refused: refused ?? null });
        },
      },
      send: async (request) => answer(request),
    },
  );
  const { value: clean, hidden } = redactor.json({
    value: end.value,
    error: end.error === null ? null : { ...end.error },
    logs: end.logs,
    requests,
  });
  audit.append({
    ...entry,
    event: 'script.ended',
    outcome: end.error === null ? 'ok' : 'failed',
    details: {
      kind: 'canned',
      hash: ask.hash,
      code: end.error?.code ?? null,
      duration_ms: Math.round(end.durationMs),
      requests: requests.length,
      hidden,
    },
  });
  return { live: false, runId: null, ...clean, durationMs: Math.round(end.durationMs) };
}

function httpInvalid(what: string): AppError {
  return new AppError({
    family: 'input',
    code: 'invalid_request',
    message: `"http" can't be used: ${what}.`,
    fix: 'It looks like {"GET https://host/path?query": {"status": 200, "headers": {}, "body": "text"}}.',
  });
}
