/** The switch to the fallback model in the running program: who can cause it, what it repeats, and what a crash leaves. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import type { AuditList, Conversation, ModelsAnswer } from '../../src/edge/admin/api.ts';
import { startFakeModel, type FakeModel } from '../fakes/openai-server.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { start, startWithModel } from '../support/with-fake-model.ts';

const AGENT = resolve(import.meta.dirname, '..', 'seams', 'hostile-agent.ts');
const FALLBACK = { provider: 'ollama', model: 'second' } as const;
/** Beyond what the gateway waits for. */
const BUSY = { status: 429, headers: { 'retry-after': '3600' } } as const;
const WRITE = { calls: [{ name: 'memory_write', arguments: { content: 'once\n', append: true } }] };

async function useFallback(program: RunningProgram, second: FakeModel): Promise<void> {
  const changed = await program.api('PUT', '/api/llm/upstreams/ollama', {
    base_url: second.url,
    enabled: true,
  });
  expect(changed.status).toBe(200);
  const chosen = await program.api('PUT', '/api/models/fallback', { fallback: FALLBACK });
  expect(chosen.body).toEqual({ ok: true, fallback: FALLBACK });
}

const memoryOf = ({ workspace }: RunningProgram): string =>
  readFileSync(join(workspace, 'ai-data', 'MEMORY.md'), 'utf8');

test('a turn whose model is busy goes on with the fallback: nothing runs twice, the budget reserves for it, the log has it', async () => {
  const second = await startFakeModel({ otherwise: { text: 'from the second' } });
  try {
    const { program, model } = await startWithModel({});
    await useFallback(program, second);
    model.next(WRITE, BUSY);
    const { events } = await program.say('note it');
    expect(events.find(({ type }) => type === 'switched')).toMatchObject({
      from: { provider: 'openai-compatible', model: 'fake-1' },
      to: FALLBACK,
      code: 'llm_rate_limited',
    });
    expect(events.at(-1)).toMatchObject({ type: 'done', status: 'done' });
    expect(memoryOf(program).split('once').length - 1).toBe(1);
    expect(second.requests).toHaveLength(1);
    expect(second.requests[0]?.body).toMatchObject({ model: 'second' });
    expect(JSON.stringify((await program.api('GET', '/api/capabilities')).body)).toContain(
      'Turns whose model is unavailable go on there, with second.',
    );
    // The key of the first provider stays with it.
    expect(JSON.stringify(second.requests[0]?.headers)).not.toContain('sk-live');
    const { body } = await program.api<AuditList>('GET', '/api/audit?limit=200');
    const rows = body.entries.map(({ event, target, outcome, details }) => ({
      event,
      target,
      outcome,
      details,
    }));
    expect(rows).toContainEqual(
      expect.objectContaining({
        event: 'turn.model_switched',
        details: expect.objectContaining({
          from: 'openai-compatible/fake-1',
          to: 'ollama/second',
          code: 'llm_rate_limited',
          step: 2,
        }),
      }),
    );
    expect(rows).toContainEqual(
      expect.objectContaining({
        event: 'llm.call',
        target: 'ollama/second',
        outcome: 'intent',
        details: expect.objectContaining({ step: 3, reserved_tokens: expect.any(Number) }),
      }),
    );
  } finally {
    await second.close();
  }
});

test('an engine that was taken over can not cause a switch: neither its refused requests nor what it says of its end count', async () => {
  const second = await startFakeModel({});
  try {
    const { program, model } = await startWithModel({ otherwise: { text: 'ok' } }, { agent: AGENT });
    await useFallback(program, second);
    const targets = { pid: program.pid, port: 1, workspace: program.workspace };
    const { events } = await program.say(JSON.stringify(targets));
    expect(model.requests.length).toBeGreaterThan(0);
    expect(second.requests).toEqual([]);
    expect(events.some(({ type }) => type === 'switched')).toBe(false);
  } finally {
    await second.close();
  }
});

test('a fallback that can not be used is refused when it is chosen, and told when it was switched off since', async () => {
  const { program, model } = await startWithModel({});
  const id = await program.newConversation();
  const path = `/api/sessions/${id}`;
  for (const [fallback, status, error] of [
    [FALLBACK, 409, 'llm_disabled'],
    [{ provider: 'nobody', model: 'x' }, 404, 'not_found'],
    [{ provider: 'openai-compatible', model: 'perplexity/sonar' }, 400, 'model_acts_by_itself'],
    ['sometimes', 400, 'invalid_request'],
  ] as const) {
    const answer = await program.api<{ error: string }>('PUT', path, { fallback });
    expect([answer.status, answer.body.error]).toEqual([status, error]);
  }
  expect((await program.api('PUT', '/api/models/fallback', { fallback: FALLBACK })).status).toBe(409);
  const second = await startFakeModel({});
  try {
    await useFallback(program, second);
    await program.api('PUT', '/api/llm/upstreams/ollama', { enabled: false });
    expect((await program.api<ModelsAnswer>('GET', '/api/models')).body.fallback).toEqual(FALLBACK);
    model.next(BUSY);
    const { events } = await program.say('hello');
    expect(events.findLast(({ type }) => type === 'error')).toMatchObject({
      code: 'llm_rate_limited',
      content: expect.stringContaining('The fallback second (ollama) can not be used either'),
    });
    expect(second.requests.filter(({ method }) => method === 'POST')).toEqual([]);
    expect((await program.api<Conversation>('PUT', path, { fallback: 'none' })).body.fallback).toBe('none');
  } finally {
    await second.close();
  }
});

test('a stop and kill -9 while the fallback is asked: the turn ends, nothing runs twice, and it can go on', async () => {
  const second = await startFakeModel({ otherwise: { fault: 'hang_before_headers' } });
  try {
    const { program, model } = await startWithModel({});
    await useFallback(program, second);
    const id = await program.newConversation();
    const chat = await program.chat(id);
    model.next(WRITE, BUSY);
    chat.send({ type: 'message', content: 'note it' });
    await expect.poll(() => second.requests.length, { timeout: 10_000 }).toBe(1);
    const began = performance.now();
    await program.api('POST', `/api/sessions/${id}/abort`);
    expect(await chat.until(({ type }) => type === 'done')).toMatchObject({ status: 'stopped' });
    expect(performance.now() - began).toBeLessThan(1_500);

    model.next(BUSY);
    chat.send({ type: 'message', content: 'and again' });
    await expect.poll(() => second.requests.length, { timeout: 10_000 }).toBe(2);
    await program.kill();
    chat.close();
    const reborn = await start({ workspace: program.workspace });
    const after = await reborn.chat(id);
    expect(
      await after.until((event) => event.type === 'done' && event.status === 'interrupted'),
    ).toMatchObject({ can_retry: true });
    expect(memoryOf(reborn).split('once').length - 1).toBe(1);
    model.next({ text: 'here again' });
    after.send({ type: 'retry' });
    await after.until((event) => event.type === 'done' && event.status === 'done', 20_000);
    after.close();
  } finally {
    await second.close();
  }
}, 60_000);
