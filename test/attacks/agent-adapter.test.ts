// The built-in engine against an agent that was taken over: its process is the real launcher's, its program hostile.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { silentLog, systemClock } from '../../src/core/index.ts';
import type { EngineAdapter, EngineHandlers, EngineOutcome, EngineTurn } from '../../src/engine/adapter.ts';
import { turnOf } from '../../src/engine/adapters/builtin/fakes.ts';
import { createBuiltinEngine, type EngineTiming } from '../../src/engine/adapters/builtin/index.ts';
import { createLauncher } from '../../src/host/process/index.ts';

// A machine that is busy with other suites is slow.
const PATIENT = { timeout: 15_000 };

const SCRIPT = path.join(import.meta.dirname, 'agent-hostile.mjs');

let folder: string;
let secretFile: string;
let requests: Request[];
let mcp: (request: Request) => Promise<Response>;
const engines: EngineAdapter[] = [];

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'agent-attack-'));
  secretFile = path.join(folder, 'secret');
  writeFileSync(secretFile, 'the key', { mode: 0o644 });
});

afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(() => {
  requests = [];
  mcp = () => new Promise(() => undefined);
});

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
});

const handlers: EngineHandlers = {
  llm: async (request) => await handlers.mcp(request),
  mcp: async (request) => {
    requests.push(request);
    return await mcp(request);
  },
};

async function engineOf(
  timing: Partial<EngineTiming> = {},
  maxProcesses = 2,
): Promise<{
  engine: EngineAdapter;
  run: (act: string, given?: Partial<EngineTurn>) => Promise<EngineOutcome>;
}> {
  const engine = createBuiltinEngine({
    launcher: createLauncher(),
    program: { node: process.execPath, script: SCRIPT, read: [SCRIPT] },
    handlers,
    log: silentLog,
    clock: systemClock,
    maxProcesses,
    timing: { backoffMs: 1, maxBackoffMs: 20, ...timing },
  });
  engines.push(engine);
  await engine.start();
  return {
    engine,
    run: (model, given = {}) => engine.runTurn(turnOf({ model, system: secretFile, ...given })),
  };
}

const gone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

describe('an agent that says what no honest one says', () => {
  it.each([
    'garbage',
    'a frame of no kind',
    'a frame that is a list',
    'a bare newline',
    'a second ready',
    'a pong out of the blue',
    'an endless line',
    'a giant request',
    'a flood of frames',
    'a flood of acks',
    'an ack for more than came',
    "another turn's id",
    'a third target',
    'a target from the prototype',
    'a path that is an address',
    'a path with a line break',
    'a header that is an object',
    'a request number again',
    'too many requests at once',
    'too much at once',
    "the end of another's turn",
    'an outcome of no kind',
  ])('(%s) loses its process and its turn, and the next turn runs in a fresh one', async (act) => {
    const { engine, run } = await engineOf();
    const [pid = 0] = engine.state().pids;
    expect(await run(act)).toMatchObject({ kind: 'failed', code: 'engine_protocol' });
    await expect.poll(() => gone(pid), PATIENT).toBe(true);
    expect(requests.every(({ signal }) => signal.aborted)).toBe(true);
    expect(requests.map(({ url }) => url).filter((url) => url !== 'http://mcp.internal/mcp')).toEqual([]);
    expect(await run('honest')).toEqual({ kind: 'finished' });
    expect(engine.state().pids).not.toContain(pid);
  });

  it('reaches no handler in the name of another turn or beyond the two targets', async () => {
    const { run } = await engineOf();
    for (const act of ["another turn's id", 'a third target', 'a path that is an address']) {
      expect(await run(act)).toMatchObject({ code: 'engine_protocol' });
    }
    expect(requests).toEqual([]);
  });

  it('can ask nothing once its turn is over', async () => {
    const { engine, run } = await engineOf();
    const [pid = 0] = engine.state().pids;
    expect(await run('a request after its end')).toEqual({ kind: 'finished' });
    await expect.poll(() => gone(pid), PATIENT).toBe(true);
    expect(requests).toEqual([]);
  });

  it('has its open requests aborted when it ends its turn', async () => {
    const { run } = await engineOf();
    expect(await run('an end with a request open')).toEqual({ kind: 'finished' });
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([true]);
  });

  it('shows the handlers the capability of an older turn and no header beyond the list', async () => {
    const { run } = await engineOf();
    mcp = (request) =>
      Promise.resolve(
        new Response(null, { status: request.headers.get('authorization') === 'Bearer cap-new' ? 200 : 401 }),
      );
    expect(await run('honest', { turnId: 'turn-1', capability: 'cap-old' })).toEqual({ kind: 'finished' });
    expect(await run('the capability before', { turnId: 'turn-2', capability: 'cap-new' })).toMatchObject({
      code: 'report',
      message: 'report: 401',
    });
    expect(Object.fromEntries(requests[0]?.headers ?? [])).toEqual({ authorization: 'Bearer cap-old' });
  });

  it('puts no control characters into the message that a person reads', async () => {
    const { run } = await engineOf();
    const outcome = await run('an ugly message');
    expect(outcome).toMatchObject({ kind: 'failed', code: 'model_error' });
    const message = outcome.kind === 'failed' ? outcome.message : '';
    expect(message).toMatch(/^a \[31m bc+$/);
    expect(message.length).toBeLessThanOrEqual(1000);
  });
});

describe('an agent that does not end', () => {
  it.each(['busy', 'silent', 'deaf'])('(%s) is gone after a stop', async (act) => {
    const { engine, run } = await engineOf();
    const [pid = 0] = engine.state().pids;
    const abort = new AbortController();
    const outcome = run(act, { signal: abort.signal });
    await new Promise((resolve) => setTimeout(resolve, 100));
    abort.abort();
    expect(await outcome).toEqual({ kind: 'stopped' });
    await expect.poll(() => gone(pid), PATIENT).toBe(true);
    expect(engine.state().detail).toBe(null);
    expect(await run('honest')).toEqual({ kind: 'finished' });
  });

  it.each(['busy', 'deaf', 'stops reading its pipe'])('(%s) is found out by its silence', async (act) => {
    const { engine, run } = await engineOf({ beatMs: 60 });
    const [pid = 0] = engine.state().pids;
    expect(await run(act)).toMatchObject({ kind: 'failed', code: 'engine_hung' });
    await expect.poll(() => gone(pid), PATIENT).toBe(true);
    expect(await run('honest')).toEqual({ kind: 'finished' });
  });

  it('is not taken for one that hangs while it only waits', async () => {
    const { engine, run } = await engineOf({ beatMs: 80 });
    const abort = new AbortController();
    const outcome = run('silent', { signal: abort.signal });
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(engine.state()).toMatchObject({ state: 'ready' });
    abort.abort();
    expect(await outcome).toEqual({ kind: 'stopped' });
  });
});

describe('an agent that dies', () => {
  it('in a call fails its turn only, and the call is aborted', async () => {
    const { engine, run } = await engineOf();
    const abort = new AbortController();
    const other = run('silent', { turnId: 'other', signal: abort.signal });
    expect(await run('exits in a call')).toMatchObject({ kind: 'failed', code: 'engine_crashed' });
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([true]);
    expect(engine.state().pids.length).toBeGreaterThan(0);
    abort.abort();
    expect(await other).toEqual({ kind: 'stopped' });
  });

  it('of its memory says so', async () => {
    const { run } = await engineOf();
    expect(await run('exhausts its heap')).toMatchObject({ kind: 'failed', code: 'engine_out_of_memory' });
  });

  it('three times in a row makes the engine failing, and one good turn heals it', async () => {
    const { engine, run } = await engineOf({}, 1);
    for (let i = 0; i < 3; i += 1) expect(await run('exits')).toMatchObject({ code: 'engine_crashed' });
    expect(engine.state()).toMatchObject({ state: 'failing', detail: expect.stringContaining('3') });
    expect(await run('honest')).toEqual({ kind: 'finished' });
    expect(engine.state()).toMatchObject({ state: 'ready', detail: null });
  });
});

describe('an agent that wastes', () => {
  it('gets no more of an answer than it reads', async () => {
    let pulled = 0;
    mcp = () =>
      Promise.resolve(
        new Response(
          new ReadableStream<Uint8Array>({
            pull(controller) {
              pulled += 1;
              controller.enqueue(new Uint8Array(64 * 1024).fill(97));
            },
          }),
        ),
      );
    const { run } = await engineOf();
    const abort = new AbortController();
    const outcome = run('reads no answer', { signal: abort.signal });
    await expect.poll(() => pulled, PATIENT).toBeGreaterThan(3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(pulled).toBeLessThan(10);
    abort.abort();
    await outcome;
  });

  it('may print 100 MB, which this process does not keep', async () => {
    const { run } = await engineOf();
    const before = process.memoryUsage().rss;
    expect(await run('prints 100 MB')).toEqual({ kind: 'finished' });
    expect(process.memoryUsage().rss - before).toBeLessThan(90 * 1024 * 1024);
  });
});

describe('behind its fence an agent', () => {
  it('cannot fork, open a socket, read files or its parent, write, or signal its parent', async () => {
    const { run } = await engineOf();
    const outcome = await run('looks around');
    const found = JSON.parse(
      outcome.kind === 'failed' ? outcome.message.slice('report: '.length) : '{}',
    ) as object;
    expect(found).toEqual({
      fork: expect.stringMatching(/^E/),
      'read the environment of its parent': 'EACCES',
      'read its neighbours': 'EACCES',
      'read passwords': 'EACCES',
      'write a file': 'EACCES',
      'signal its parent': 'EPERM',
      'have an environment': 'nothing',
      'open a socket': expect.stringMatching(/^E(PERM|ACCES)$/),
    });
  });
});
