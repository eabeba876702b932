// Guarantees: the runs of a turn follow one another, never side by side; a run that departed leaves no call behind that
// could still run, and the next one begins from what is recorded. Both the switch and its reason stand in the
// conversation and in the audit log before the other model hears anything.
// An attacker may control: how an engine behaves while it is ended.
import type { HistoryMessage, WireName } from '../core/index.ts';
import type { EngineAdapter, EngineOutcome } from './adapter.ts';
import type { ContextBuilder } from './context.ts';
import type { ModelName } from './fallback.ts';
import { HISTORY_LIMITS, trimHistory, type HistoryLimits } from './history-trim.ts';
import { historyOf } from './history.ts';
import { giveUpCalls, type TurnEndDeps } from './turn-end.ts';
import type { Departure, TurnLimits, TurnRuntime } from './turn-runtime.ts';

/** After this long we no longer wait for an engine that was told to stop. */
const STOP_WAIT_MS = 800;

export interface TurnWorkDeps extends TurnEndDeps {
  readonly engine: EngineAdapter;
  readonly context: ContextBuilder;
  /** What the gateway speaks with the engine in a run on this provider. */
  readonly wireOf: (provider: string) => WireName;
  readonly limits: TurnLimits;
  /** How much of a conversation this model may be told. */
  readonly historyLimits?: (model: ModelName) => HistoryLimits;
}

/** Runs a turn to its end. `onRun` is told of each further run before it begins. */
export type TurnWork = (first: TurnRuntime, onRun: (next: TurnRuntime) => void) => Promise<EngineOutcome>;

export function createTurnWork(deps: TurnWorkDeps): TurnWork {
  const { turns, events, database, audit, engine, clock } = deps;

  function begin({ row, principal, origin }: TurnRuntime): void {
    database.tx(() => {
      turns.start(row.id, clock.now());
      events.append(row.conversation_id, row.id, {
        type: 'started',
        provider: row.provider,
        model: row.model,
      });
      audit.append({
        event: 'turn.started',
        principal,
        origin,
        target: row.id,
        outcome: 'ok',
        details: { conversation: row.conversation_id },
      });
    });
  }

  async function think(first: TurnRuntime, onRun: (next: TurnRuntime) => void): Promise<EngineOutcome> {
    const system = await deps.context.build(first.turnSignal);
    for (let runtime = first; ; onRun(runtime)) {
      const outcome = await runOnce(runtime, system);
      const departure = runtime.departure();
      if (!departure) return outcome;
      await runtime.callsSettled(STOP_WAIT_MS);
      if (runtime.turnSignal.aborted) return { kind: 'stopped' };
      runtime = goOn(runtime, departure);
    }
  }

  function runOnce(runtime: TurnRuntime, system: string): Promise<EngineOutcome> {
    const run = engine.runTurn({
      turnId: runtime.turnId,
      capability: runtime.capability,
      model: runtime.model,
      wire: deps.wireOf(runtime.provider),
      system,
      history: historyFor(runtime),
      tools: runtime.tools,
      maxSteps: Math.max(1, deps.limits.maxSteps - runtime.step()),
      signal: runtime.signal,
    });
    return Promise.race([run, stopWait(runtime.signal)]);
  }

  function goOn(runtime: TurnRuntime, { to, problem }: Departure): TurnRuntime {
    const { row } = runtime;
    // An honest engine leaves nothing; of another one, nothing may run on beside the next run.
    deps.approvals.cancelTurn(row.id);
    giveUpCalls(deps, row.id, false, 'It did not run: the model that asked for it became unavailable.');
    database.tx(() => {
      events.append(row.conversation_id, row.id, {
        type: 'switched',
        from: { provider: runtime.provider, model: runtime.model },
        to,
        code: problem.code,
        content: problem.message,
      });
      audit.append({
        event: 'turn.model_switched',
        principal: { kind: 'system' },
        origin: runtime.origin,
        target: row.id,
        outcome: 'ok',
        details: {
          conversation: row.conversation_id,
          step: runtime.step(),
          code: problem.code,
          from: `${runtime.provider}/${runtime.model}`,
          to: `${to.provider}/${to.model}`,
        },
      });
    });
    return runtime.goOn(to);
  }

  function historyFor({ row, provider, model }: TurnRuntime): readonly HistoryMessage[] {
    const all = events.all(row.conversation_id);
    const limits = deps.historyLimits?.({ provider, model }) ?? HISTORY_LIMITS;
    const { messages, leftOut } = trimHistory(historyOf(all, row.id), limits);
    const told = all.findLast((event) => event.type === 'trimmed');
    // The cut moves now and then; in between there is nothing new to tell.
    if (leftOut > 0 && !(told?.type === 'trimmed' && told.left_out === leftOut))
      events.append(row.conversation_id, row.id, { type: 'trimmed', left_out: leftOut });
    return messages;
  }

  return async (first, onRun) => {
    begin(first);
    return Promise.race([think(first, onRun), stopWait(first.turnSignal)]);
  };
}

function stopWait(signal: AbortSignal): Promise<EngineOutcome> {
  return new Promise((resolve) => {
    const after = () => void setTimeout(() => resolve({ kind: 'stopped' }), STOP_WAIT_MS).unref();
    if (signal.aborted) after();
    else signal.addEventListener('abort', after, { once: true });
  });
}
