/** When the gateway says that a model could not be had: by what the upstream did, and only before anybody saw an answer. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startModelRig, type ModelRig } from '../../../test/fakes/model-rig.ts';
import type { FakeAnswer } from '../../../test/fakes/openai-server.ts';
import { meansUnavailable } from './unavailable.ts';

let rig: ModelRig;
const LIMITS = { headersMs: 15_000, idleMs: 15_000, tailMs: 200, retryDefaultMs: 5 };
beforeEach(async () => {
  rig = await startModelRig({ limits: LIMITS });
});
afterEach(() => rig.close());

async function told(...answers: FakeAnswer[]): Promise<string> {
  rig.model.next(...answers);
  await rig.ask();
  const error = rig.turn.steps.at(-1)?.end.error;
  return `${error?.code} ${error?.unavailable ?? false}`;
}

const again = (answer: FakeAnswer): FakeAnswer[] => [answer, answer, answer];

it('a failure before anything of the answer came is one', async () => {
  expect(await told(...again({ status: 503 }))).toBe('llm_upstream_failing true');
  expect(await told(...again({ status: 529 }))).toBe('llm_upstream_failing true');
  expect(await told({ status: 429, headers: { 'retry-after': '3600' } })).toBe('llm_rate_limited true');
  expect(await told({ status: 401 })).toBe('llm_unauthorized true');
  expect(await told({ status: 402 })).toBe('llm_no_credit true');
  expect(await told({ status: 404 })).toBe('llm_model_missing true');
  expect(await told({ fault: 'html' })).toBe('llm_web_page true');
  await rig.close();
  rig = await startModelRig({ limits: { ...LIMITS, headersMs: 300 } });
  expect(await told({ fault: 'hang_before_headers' })).toBe('llm_timeout_start true');
});

it('a failure after words or thoughts of the answer came is none, also when the redactor still held them back', async () => {
  expect(await told({ text: 'Hel', fault: 'cut' })).toBe('llm_cut false');
  expect(await told({ thinking: 'let me see', fault: 'cut' })).toBe('llm_cut false');
  await rig.close();
  rig = await startModelRig({ limits: { ...LIMITS, idleMs: 300 } });
  expect(await told({ text: 'Hel', fault: 'hang_mid_stream' })).toBe('llm_timeout_silent false');
});

it('what the request or the model is to blame for is none', async () => {
  expect(await told({ status: 400 })).toBe('llm_request_rejected false');
  const body = JSON.stringify({ error: { message: 'too long', code: 'context_length_exceeded' } });
  expect(await told({ status: 400, body })).toBe('llm_context_too_long false');
  expect(await told({ fault: 'redirect' })).toBe('llm_redirected false');
  expect(await told({ finish: 'content_filter' })).toBe('llm_filtered false');
  expect(await told({ finish: 'stop' })).toBe('llm_empty_answer false');
});

it('an engine that goes away while the upstream is asked gets none', async () => {
  const leaving = new AbortController();
  rig.model.next({ fault: 'hang_before_headers' });
  const asked = rig.ask({}, { signal: leaving.signal });
  await expect.poll(() => rig.model.requests.length).toBe(1);
  leaving.abort();
  await asked.catch(() => undefined);
  await expect.poll(() => rig.turn.steps.length).toBe(1);
  expect(rig.turn.steps[0]?.end).toMatchObject({ outcome: 'stopped' });
  expect(rig.turn.steps[0]?.end.error).toBeUndefined();
});

it('codes of our own are none', () => {
  for (const code of [
    'budget_turn',
    'llm_body_refused',
    'llm_disabled',
    'llm_no_key',
    'internal_error',
    'constructor',
  ])
    expect(meansUnavailable(code), code).toBe(false);
});
