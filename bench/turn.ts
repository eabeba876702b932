/**
 * What the engine adds to a turn: a text turn, and a turn with one tool call, on an instant model in this process,
 * against asking that model directly; interleaved, because the machine's speed drifts. And what the idle agent weighs.
 * The agent runs from its bundle, behind its fences, as in `npm start`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rolldown } from 'rolldown';

import { silentLog, systemClock } from '../src/core/index.ts';
import type { EngineHandlers, EngineTurn } from '../src/engine/adapter.ts';
import { modelAnswer, toolAnswer, turnOf, type SeenPrompt } from '../src/engine/adapters/builtin/fakes.ts';
import { createBuiltinEngine } from '../src/engine/adapters/builtin/index.ts';
import { createLauncher } from '../src/host/process/index.ts';

const WARM_UP = 20;
const ROUNDS = 200;
const root = path.resolve(import.meta.dirname, '..');
const folder = mkdtempSync(path.join(tmpdir(), 'bench-turn-'));

const PING = { name: 'ping', description: 'Answers.', schema: { type: 'object', properties: {} } };
const handlers: EngineHandlers = {
  llm: async (request) => {
    const prompt = (await request.json()) as SeenPrompt;
    return prompt.tools === undefined || prompt.messages.at(-1)?.role === 'tool'
      ? modelAnswer({ text: ['Hello', ', ', 'you', '.'] })
      : modelAnswer({ calls: [{ id: 'c00010000', name: 'ping', arguments: '{}' }] });
  },
  mcp: async (request) => await toolAnswer(request, () => 'pong'),
};

async function bundle(): Promise<string> {
  const file = path.join(folder, 'agent.mjs');
  const build = await rolldown({
    input: path.join(root, 'src/agent/main.ts'),
    platform: 'node',
    logLevel: 'silent',
  });
  await build.write({ file, format: 'esm', codeSplitting: false });
  return file;
}

async function direct(): Promise<void> {
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], stream: true });
  const response = await handlers.llm(
    new Request('http://llm.internal/v1/chat/completions', { method: 'POST', body }),
  );
  await response.text();
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

function at(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? Number.NaN;
}

function report(name: string, times: readonly number[]): void {
  console.log(
    `${name.padEnd(34)} median ${at(times, 0.5).toFixed(2)} ms   p95 ${at(times, 0.95).toFixed(2)} ms`,
  );
}

function pssMiB(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]) / 1024;
}

const script = await bundle();
const engine = createBuiltinEngine({
  launcher: createLauncher(),
  program: { node: process.execPath, script, read: [script] },
  handlers,
  log: silentLog,
  clock: systemClock,
  timing: { turnsPerProcess: 10_000 },
});
try {
  const startMs = await timed(() => engine.start());
  const [pid = 0] = engine.state().pids;
  console.log(`${'start of the agent'.padEnd(34)} ${startMs.toFixed(0)} ms`);
  console.log(`${'idle, before its first turn'.padEnd(34)} ${pssMiB(pid).toFixed(1)} MiB PSS`);
  const run = async (given: Partial<EngineTurn>): Promise<void> => {
    const outcome = await engine.runTurn(turnOf(given));
    if (outcome.kind !== 'finished') throw new Error(JSON.stringify(outcome));
  };
  const times = { direct: [] as number[], text: [] as number[], tool: [] as number[] };
  for (let i = -WARM_UP; i < ROUNDS; i += 1) {
    const round = [
      await timed(direct),
      await timed(() => run({})),
      await timed(() => run({ tools: [PING] })),
    ] as const;
    if (i < 0) continue;
    times.direct.push(round[0]);
    times.text.push(round[1]);
    times.tool.push(round[2]);
  }
  report('the model directly', times.direct);
  report('a text turn', times.text);
  report('a turn with one tool call', times.tool);
  const over = at(times.text, 0.5) - at(times.direct, 0.5);
  const ratio = at(times.text, 0.5) / at(times.direct, 0.5);
  console.log(
    `${'a text turn over the direct call'.padEnd(34)} ${over.toFixed(2)} ms (target 25), ${ratio.toFixed(1)} times`,
  );
  console.log(
    `${`idle, after ${2 * (WARM_UP + ROUNDS)} turns`.padEnd(34)} ${pssMiB(pid).toFixed(1)} MiB PSS`,
  );
} finally {
  await engine.stop();
  rmSync(folder, { recursive: true });
}
