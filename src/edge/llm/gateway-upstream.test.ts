/** Every way in which an upstream misbehaves ends in one code and words for a person, and never in a call that runs. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startModelRig, type ModelRig } from '../../../test/fakes/model-rig.ts';
import type { FakeAnswer } from '../../../test/fakes/openai-server.ts';

let rig: ModelRig;
const call = { name: 'workspace_list', arguments: { path: 'a' } };

/** A machine with other work may take seconds to begin; only what is about silence waits for less. */
const LIMITS = {
  headersMs: 15_000,
  idleMs: 15_000,
  tailMs: 200,
  totalMs: 30_000,
  retryDefaultMs: 5,
  retryWaitMs: 1_500,
};

beforeEach(async () => {
  rig = await startModelRig({ limits: LIMITS });
});
afterEach(() => rig.close());

async function failure(
  ...answers: FakeAnswer[]
): Promise<{ code: string | undefined; message: string | undefined }> {
  rig.model.next(...answers);
  const seen = await rig.ask();
  const end = rig.turn.steps.at(-1)?.end;
  expect(end?.outcome).toBe('failed');
  expect(end?.error).toMatchObject({ code: seen.error?.code, message: seen.error?.message });
  expect(rig.turn.calls).toEqual([]);
  expect(seen.calls).toEqual([]);
  expect(seen.done).toBe(false);
  expect(rig.auditRows('llm.call').at(-1)).toMatchObject({
    outcome: 'failed',
    details: { result: 'failed', code: seen.error?.code },
  });
  return { code: seen.error?.code, message: seen.error?.message };
}

describe('an HTTP error', () => {
  it('is told with what to do about it', async () => {
    expect(await failure({ status: 401 })).toEqual({
      code: 'llm_unauthorized',
      message: 'Fake did not accept the API key. It said: "fake error 401" Check the key on the Models page.',
    });
    expect((await failure({ status: 403 })).code).toBe('llm_unauthorized');
    expect((await failure({ status: 404 })).code).toBe('llm_model_missing');
    expect((await failure({ status: 402 })).code).toBe('llm_no_credit');
    expect((await failure({ status: 400 })).code).toBe('llm_request_rejected');
    expect((await failure({ status: 418, body: '<html>' })).code).toBe('llm_request_rejected');
    expect((await failure({ fault: 'redirect' })).code).toBe('llm_redirected');
    const body = JSON.stringify({ error: { message: 'too long', code: 'context_length_exceeded' } });
    expect((await failure({ status: 400, body })).code).toBe('llm_context_too_long');
    // Each was asked once.
    expect(rig.model.requests).toHaveLength(8);
  });

  it('is tried again twice when waiting may help, and is then told', async () => {
    const { ask, model, turn, auditRows } = rig;
    model.next({ status: 503 }, { status: 529 }, { text: 'at last' });
    expect((await ask()).text).toBe('at last');
    expect(model.requests).toHaveLength(3);
    expect(turn.steps).toHaveLength(1);
    expect(auditRows('llm.call').at(-1)?.details).toMatchObject({ retries: 2 });
    expect((await failure({ status: 500 }, { status: 502 }, { status: 503 })).code).toBe(
      'llm_upstream_failing',
    );
    expect((await failure({ status: 429 }, { status: 429 }, { status: 429 })).code).toBe('llm_rate_limited');
    expect(model.requests).toHaveLength(9);
  });

  it('waits as long as Retry-After says, but not longer than the cap', async () => {
    const { ask, model } = rig;
    const began = performance.now();
    model.next({ status: 429, headers: { 'retry-after': '1' } }, { text: 'after a second' });
    expect((await ask()).text).toBe('after a second');
    expect(performance.now() - began).toBeGreaterThan(950);
    const { code, message } = await failure({ status: 429, headers: { 'retry-after': '3600' } });
    expect(code).toBe('llm_rate_limited');
    expect(message).toContain('asks to wait 3600 s');
    expect(model.requests).toHaveLength(3);
  });

  it('is not waited for when the turn is stopped meanwhile', async () => {
    const { ask, model, turn } = rig;
    model.next({ status: 429, headers: { 'retry-after': '1' } });
    const asked = ask();
    await expect.poll(() => model.requests.length).toBe(1);
    turn.stop();
    expect((await asked).error?.code).toBe('llm_stopped');
    expect(model.requests).toHaveLength(1);
  });
});

describe('an answer that is none', () => {
  it('is told apart: a web page, an error with 200, JSON without a stream, garbage, nothing', async () => {
    expect((await failure({ fault: 'html' })).code).toBe('llm_web_page');
    const json = { 'content-type': 'application/json' };
    const error = JSON.stringify({ error: { message: 'busy', code: 429 } });
    expect((await failure({ raw: [error], headers: json })).code).toBe('llm_rate_limited');
    expect((await failure({ raw: ['{"choices":[]}'], headers: json })).code).toBe('llm_garbled');
    expect((await failure({ text: 'a ', fault: 'garbage_event' })).code).toBe('llm_garbled');
    expect((await failure({ raw: ['data: 7\n\n'] })).code).toBe('llm_garbled');
    expect((await failure({ raw: [] })).code).toBe('llm_no_finish');
    expect((await failure({})).code).toBe('llm_empty_answer');
    expect((await failure({ text: 'x', fault: 'gzip' })).code).toBe('llm_garbled');
  });

  it('ends when it does not begin, or falls silent', async () => {
    await rig.close();
    rig = await startModelRig({ limits: { ...LIMITS, headersMs: 300 } });
    expect((await failure({ fault: 'hang_before_headers' })).code).toBe('llm_timeout_start');
    await expect.poll(() => rig.model.requests.every((request) => request.aborted)).toBe(true);
    await rig.close();
    rig = await startModelRig({ limits: { ...LIMITS, idleMs: 300 } });
    expect((await failure({ text: 'so far ', calls: [call], fault: 'hang_mid_stream' })).code).toBe(
      'llm_timeout_silent',
    );
    expect(rig.turn.ended).toEqual([{ step: 1, part: 'text', text: 'so far ' }]);
    await expect.poll(() => rig.model.requests.every((request) => request.aborted)).toBe(true);
  });

  it('ends when nobody listens', async () => {
    const { port } = rig.model;
    await rig.model.close();
    expect(port).toBeGreaterThan(0);
    const seen = await rig.ask();
    expect(seen.error?.code).toBe('llm_unreachable');
    expect(rig.turn.steps.at(-1)?.end.outcome).toBe('failed');
    expect(seen.error?.message).toBe(
      'Fake could not be reached. Check that it is running, the base URL on the Models page, and the network.',
    );
  });

  it('yields no call when it was cut, ended early, or says that it failed', async () => {
    expect((await failure({ text: 'x ', calls: [call], fault: 'cut' })).code).toBe('llm_cut');
    expect((await failure({ text: 'x ', calls: [call], fault: 'end_early' })).code).toBe('llm_no_finish');
    expect((await failure({ text: 'x ', calls: [call], finish: null })).code).toBe('llm_no_finish');
    expect((await failure({ calls: [call], finish: 'length' })).code).toBe('llm_call_cut');
    expect((await failure({ calls: [call], finish: 'content_filter' })).code).toBe('llm_filtered');
    expect((await failure({ calls: [call], finish: 'error' })).code).toBe('llm_upstream_failing');
    expect((await failure({ text: 'x ', fault: 'error_event' })).code).toBe('llm_upstream_failing');
  });
});

describe('an answer that is too much', () => {
  it('ends at the caps: endless, 50 MB, one long line, many calls, long arguments', async () => {
    expect((await failure({ fault: 'huge' })).code).toBe('llm_too_large');
    expect((await failure({ fault: 'huge_line' })).code).toBe('llm_too_large');
    expect((await failure({ fault: 'endless' })).code).toBe('llm_too_large');
    const many = Array.from({ length: 65 }, () => call);
    expect((await failure({ calls: many })).code).toBe('llm_too_many_calls');
    const long = { name: 'workspace_write', arguments: { content: 'x'.repeat(300_000) } };
    expect((await failure({ calls: [long] })).code).toBe('llm_too_large');
    await expect.poll(() => rig.model.requests.slice(0, 3).every((request) => request.aborted)).toBe(true);
    for (const { text } of rig.turn.ended) expect(text.length).toBeLessThanOrEqual(4 * 1024 * 1024);
  });

  it('ends at the total limit when it drips', async () => {
    await rig.close();
    rig = await startModelRig({ limits: { totalMs: 400 } });
    rig.model.next({ text: Array.from({ length: 200 }, () => 'drip '), chunkDelayMs: 20 });
    const seen = await rig.ask();
    expect(seen.error?.code).toBe('llm_timeout_total');
    expect(seen.text).toMatch(/^drip /);
  });
});

describe('unreadable arguments', () => {
  const bad: FakeAnswer = { calls: [{ name: 'workspace_read', arguments: '{"path": ' }] };

  it('reach the model as its own mistake, twice; the third in a row ends the turn', async () => {
    const { ask, model, turn } = rig;
    model.next(bad, bad);
    expect((await ask()).calls[0]).toEqual({
      id: 'c00010000',
      name: 'workspace_read',
      arguments: '{"path": ',
    });
    expect((await ask()).calls).toHaveLength(1);
    expect(turn.calls.map(({ calls }) => calls[0]?.arguments)).toEqual([undefined, undefined]);
    model.next(bad);
    expect((await ask()).error?.code).toBe('llm_bad_arguments');
    expect(turn.calls).toHaveLength(2);
    const asked = model.requests.length;
    expect((await ask()).error?.code).toBe('llm_bad_arguments');
    expect(model.requests).toHaveLength(asked);
    expect(turn.refusals.at(-1)?.code).toBe('llm_bad_arguments');
  });

  it('are forgiven after an answer that can be read', async () => {
    const { ask, model } = rig;
    model.next(bad, bad, { calls: [call] }, bad, bad);
    for (let i = 0; i < 5; i += 1) expect((await ask()).error).toBeUndefined();
  });
});

describe('an odd but honest answer', () => {
  it('is read: CRLF, comments, no [DONE], usage with the last chunk, bytes split anywhere', async () => {
    const text = [
      ': keep-alive',
      '',
      'data:{"choices":[{"delta":{"role":"assistant","content":"Grüße 🎉"}}]}',
      '',
      'data: {"choices":[{"delta":{"content":null,"reasoning":"because"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":2}}}',
    ].join('\r\n');
    const bytes = new TextEncoder().encode(text);
    rig.model.next({ raw: Array.from({ length: bytes.length }, (_, i) => bytes.slice(i, i + 1)) });
    const seen = await rig.ask();
    expect(seen).toMatchObject({ text: 'Grüße 🎉', thinking: 'because', finish: 'stop', done: true });
    expect(rig.turn.steps[0]?.end.usage).toEqual({ input: 3, output: 4, cached: 2 });
  });

  it('is complete when only silence or a break follows the finish reason', async () => {
    const end = 'data: {"choices":[{"delta":{"content":"all"},"finish_reason":"stop"}]}\n\n';
    rig.model.next({ raw: [end], noDone: true }, { text: 'well', usage: null, noDone: true });
    expect(await rig.ask()).toMatchObject({ text: 'all', done: true });
    expect(await rig.ask()).toMatchObject({ text: 'well', done: true });
    expect(rig.turn.steps[1]?.end.usage).toEqual({ input: null, output: null, cached: null });
  });

  it('gives its calls without index, with one index for all, with ids anew, and as objects', async () => {
    const event = (calls: unknown): string =>
      `data: ${JSON.stringify({ choices: [{ delta: { tool_calls: calls } }] })}\n\n`;
    const end = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n';
    rig.model.next(
      {
        raw: [
          event([{ id: 'a', function: { name: 'x', arguments: '{"n"' } }]),
          event([{ function: { arguments: ':1}' } }]),
          event([{ id: 'b', function: { name: 'y', arguments: '{}' } }]),
          end,
        ],
      },
      {
        raw: [
          event([{ index: 0, id: 'a', function: { name: 'x', arguments: '{"n":1}' } }]),
          event([{ index: 0, id: 'b', function: { name: 'y', arguments: '{}' } }]),
          end,
        ],
      },
      {
        raw: [
          event([{ index: 0, id: 'a', function: { name: 'x', arguments: '{"n"' } }]),
          event([{ index: 0, id: 'z', function: { arguments: ':1}' } }]),
          event([{ index: 1, id: '', function: { name: 'y' } }]),
          end,
        ],
      },
      {
        raw: [
          event([
            { function: { name: 'x', arguments: { n: 1 } } },
            { function: { name: 'y', arguments: {} } },
          ]),
          end,
        ],
      },
    );
    for (let i = 0; i < 4; i += 1) {
      const seen = await rig.ask();
      expect(seen.calls.map(({ name, arguments: text }) => [name, text])).toEqual([
        ['x', '{"n":1}'],
        ['y', '{}'],
      ]);
      expect(seen.finish).toBe('tool_calls');
    }
  });

  it('carries a note when it was cut off at the limit or by a filter', async () => {
    rig.model.next({ text: 'a long story', finish: 'length' }, { text: 'hm', finish: 'content_filter' });
    expect((await rig.ask()).finish).toBe('length');
    expect((await rig.ask()).finish).toBe('content_filter');
    expect(rig.turn.steps.map(({ end }) => [end.outcome, end.note?.code])).toEqual([
      ['ok', 'llm_length'],
      ['ok', 'llm_filtered'],
    ]);
  });
});
