import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { BrokerAnswer, WireRope } from '../../../sandbox/wire/index.ts';
import { answerLine } from './answer-line.ts';
import { createScriptBroker, fixedSecrets, parseGrant } from './index.ts';
import type { OutgoingRequest, ScriptSecrets, SendResult } from './ports.ts';
import { SLICE } from './slices.ts';

const KEY = 'ghp_8fJ2kQxW5tZp9LmNv3RsYb7Hd';
const QUESTION = JSON.stringify({
  op: 'http',
  method: 'GET',
  url: ['https://api.example.com/'],
  headers: [['x-key', [['ref', 'KEY']]]],
  body: [],
});

function brokerWith(more: { readonly over?: () => boolean; readonly secrets?: ScriptSecrets } = {}) {
  return createScriptBroker({
    grant: parseGrant({ secrets: { KEY: ['api.example.com'] }, hosts: [], methods: ['GET'] }),
    secrets: fixedSecrets(new Map([['KEY', KEY]])),
    watcher: { notice: () => undefined },
    remainingMs: () => 60_000,
    ...more,
  });
}

const reply = (body: string, type = 'text/plain'): SendResult => ({
  status: 200,
  headers: [['content-type', type]],
  body: Buffer.from(body),
});

async function bodyOf(body: string, type?: string): Promise<WireRope | string> {
  const line = await brokerWith().handle(QUESTION, async () => reply(body, type));
  const answer = JSON.parse(line) as BrokerAnswer;
  if ('response' in answer) return answer.response.body;
  return 'refused' in answer ? answer.refused.code : 'something else';
}

describe('a long answer', () => {
  test('is searched across the ends of slices, wherever the secret lies', async () => {
    for (let before = 0; before <= KEY.length; before += 1) {
      const filler = 'x'.repeat(SLICE - before);
      expect(await bodyOf(`${filler}${KEY}-`)).toEqual([filler, ['ref', 'KEY'], '-']);
      // With escapes in it, which make a second text with other ends.
      const escaped = await bodyOf(`%41${filler}\\u0067${KEY.slice(1)}`);
      expect(escaped).toEqual([`%41${filler}`, ['ref', 'KEY@1']]);
    }
  });

  test('with base64, fields of JSON and fields of forms over the ends of slices hides them whole', async () => {
    const pad = 'x'.repeat(SLICE - 40);
    const word = Buffer.from(`${pad}${KEY}${pad}`).toString('base64');
    expect(await bodyOf(`a ${word} b`)).toEqual(['a ', ['ref', 'KEY@1'], ' b']);
    const value = 'q'.repeat(3 * SLICE);
    expect(await bodyOf(`{"${pad}": 1, "token": "${value}"}`)).toEqual([
      `{"${pad}": 1, "token": "`,
      ['ref', 'CREDENTIAL@1'],
      '"}',
    ]);
    expect(await bodyOf(`${pad}=1&token=${value}&b=2`, 'application/x-www-form-urlencoded')).toEqual([
      `${pad}=1&token=`,
      ['ref', 'CREDENTIAL@1'],
      '&b=2',
    ]);
  });

  test('lets others have their turn again and again, and is given up when its run is over', async () => {
    let turns = 0;
    const ended = new AbortController();
    void (async () => {
      for (; !ended.signal.aborted; turns += 1) await turn();
    })();
    const body = 'abc%41 "'.repeat(100_000);
    await bodyOf(body);
    expect(turns).toBeGreaterThan(body.length / SLICE);
    const before = turns;
    const line = await brokerWith({ over: () => true }).handle(QUESTION, async () => reply(body));
    ended.abort();
    expect(turns - before).toBeLessThan(10);
    expect(JSON.parse(line)).toMatchObject({ refused: { code: 'stopped' } });
  });

  test('with more hidden places than there is room for is too large, after a look at a part of it', async () => {
    expect(await bodyOf(`${KEY} `.repeat(300_000))).toBe('response_too_large');
    const form = 'token=abcdef&'.repeat(300_000);
    expect(await bodyOf(form, 'application/x-www-form-urlencoded')).toBe('response_too_large');
  });

  test('travels as the JSON that it is, whatever is cut in the middle', () => {
    const answer: BrokerAnswer = {
      response: {
        status: 200,
        headers: [['x-a', ['b', ['ref', 'KEY']]]],
        body: [`a${'😀'.repeat(SLICE)}"\\\u0001`, ['ref', 'KEY'], ''],
      },
    };
    const steps = answerLine(answer);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    expect(JSON.parse(step.value)).toEqual(answer);
  });
});

describe('escapes of escapes', () => {
  test.each([
    ['one', [...KEY].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('')],
    ['two', [...KEY].map((c) => `\\\\u00${c.charCodeAt(0).toString(16)}`).join('')],
    ['three', [...KEY].map((c) => `%2525${c.charCodeAt(0).toString(16)}`).join('')],
    ['mixed', [...KEY].map((c) => `&#37;${c.charCodeAt(0).toString(16)}`).join('')],
  ])('are undone, %s deep', async (_depth, text) => {
    expect(await bodyOf(`so: ${text}.`)).toEqual(['so: ', ['ref', 'KEY@1'], '.']);
  });
});

describe('a secret that changes while a request is on its way', () => {
  const NEXT = 'ghp_Qq7ZnX2v8LrTk4Wm1Cd0Pj6Sa';
  function changing() {
    let value = KEY;
    const inner = (): ScriptSecrets => fixedSecrets(new Map(value === '' ? [] : [['KEY', value]]));
    const state = { bound: true, former: [] as string[] };
    const secrets: ScriptSecrets = {
      facts: (name) => inner().facts(name),
      openValue: (name) => inner().openValue(name),
      formerValues: () => state.former,
      mayReach: () => state.bound,
    };
    return { state, secrets, set: (next: string) => void (value = next) };
  }
  const keyIn = (request: OutgoingRequest): string | undefined =>
    request.headers.find(([name]) => name === 'x-key')?.[1];

  test('is not current any more, and the request is filled in anew', async () => {
    const { secrets, set } = changing();
    const sent: (string | undefined)[] = [];
    const line = await brokerWith({ secrets }).handle(QUESTION, async (request) => {
      expect(request.current()).toBe(true);
      if (sent.length === 0) {
        set(NEXT);
        sent.push('nothing');
        expect(request.current()).toBe(false);
        return { failed: 'outdated' };
      }
      sent.push(keyIn(request));
      return reply(`${NEXT} was ${KEY}`);
    });
    expect(sent).toEqual(['nothing', NEXT]);
    // It was never sent, but was put together: it is looked for all the same.
    expect(JSON.parse(line)).toMatchObject({
      response: { body: [['ref', 'KEY'], ' was ', ['ref', 'KEY@1']] },
    });
  });

  test('and is gone, or bound elsewhere, is sent no more', async () => {
    const gone = changing();
    const first = await brokerWith({ secrets: gone.secrets }).handle(QUESTION, async () => {
      gone.set('');
      return { failed: 'outdated' };
    });
    expect(JSON.parse(first)).toMatchObject({ refused: { code: 'secret_not_granted' } });
    const narrowed = changing();
    const second = await brokerWith({ secrets: narrowed.secrets }).handle(QUESTION, async (request) => {
      narrowed.state.bound = false;
      expect(request.current()).toBe(false);
      return { failed: 'outdated' };
    });
    expect(JSON.parse(second)).toMatchObject({ refused: { code: 'secret_not_bound' } });
  });

  test('is hidden in the answer that comes later, deleted ones and those of before the run too', async () => {
    const { secrets, set, state } = changing();
    state.former = ['sk-Vn4Qy7Lk2Xw9Rt5Bz8Gm3Hc6'];
    const line = await brokerWith({ secrets }).handle(QUESTION, async () => {
      set('');
      return reply(`${KEY} ${Buffer.from(KEY).toString('hex')} sk-Vn4Qy7Lk2Xw9Rt5Bz8Gm3Hc6`);
    });
    expect(JSON.parse(line)).toMatchObject({
      response: { body: [['ref', 'KEY@1'], ' ', ['ref', 'KEY@1'], ' ', ['ref', 'KEY@1']] },
    });
  });

  test('is hidden as a function that was sent of it too, and as the path of a webhook', async () => {
    const { secrets, set } = changing();
    const basic = Buffer.from(`me:${KEY}`).toString('base64');
    const question = QUESTION.replace('["ref","KEY"]', '["sha256",[["ref","KEY"]]]');
    expect(question).not.toBe(QUESTION);
    const line = await brokerWith({ secrets }).handle(question, async (request) => {
      set('');
      return reply(`${keyIn(request)} ${basic}`);
    });
    expect(JSON.parse(line)).toMatchObject({ response: { body: [['ref', 'KEY@1'], ' ', ['ref', 'KEY@1']] } });
    const hook = changing();
    const path = 'T00/B00/Vn4Qy7Lk2Xw9Rt5Bz8Gm3Hc6';
    hook.set(`https://api.example.com/${path}`);
    const webhook = JSON.stringify({ ...JSON.parse(QUESTION), url: [['ref', 'KEY']], headers: [] });
    const told = await brokerWith({ secrets: hook.secrets }).handle(webhook, async () => {
      hook.set('');
      return reply(`so: ${path}`);
    });
    expect(JSON.parse(told)).toMatchObject({ response: { body: ['so: ', ['ref', 'KEY@1']] } });
  });
});
