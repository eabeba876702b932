import type { Log, Principal } from '../core/index.ts';
import {
  createScriptPowers,
  dismissOffer,
  takeBackUnpinned,
  testScript,
  type Runner,
  type ScriptDecisions,
  type ScriptFiles,
  type ScriptLibrary,
  type ScriptRuns,
  type TestAsk,
} from '../guard/scripts/index.ts';
import { vaultSecrets, type ScriptSecrets } from '../guard/secrets/broker/index.ts';
import { bootTime } from '../host/files/boot-time.ts';
import { createScriptSend } from '../host/net/egress/index.ts';
import type { IsolationReport, Launcher, UserIds } from '../host/process/index.ts';
import { createScriptRunStore } from '../host/storage/script-run-store.ts';
import { createScriptStore } from '../host/storage/script-store.ts';
import { analyseScript } from '../sandbox/analysis/index.ts';
import { clockFloor } from './clock-floor.ts';
import type { Foundation } from './foundation.ts';
import type { Layout } from './layout.ts';
import type { Parts } from './parts.ts';

/** Scripts and everything around them. */
export interface Scripts {
  readonly library: ScriptLibrary;
  readonly decisions: ScriptDecisions;
  readonly runs: ScriptRuns;
  readonly powers: ReturnType<typeof createScriptPowers>;
  readonly store: ReturnType<typeof createScriptStore>;
  readonly runStore: ReturnType<typeof createScriptRunStore>;
  readonly log: Log;
  test(ask: TestAsk): ReturnType<typeof testScript>;
  /** Not offered again for this text. Errors: `not_found`, `not_a_person`. */
  dismiss(offer: Parameters<typeof dismissOffer>[1], by: Principal): void;
  /** Ends every run, tests with canned answers too; the number of runs. */
  stopAll(): number;
  stop(): Promise<void>;
}

export interface ScriptMeans {
  readonly launcher: Launcher;
  readonly isolation: IsolationReport;
  readonly files: ScriptFiles;
  /** The user of scripts, where processes of other users can be started. */
  readonly user?: UserIds | undefined;
  /** Default: those for scripts in the vault. */
  readonly secrets?: ScriptSecrets | undefined;
}

export function createScripts(base: Foundation, parts: Parts, layout: Layout, means: ScriptMeans): Scripts {
  const { database, audit, clock, redactor } = base;
  const { config } = base.loaded;
  const log = base.log.child('scripts');
  const store = createScriptStore(database);
  const runStore = createScriptRunStore(database);
  const pins = new Set(config.starlark.autoApprove);
  const library = parts.scriptLibrary({
    store,
    files: means.files,
    database,
    audit,
    clock,
    log,
    redactor,
    analyse: analyseScript,
    boundHosts: (secret) => {
      const hosts = base.secretVault.get(secret)?.hosts ?? [];
      return hosts.length === 0 ? undefined : hosts;
    },
    options: {
      onChange: config.starlark.onChange,
      maxPending: config.starlark.maxPending,
      autoApprove: pins,
    },
  });
  const decisions = parts.scriptDecisions({ library, store, database, audit, clock, log, redactor });
  const runner = parts.scriptRunner({
    launcher: means.launcher,
    program: layout.scriptWorker,
    isolation: means.isolation,
    allowUnsandboxed: config.security.allowUnsandboxed,
    user: means.user,
  });
  const egress = parts.egress({ clock });
  const limits = { timeMs: config.starlark.maxExecutionMs, memoryBytes: config.starlark.maxMemoryBytes };
  const runs = parts.scriptRuns({
    library,
    decisions,
    store,
    runStore,
    runner: runner as Runner,
    sealed: () => base.seal.sealed(),
    secrets: means.secrets ?? vaultSecrets(base.vault),
    secretSettings: base.secretVault,
    send: (request, signal, script) => createScriptSend(egress, script, signal)(request),
    database,
    audit,
    redactor,
    clock,
    log,
    limits: { ...limits, exec: config.starlark.execMode, execPerHour: config.starlark.execPerHour },
  });
  /** A process waits while something may run. */
  const spare = (): void =>
    runner.keepSpare(store.all().some((row) => row.approved !== null && row.disabled_at === null));
  library.onChange(spare);
  runs.recover();
  const unpinned = takeBackUnpinned({ store, database, audit, clock, pins });
  if (unpinned > 0)
    log.warn('the configuration pins some scripts no longer; they wait for you', { unpinned });
  // Before anything can run: the clock may have been set back while nothing looked.
  decisions.expireDue(clockFloor(audit, bootTime()));
  spare();
  /** Those with canned answers are no runs, and end like runs all the same. What may not run can be tested, if it may not at the start. */
  const tests = new Map<AbortController, () => boolean>();
  function mayRun({ name, hash }: Pick<TestAsk, 'name' | 'hash'>): boolean {
    const state = library.state(name);
    const rejected = store.versionOf(name, hash)?.decision === 'rejected';
    return state !== undefined && state.status !== 'disabled' && !rejected;
  }
  library.onChange(() => {
    for (const [test, lost] of tests) if (lost()) test.abort();
  });
  function stopAll(): number {
    for (const test of tests.keys()) test.abort();
    return runs.stopAll();
  }
  return {
    library,
    decisions,
    runs,
    powers: createScriptPowers({ library, decisions, runs }),
    store,
    runStore,
    log,
    async test(ask) {
      const ending = new AbortController();
      const could = mayRun(ask);
      tests.set(ending, () => could && !mayRun(ask));
      try {
        return await testScript(
          { library, runs, runner: runner as Runner, redactor, audit, limits },
          { ...ask, signal: ending.signal },
        );
      } finally {
        tests.delete(ending);
      }
    },
    dismiss: (offer, by) => dismissOffer({ library, store, database, audit, clock }, offer, by),
    stopAll,
    async stop() {
      stopAll();
      await runner.close();
    },
  };
}
