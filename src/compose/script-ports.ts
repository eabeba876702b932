import { AppError, isoTime, type Clock, type Json } from '../core/index.ts';
import type {
  Script,
  ScriptGrantView,
  ScriptRunView,
  ScriptSummary,
  ScriptVersionView,
} from '../edge/admin/script-api.ts';
import type { ScriptsPort } from '../edge/admin/script-port.ts';
import type { StepUp } from '../guard/identity/index.ts';
import {
  MOST_QUOTAS,
  powerOf,
  requireScriptName,
  unifiedDiff,
  USUAL_QUOTAS,
  type ScriptState,
} from '../guard/scripts/index.ts';
import type { ScriptRunRow } from '../host/storage/script-run-store.ts';
import type { ScriptVersionRow } from '../host/storage/script-store.ts';
import { runChart } from './script-chart.ts';
import type { Scripts } from './scripts.ts';

const LAST_RUNS = 10;

/** `stepUp`: where approving asks for the password again. `hasSecret`: whether one of that name is set. */
export function scriptsPort(
  scripts: Pick<Scripts, 'library' | 'decisions' | 'store' | 'runStore' | 'test' | 'dismiss'>,
  {
    stepUp,
    hasSecret,
    clock,
  }: {
    readonly stepUp: StepUp | undefined;
    readonly hasSecret: (name: string) => boolean;
    readonly clock: Clock;
  },
): ScriptsPort {
  const { library, decisions, store, runStore } = scripts;

  function summary(state: ScriptState): ScriptSummary {
    const { row, version, header } = state;
    const now = library.runnable(state.name);
    const { power, damaged } = powerLine(state);
    const last = runStore.last(state.name);
    const rejected = version.decision === 'rejected';
    return {
      name: state.name,
      hash: state.hash,
      status: state.status,
      modified: state.modified,
      refused: damaged ?? (now.ok ? null : { code: now.code, message: now.message }),
      revision: row.revision,
      file: state.onDisk,
      description: header.description,
      required_secrets: header.secrets ?? [],
      power,
      author: version.author,
      created_at: isoTime(row.created_at),
      modified_at: isoTime(row.modified_at),
      approved_hash: row.approved,
      approved_at: time(row.approved_at),
      approved_by: row.approved_by,
      rejected_at: rejected ? time(version.decided_at) : null,
      rejected_by: rejected ? version.decided_by : null,
      reject_reason: rejected ? version.reason : null,
      disabled_at: time(row.disabled_at),
      disabled_by: row.disabled_by,
      last_run: last === undefined ? null : runView(last),
    };
  }

  /** Beside an approved version that is not the newest: what was given, and what is asked for now. */
  function powerInOneLine(state: ScriptState): string {
    const newest = library.facts(state.hash);
    const { approved } = state;
    if (approved === undefined) return powerOf(newest.proposed, undefined, newest).summary;
    const given = powerOf(approved.granted.view, undefined, library.facts(approved.hash)).summary;
    if (!state.modified || state.status !== 'pending') return given;
    const asked = powerOf(newest.proposed, undefined, newest).summary;
    return asked === given ? given : `Approved: ${given} Asked for now: ${asked}`;
  }

  /** One text that is damaged does not take the list away. */
  function powerLine(state: ScriptState) {
    try {
      return { power: powerInOneLine(state), damaged: undefined };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { power: '', damaged: { code: error.code, message: error.message } };
    }
  }

  function whole(state: ScriptState): Script {
    const facts = library.facts(state.hash);
    const { source, header, analysis, proposed } = facts;
    const granted = state.approved?.granted.view;
    const secrets = new Set([...Object.keys(proposed.secrets), ...Object.keys(granted?.secrets ?? {})]);
    const approvedFacts = state.approved === undefined ? facts : library.facts(state.approved.hash);
    return {
      ...summary(state),
      source,
      bytes: Buffer.byteLength(source),
      metadata: {
        description: header.description,
        author: header.author,
        version: header.version,
        tags: header.tags.join(', '),
        ...header.other,
      },
      functions: analysis.functions,
      problems: library.problems(state.hash),
      grant: granted ?? null,
      proposed_grant: proposed,
      proposed_power: powerOf(proposed, granted, facts),
      granted_power: granted === undefined ? null : powerOf(granted, granted, approvedFacts),
      missing_secrets: [...secrets].filter((each) => !hasSecret(each)).toSorted(),
      quotas: { usual: USUAL_QUOTAS, most: MOST_QUOTAS },
      offers: store.offers(state.name).map(({ kind, what, hash, times, last_at }) => ({
        kind,
        what,
        hash,
        times,
        last_at: isoTime(last_at),
      })),
      execution_history: runStore.list(state.name, LAST_RUNS).map(runView),
    };
  }

  const nameOf = requireScriptName;

  return {
    async list() {
      await library.lookAll();
      return { scripts: library.list().map(summary) };
    },
    async get(name) {
      const known = nameOf(name);
      await library.look(known);
      return whole(library.require(known));
    },
    async create({ name, source, message }, { principal }) {
      return whole(
        await library.save({
          name: nameOf(name),
          source,
          message,
          how: 'page',
          by: principal,
          origin: 'page',
          base: null,
          mustParse: true,
        }),
      );
    },
    async update(name, { source, message, hash }, { principal }) {
      const known = nameOf(name);
      await library.look(known);
      library.require(known);
      return whole(
        await library.save({
          name: known,
          source,
          message,
          how: 'page',
          by: principal,
          origin: 'page',
          base: hash,
          mustParse: true,
        }),
      );
    },
    async remove(name, { principal }) {
      const known = nameOf(name);
      await library.look(known);
      try {
        await library.remove(known, principal);
      } catch (error) {
        // Where it can't be stored it runs no more all the same, like whatever lost its power; that tells this very error.
        if (library.state(known)) await decisions.disable(known, principal).catch(() => undefined);
        throw error;
      }
    },
    async approve(name, { password, ...approval }, { principal, address }) {
      const known = nameOf(name);
      await stepUp?.requireStepUp({ principal, address, act: 'script.approve', password });
      return whole(await decisions.approve(known, approval, principal));
    },
    async reject(name, order, { principal }) {
      return whole(await decisions.reject(nameOf(name), order, principal));
    },
    async disable(name, { principal }) {
      return whole(await decisions.disable(nameOf(name), principal));
    },
    async enable(name, password, { principal, address }) {
      await stepUp?.requireStepUp({ principal, address, act: 'script.enable', password });
      return whole(await decisions.enable(nameOf(name), principal));
    },
    dismissOffer(name, offer, { principal }) {
      const known = nameOf(name);
      scripts.dismiss({ ...offer, name: known }, principal);
      return whole(library.require(known));
    },
    runs(name, limit, only) {
      const known = nameOf(name);
      library.require(known);
      return { runs: runStore.list(known, limit, only).map(runView) };
    },
    chart(name, by) {
      const known = nameOf(name);
      library.require(known);
      return runChart(runStore, known, by, clock.now());
    },
    async test(name, order, { principal }) {
      const done = await scripts.test({ ...order, name: nameOf(name), by: principal });
      if ('code' in done)
        throw new AppError({
          family: 'conflict',
          code: done.code,
          message: done.message,
          details: done.details,
        });
      return {
        success: done.error === null,
        live: done.live,
        run_id: done.runId,
        result: done.value,
        error: done.error,
        duration_ms: done.durationMs,
        logs: done.logs,
        requests: done.requests,
      };
    },
    history(name) {
      const known = nameOf(name);
      library.require(known);
      return { versions: library.versions(known).map(versionView) };
    },
    version(name, hash) {
      const row = library.versionOf(nameOf(name), hash);
      return { ...versionView(row), source: library.facts(hash).source };
    },
    diff(name, from, to) {
      const known = nameOf(name);
      const text = (hash: string) => {
        library.versionOf(known, hash);
        return { label: `${known}.star ${hash}`, text: library.facts(hash).source };
      };
      return { from, to, diff: unifiedDiff(text(from), text(to)) };
    },
    async restore(name, hash, { principal }) {
      const state = await library.restore(nameOf(name), hash, principal);
      return { name: state.name, status: state.status, hash: state.hash, restored_from: hash };
    },
  };
}

function time(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}

function versionView(row: ScriptVersionRow): ScriptVersionView {
  return {
    hash: row.hash,
    commit: row.hash,
    parent: row.parent,
    author: row.author,
    how: row.how,
    message: row.message,
    timestamp: isoTime(row.created_at),
    decision: row.decision,
    decided_at: time(row.decided_at),
    decided_by: row.decided_by,
    reason: row.reason,
  };
}

function runView(row: ScriptRunRow): ScriptRunView {
  const parsed = (text: string): Json => JSON.parse(text) as Json;
  return {
    id: row.id,
    hash: row.hash,
    kind: row.kind,
    caller: row.caller,
    conversation_id: row.conversation_id,
    function: row.function,
    arguments: row.arguments,
    grant: row.granted === null ? null : (parsed(row.granted) as unknown as ScriptGrantView),
    started_at: isoTime(row.started_at),
    duration_ms: row.duration_ms,
    queued_ms: row.queued_ms,
    steps: row.steps,
    outcome: row.outcome,
    code: row.code,
    message: row.message,
    requests: parsed(row.requests) as unknown as ScriptRunView['requests'],
    bytes: row.bytes,
    secrets: parsed(row.secrets) as unknown as readonly string[],
    redactions: parsed(row.hidden) as unknown as Readonly<Record<string, number>>,
  };
}
