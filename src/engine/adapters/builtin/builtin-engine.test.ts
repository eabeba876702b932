import { beforeEach, describe, expect, it } from 'vitest';

import { silentLog, systemClock, type Log } from '../../../core/index.ts';
import { createLauncher } from '../../../host/process/index.ts';
import type { EngineAdapter, EngineHandlers } from '../../adapter.ts';
import { modelAnswer, sourceProgram, turnOf, type SeenPrompt } from './fakes.ts';
import { createBuiltinEngine, type BuiltinEngineDeps } from './index.ts';

// A machine that is busy with other suites is slow.
const PATIENT = { timeout: 15_000 };

let llm: (prompt: SeenPrompt, request: Request) => Response | Promise<Response>;

beforeEach(() => {
  llm = () => modelAnswer({ text: 'ok' });
});

const handlers: EngineHandlers = {
  llm: async (request) => await llm((await request.json()) as SeenPrompt, request),
  mcp: () => Promise.reject(new Error('no tools here')),
};

function engineWith(deps: Partial<BuiltinEngineDeps> = {}): EngineAdapter {
  return createBuiltinEngine({
    launcher: createLauncher(),
    program: sourceProgram,
    handlers,
    log: silentLog,
    clock: systemClock,
    ...deps,
  });
}

describe('several turns', () => {
  it('run at the same time, each in a process of its own, and share one afterwards', async () => {
    const own = engineWith({ maxProcesses: 2, timing: { idleMs: 50 } });
    await own.start();
    const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
    const begun: string[] = [];
    const two = Promise.withResolvers<void>();
    llm = async (prompt) => {
      begun.push(prompt.model);
      if (begun.length === 2) two.resolve();
      await gates[Number(prompt.model)]?.promise;
      return modelAnswer({ text: 'ok' });
    };
    const outcomes = ['0', '1', '2'].map((model) => own.runTurn(turnOf({ turnId: model, model })));
    await two.promise;
    expect(new Set(begun)).toEqual(new Set(['0', '1']));
    expect(own.state().pids).toHaveLength(2);
    gates[1]?.resolve();
    await outcomes[1];
    gates[2]?.resolve();
    expect(await outcomes[2]).toEqual({ kind: 'finished' });
    gates[0]?.resolve();
    expect(await outcomes[0]).toEqual({ kind: 'finished' });
    await expect.poll(() => own.state().pids.length, PATIENT).toBe(1);
    await own.stop();
    expect(own.state()).toEqual({ state: 'stopped', detail: null, pids: [] });
  });

  it('wait in the order they came, and one that is stopped while it waits leaves the others their place', async () => {
    const own = engineWith({ maxProcesses: 1 });
    await own.start();
    const gate = Promise.withResolvers<void>();
    const begun: string[] = [];
    llm = async (prompt) => {
      begun.push(prompt.model);
      await gate.promise;
      return modelAnswer({ text: 'ok' });
    };
    const abort = new AbortController();
    const turn = (model: string, signal?: AbortSignal) =>
      own.runTurn(turnOf({ turnId: model, model, ...(signal && { signal }) }));
    const [first, second, third, fourth] = [turn('1'), turn('2', abort.signal), turn('3'), turn('4')];
    await expect.poll(() => begun, PATIENT).toEqual(['1']);
    abort.abort();
    expect(await second).toEqual({ kind: 'stopped' });
    gate.resolve();
    const outcomes = await Promise.all([first, third, fourth]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['finished', 'finished', 'finished']);
    expect(begun).toEqual(['1', '3', '4']);
    await own.stop();
  });

  it('end as stopped, running or waiting, when the engine is stopped', async () => {
    const own = engineWith({ maxProcesses: 1 });
    await own.start();
    const [pid = 0] = own.state().pids;
    const asked = Promise.withResolvers<AbortSignal>();
    llm = (_prompt, request) => {
      asked.resolve(request.signal);
      return new Promise(() => undefined);
    };
    const outcomes = [own.runTurn(turnOf()), own.runTurn(turnOf({ turnId: 'turn-2' }))];
    const signal = await asked.promise;
    await own.stop();
    expect(await Promise.all(outcomes)).toEqual([{ kind: 'stopped' }, { kind: 'stopped' }]);
    expect(signal.aborted).toBe(true);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('get a fresh process after so many', async () => {
    const own = engineWith({ timing: { turnsPerProcess: 2 } });
    await own.start();
    const pids: unknown[] = [];
    for (let i = 0; i < 3; i += 1) {
      await expect.poll(() => own.state().pids.length, PATIENT).toBe(1);
      pids.push(own.state().pids[0]);
      expect(await own.runTurn(turnOf({ turnId: `t${i}` }))).toEqual({ kind: 'finished' });
    }
    expect(pids[0]).toBe(pids[1]);
    expect(pids[2]).not.toBe(pids[0]);
    await own.stop();
  });

  it('go on when one loses its process, and the next gets a new one', async () => {
    const own = engineWith({ maxProcesses: 2, timing: { backoffMs: 10 } });
    await own.start();
    const gate = Promise.withResolvers<void>();
    const first = Promise.withResolvers<void>();
    llm = async (prompt) => {
      first.resolve();
      if (prompt.model === 'survivor') await gate.promise;
      else process.kill(own.state().pids.find((pid) => pid !== survivor) ?? 0, 'SIGKILL');
      return modelAnswer({ text: 'ok' });
    };
    const survivor = own.state().pids[0];
    const surviving = own.runTurn(turnOf({ turnId: 's', model: 'survivor' }));
    await first.promise;
    expect(await own.runTurn(turnOf({ turnId: 'v', model: 'victim' }))).toMatchObject({
      kind: 'failed',
      code: 'engine_crashed',
    });
    gate.resolve();
    expect(await surviving).toEqual({ kind: 'finished' });
    await own.stop();
  });
});

describe('an agent that cannot start', () => {
  it('makes the engine failing with a reason, refuses turns, and recovers by itself', async () => {
    const launcher = createLauncher();
    let broken = true;
    const lines: string[] = [];
    const log: Log = { ...silentLog, error: (text) => void lines.push(text) };
    const own = engineWith({
      log,
      timing: { backoffMs: 5 },
      launcher: {
        launch: (order) => (broken ? Promise.reject(new Error('the fence is down')) : launcher.launch(order)),
      },
    });
    await own.start();
    expect(own.state()).toMatchObject({
      state: 'failing',
      detail: expect.stringContaining('the fence is down'),
    });
    expect(await own.runTurn(turnOf())).toMatchObject({ kind: 'failed', code: 'engine_unavailable' });
    broken = false;
    await expect.poll(() => own.state().state, PATIENT).toBe('ready');
    expect(await own.runTurn(turnOf())).toEqual({ kind: 'finished' });
    await own.stop();
  });
});
