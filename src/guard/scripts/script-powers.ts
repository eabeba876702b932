/** What the assistant's tools can do with scripts, as plain data. Refusals are values with a code. */
import { AppError, type Json, type ScriptPowers } from '../../core/index.ts';
import type { ScriptDecisions } from './decisions.ts';
import type { ScriptLibrary } from './library.ts';
import { powerOf } from './power.ts';
import type { RunResult, ScriptRuns } from './run-ports.ts';
import type { ScriptState } from './state.ts';

export function createScriptPowers({
  library,
  decisions,
  runs,
}: {
  readonly library: ScriptLibrary;
  readonly decisions: ScriptDecisions;
  readonly runs: ScriptRuns;
}): ScriptPowers {
  const shown = (state: ScriptState): Record<string, Json> => {
    const { header } = state;
    return {
      name: state.name,
      description: header.description,
      metadata: {
        author: header.author,
        version: header.version,
        tags: header.tags,
        ...header.other,
      },
      required_secrets: header.secrets ?? [],
      hash: state.hash,
      approval_status: state.modified && state.status === 'pending' ? 'modified' : state.status,
    };
  };

  function status(name: string): Json {
    const state = library.state(name);
    if (state === undefined)
      return { error: 'script_not_found', message: `There is no script ${name}.`, script: name };
    const now = library.runnable(name);
    const { header, analysis, proposed } = library.facts(state.hash);
    const granted = state.approved?.granted.view;
    return {
      ...shown(state),
      runs: now.ok,
      ...(now.ok ? {} : { error: now.code, message: now.message, ...now.details }),
      reason: state.version.reason,
      approved_hash: state.approved?.hash ?? null,
      power: powerOf(granted ?? proposed, granted, { header, analysis }).lines.map(({ text }) => text),
      problems: library.problems(state.hash).map(({ line, message }) => ({ line, message })),
      functions: analysis.functions.map(({ name: fn, params }) => ({ name: fn, params })),
    };
  }

  function answer(result: RunResult): Json {
    if (!('runId' in result)) return { error: result.code, message: result.message, ...result.details };
    return {
      value: result.value,
      error: result.error === null ? null : { ...result.error },
      duration_ms: result.durationMs,
      run_id: result.runId,
    };
  }

  return {
    async list() {
      await library.lookAll();
      const scripts = library.list().map(shown);
      return { scripts, count: scripts.length };
    },
    async reload() {
      const count = await library.lookAll(true);
      return { message: `Looked at ${count} scripts.`, count };
    },
    async status(name, waitMs, signal) {
      await library.look(name, signal);
      const state = library.state(name);
      if (waitMs > 0 && state) await decisions.wait(name, state.hash, waitMs, signal);
      return status(name);
    },
    async write({ name, source, message }, { principal, origin }) {
      try {
        const state = await library.save({
          name,
          source,
          message,
          how: 'tool',
          by: principal,
          origin,
          mustParse: true,
        });
        return { ...(status(state.name) as Record<string, Json>), saved: true };
      } catch (error) {
        if (!(error instanceof AppError) || error.family === 'upstream' || error.family === 'config')
          throw error;
        return {
          error: error.code,
          message: error.message,
          ...(error.fix === undefined ? {} : { fix: error.fix }),
          saved: false,
        };
      }
    },
    async run({ name, ...order }, { principal, origin }, signal) {
      return answer(await runs.run({ ...order, name, by: principal, origin, signal }));
    },
    async exec(source, { principal, origin }, signal) {
      return answer(await runs.exec({ source, by: principal, origin, signal }));
    },
  };
}
