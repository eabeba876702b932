import { afterEach } from 'vitest';
import { startFakeModel, type FakeModel, type FakeModelOptions } from '../fakes/openai-server.ts';
import { startProgram, type RunningProgram, type StartOptions } from './running-program.ts';

/** The key of the fake model, as unguessable as a real one. */
export const MODEL_KEY = 'sk-live-Zq8vR2mX7pLw4TnBc91K';

const open: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

/** Ends and removes the program after the test. */
export async function start(options: StartOptions = {}): Promise<RunningProgram> {
  const program = await startProgram(options);
  open.push(async () => {
    await program.kill();
    if (options.workspace === undefined) program.remove();
  });
  return program;
}

/** A program whose model is a fake server that says what the test wants. */
export async function startWithModel(
  model: FakeModelOptions,
  options: StartOptions = {},
): Promise<{ program: RunningProgram; model: FakeModel }> {
  const fake = await startFakeModel(model);
  open.push(() => fake.close());
  const program = await start(options);
  await useModel(program, fake);
  return { program, model: fake };
}

export async function useModel(program: RunningProgram, fake: FakeModel): Promise<void> {
  const changed = await program.api('PUT', '/api/llm/upstreams/openai-compatible', {
    base_url: fake.url,
    enabled: true,
    api_key: MODEL_KEY,
  });
  if (changed.status !== 200) throw new Error(`the upstream was refused: ${JSON.stringify(changed.body)}`);
  const chosen = await program.api('PUT', '/api/models/default', {
    provider: 'openai-compatible',
    model: 'fake-1',
  });
  if (chosen.status !== 200) throw new Error(`the model was refused: ${JSON.stringify(chosen.body)}`);
}

/** The same, for a server that speaks Anthropic's Messages; `url` ends in /v1. */
export async function useAnthropic(
  program: RunningProgram,
  url: string,
  model = 'claude-sonnet-4-5',
): Promise<void> {
  for (const [path, body] of [
    ['/api/llm/upstreams/anthropic', { base_url: url, enabled: true, api_key: MODEL_KEY }],
    ['/api/models/default', { provider: 'anthropic', model }],
  ] as const) {
    const { status, body: answer } = await program.api('PUT', path, body);
    if (status !== 200) throw new Error(`${path} was refused: ${JSON.stringify(answer)}`);
  }
}
