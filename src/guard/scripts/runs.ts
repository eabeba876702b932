// Guarantees: what runs is the text of the approved digest, read from the database and hashed again, with the grant that
// was approved with it; deciding that and writing the run down is one step, in which the database compares the digest once
// more, and every later change of the approval ends the run. What leaves is held against the grant once more. A run without
// an entry in the audit log does not begin, nor one while the vault is sealed. Quotas count before a run begins, and bound it.
// Does not: fence the process (the runner does), nor fill in secrets (the broker does).
// An attacker may control: the name, the function, the arguments, the text of scripts, the answers of hosts.
import { AppError, errorText, type RedactionStream } from '../../core/index.ts';
import type { ScriptRunRow } from '../../host/storage/script-run-store.ts';
import type { ScriptOfferRow } from '../../host/storage/script-store.ts';
import { NO_GRANT, secretsWhile } from '../secrets/broker/index.ts';
import { vaultSealed } from '../secrets/index.ts';
import { narrowToBound, type Granted } from './grants.ts';
import { mayLeave } from './leaving.ts';
import type { RunEnd } from './ports.ts';
import { execRoom, quotaRoom, RUN_BYTES, RUN_REQUESTS } from './quota-room.ts';
import { recoverRuns } from './recover-runs.ts';
import { runError } from './run-error.ts';
import type { RunAsk, RunDone, RunsDeps, ScriptRuns } from './run-ports.ts';
import { newRunRow } from './run-row.ts';
import { createRunWatch } from './run-watch.ts';
import { hashOf } from './script-name.ts';
import { createStanding, type StandingRun } from './standing.ts';
import type { Refused } from './state.ts';

interface Live extends StandingRun {
  readonly test: boolean;
  /** What it may still use of its quotas. */
  readonly requests: number;
  readonly bytes: number;
  watch: ReturnType<typeof createRunWatch> | undefined;
}

const HOUR_MS = 3_600_000;
/** Of one script; older ones go. */
export const KEEP_RUNS = 1_000;
/** What a timer can hold. */
const MOST_TIMER_MS = 2 ** 31 - 1;

export function createScriptRuns(deps: RunsDeps): ScriptRuns {
  const { library, runStore, database, audit, redactor, clock, log } = deps;
  const live = new Map<string, Live>();
  const standing = createStanding(deps);

  library.onChange((name) => {
    for (const run of live.values()) if (run.name === name) standing.holds(run);
  });

  function refuse(ask: Pick<RunAsk, 'name' | 'by' | 'origin'>, refused: Refused, target = ask.name): Refused {
    audit.note({
      event: 'script.refused',
      principal: ask.by,
      origin: ask.origin,
      target,
      outcome: 'refused',
      details: { code: refused.code, ...refused.details },
    });
    return refused;
  }

  /** From deciding to the stored run without a gap. */
  function begin(ask: RunAsk): Refused | { row: ScriptRunRow; source: string; granted: Granted; mine: Live } {
    const { name } = ask;
    // The folder was looked at before: the vault may have been locked meanwhile, which ended only what ran already.
    if (deps.sealed()) throw vaultSealed();
    const decided = library.runnable(name);
    if (!decided.ok) return refuse(ask, decided);
    if (deps.decisions.isHeld(name))
      return refuse(ask, {
        ok: false,
        code: 'script_disabled',
        message: `The power of ${name} was taken away.`,
        details: { script: name, status: 'disabled' },
      });
    if (ask.hash !== undefined && ask.hash !== decided.hash)
      throw new AppError({
        family: 'conflict',
        code: 'script_changed',
        message: 'Another version than this one is approved.',
        details: { hash: decided.hash },
      });
    const { hash, granted } = decided;
    const kind = ask.kind ?? 'run';
    const room =
      kind === 'run'
        ? quotaRoom({ runStore, clock, live: live.values() }, name, granted.quotas)
        : { requests: RUN_REQUESTS, bytes: RUN_BYTES };
    if ('ok' in room) return refuse(ask, room);
    const { source } = library.facts(hash);
    if (hashOf(source) !== hash) throw new Error('a stored script is not of its hash');
    const row = newRunRow(deps, ask, { hash, kind, granted: granted.text });
    const mine: Live = {
      name,
      approval: standing.of(name) ?? '',
      test: kind === 'test',
      controller: new AbortController(),
      ...room,
      watch: undefined,
    };
    start(row, ask);
    live.set(row.id, mine);
    return { row, source, granted, mine };
  }

  function start(row: ScriptRunRow, ask: Pick<RunAsk, 'by' | 'origin'>): void {
    database.tx(() => {
      runStore.insert(row);
      runStore.prune(row.name, KEEP_RUNS, clock.now() - 2 * HOUR_MS);
      audit.append({
        event: 'script.run',
        principal: ask.by,
        origin: ask.origin,
        target: row.name === '' ? row.hash : row.name,
        outcome: 'intent',
        details: { run: row.id, kind: row.kind, hash: row.hash, arguments: row.arguments },
      });
    });
  }

  /** Runs, watches and writes down how it ended. */
  async function carryOut(
    row: ScriptRunRow,
    source: string,
    ask: Omit<RunAsk, 'kind' | 'hash'>,
    facts: { readonly granted: Granted | undefined; readonly live: Live },
  ): Promise<RunDone> {
    const { granted } = facts;
    const { controller, requests, bytes } = facts.live;
    const grant = granted === undefined ? NO_GRANT : narrowToBound(granted.grant, deps.secretSettings);
    const alive = (): boolean => !controller.signal.aborted;
    const mayReach = (name: string, origin: string): boolean =>
      deps.secretSettings.mayReach(name, new URL(origin).host);
    const hideOthers = (): RedactionStream => redactor.stream();
    const watch = createRunWatch({
      run: row,
      by: ask.by,
      origin: ask.origin,
      declared: new Set(granted?.grant.secrets.keys()),
      audit,
      // Of a run that was ended nothing is offered: its name may be another script's by now.
      offer: (kind, what) => void (alive() && offer(row, kind, what)),
      unrecorded: () => controller.abort('audit'),
    });
    facts.live.watch = watch;
    const stop = (): void => controller.abort('stopped');
    ask.signal?.addEventListener('abort', stop, { once: true });
    if (ask.signal?.aborted === true) stop();
    const left = granted?.expiresAt === undefined ? undefined : granted.expiresAt - clock.now();
    const expiry =
      // Also one that is far: the run may wait for its turn first.
      left !== undefined && left <= MOST_TIMER_MS
        ? setTimeout(() => controller.abort('expired'), Math.max(0, left))
        : undefined;
    let end: RunEnd | undefined;
    try {
      end = await deps.runner.runScript(
        {
          digest: row.hash,
          source,
          name: row.name === '' ? 'exec.star' : `${row.name}.star`,
          entry: ask.function,
          args: ask.args,
          kwargs: ask.kwargs,
          grant,
          limits: {
            time: deps.limits.timeMs,
            memory: deps.limits.memoryBytes,
            requests,
            totalBytes: bytes,
          },
          signal: controller.signal,
          lane: row.conversation_id ?? row.caller,
        },
        {
          secrets: secretsWhile({ ...deps.secrets, mayReach, hideOthers }, alive),
          watcher: watch.watcher,
          send: watch.sending(async (request, signal) => {
            if (!standing.holds(facts.live)) return { failed: 'connection_failed' };
            if ((deps.mayLeave ?? mayLeave)(request, grant)) return deps.send(request, signal, row.name);
            log.error('a request that the grant of its script does not hold was stopped', { run: row.id });
            return { failed: 'address_refused' };
          }),
        },
      );
    } catch (error) {
      // The runner could not run it at all (no fence, no process): what it says goes out, the run is written down.
      finish(row, undefined, ask, facts.live, error);
      throw error;
    } finally {
      clearTimeout(expiry);
      ask.signal?.removeEventListener('abort', stop);
      live.delete(row.id);
    }
    return finish(row, end, ask, facts.live, undefined);
  }

  /** For the owner's comfort: a disk that is full must not end the run otherwise than it ends. */
  function offer({ name, hash }: ScriptRunRow, kind: ScriptOfferRow['kind'], what: string): void {
    try {
      deps.store.offer({ name, hash, kind, what }, clock.now());
    } catch (error) {
      log.warn('what a script was refused could not be noted for the owner', {
        script: name,
        problem: errorText(error),
      });
    }
  }

  function finish(
    row: ScriptRunRow,
    end: RunEnd | undefined,
    ask: Pick<RunAsk, 'by' | 'origin'>,
    mine: Live,
    failure: unknown,
  ): RunDone {
    const { controller, watch } = mine;
    standing.holds(mine);
    const why = controller.signal.aborted ? String(controller.signal.reason) : undefined;
    const error = runError(why, end, failure);
    const clean = redactor.json({
      value: why === undefined && error === null ? (end?.value ?? null) : null,
      error: error === null ? null : { ...error },
      logs: end?.logs ?? [],
    });
    const outcome = why !== undefined ? 'killed' : error === null ? 'ok' : 'error';
    const durationMs = Math.round(end?.durationMs ?? 0);
    const requests = watch?.requests() ?? [];
    const secrets = watch?.secrets() ?? [];
    database.tx(() => {
      for (const name of secrets) deps.secretSettings.used(name, `script ${row.name}`);
      runStore.end({
        ...row,
        duration_ms: durationMs,
        queued_ms: Math.round(end?.queuedMs ?? 0),
        steps: end?.claimed?.steps ?? null,
        outcome,
        code: error?.code ?? null,
        message: clean.value.error?.message ?? null,
        requests: JSON.stringify(requests),
        request_count: requests.filter(({ refused }) => refused === undefined).length,
        bytes: watch?.bytes() ?? 0,
        secrets: JSON.stringify(secrets),
        hidden: JSON.stringify(clean.hidden),
      });
      audit.append({
        event: why === undefined ? 'script.ended' : 'script.killed',
        principal: ask.by,
        origin: ask.origin,
        target: row.name === '' ? row.hash : row.name,
        outcome: outcome === 'ok' ? 'ok' : 'failed',
        details: {
          run: row.id,
          hash: row.hash,
          code: error?.code ?? null,
          duration_ms: durationMs,
          requests: requests.length,
          secrets,
          hidden: clean.hidden,
        },
      });
    });
    return {
      ok: true,
      runId: row.id,
      hash: row.hash,
      ...clean.value,
      durationMs,
      requests,
      hidden: clean.hidden,
    };
  }

  return {
    async run(ask) {
      await library.look(ask.name, ask.signal);
      const begun = begin(ask);
      if ('ok' in begun) return begun;
      return carryOut(begun.row, begun.source, ask, { granted: begun.granted, live: begun.mine });
    },
    async exec(ask) {
      const whole = { ...ask, name: '' };
      if (deps.sealed()) throw vaultSealed();
      if (deps.limits.exec === 'off')
        return refuse(whole, {
          ok: false,
          code: 'exec_off',
          message: 'Running code without a script is switched off (starlark.exec_mode).',
          details: {},
        });
      const hash = hashOf(ask.source);
      const full = execRoom(deps, deps.limits.execPerHour);
      if (full !== undefined) return refuse(whole, full, hash);
      const row = newRunRow(deps, whole, { hash, kind: 'exec', granted: null });
      const mine: Live = {
        name: '',
        approval: '',
        test: false,
        controller: new AbortController(),
        requests: 0,
        bytes: 0,
        watch: undefined,
      };
      start(row, whole);
      live.set(row.id, mine);
      return carryOut(row, ask.source, whole, { granted: undefined, live: mine });
    },
    get running() {
      return live.size;
    },
    stopAll() {
      for (const run of live.values()) run.controller.abort('stopped');
      return live.size;
    },
    recover: () => recoverRuns(deps),
  };
}
