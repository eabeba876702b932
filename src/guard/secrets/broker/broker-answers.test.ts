import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../core/index.ts';
import { createKnownSecrets, createRedactor } from '../index.ts';
import { SLICE } from './slices.ts';
import { API, GRANT, open, reply, T, VALUES } from './broker.test-support.ts';

describe('answers', () => {
  const ask = (body: string | Uint8Array, headers: Record<string, string> = {}) => {
    const box = open(() => reply(body, headers));
    return { ...box, answer: box.ask({ url: [`${API}?k=`, T] }) };
  };

  test('the bare value becomes the reference', () => {
    expect(ask(`a ${VALUES.TOKEN} b`).answer.response.body).toEqual(['a ', ['ref', 'TOKEN'], ' b']);
  });

  const value = VALUES.TOKEN;
  const bytes = Buffer.from(value);
  test.each<[string, string]>([
    ['base64', bytes.toString('base64')],
    ['base64 without padding', bytes.toString('base64url')],
    ['base64 twice', Buffer.from(bytes.toString('base64')).toString('base64')],
    ['hex', bytes.toString('hex')],
    ['upper hex', bytes.toString('hex').toUpperCase()],
    ['hex with colons', bytes.toString('hex').replaceAll(/..(?!$)/g, '$&:')],
    ['bytes', [...bytes].join(', ')],
    ['percent', [...bytes].map((byte) => `%${byte.toString(16)}`).join('')],
    ['JSON escapes', [...value].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('')],
    [
      'every second character escaped',
      [...value].map((c, i) => (i % 2 ? c : `%${c.charCodeAt(0).toString(16)}`)).join(''),
    ],
    ['entities', [...value].map((c) => `&#${c.charCodeAt(0)};`).join('')],
    ['reversed', [...value].toReversed().join('')],
    ['upper case', value.toUpperCase()],
    ['mixed case', [...value].map((c, i) => (i % 2 ? c.toUpperCase() : c.toLowerCase())).join('')],
    ['one character a word', [...value].join(' ')],
    ['UTF-16', bytes.toString('latin1').split('').join('\u0000')],
  ])('in another form it is inert: %s', (_form, text) => {
    const { answer, ask: again } = { ...ask(`<${text}>`), ask: undefined };
    expect(again).toBeUndefined();
    expect(answer.response.body[1]).toEqual(['ref', 'TOKEN@1']);
    expect(JSON.stringify(answer)).not.toContain(text.slice(2, -2));
  });

  test('an inert text can not be sent, not even back', () => {
    const { answer, ask: send } = (() => {
      const box = open(() => reply(bytes.toString('hex')));
      return { answer: box.ask({ url: [`${API}?k=`, T] }), ask: box.ask };
    })();
    expect(answer.response.body).toEqual([['ref', 'TOKEN@1']]);
    expect(send({ url: [`${API}?k=`, ['ref', 'TOKEN@1']] }).refused.code).toBe('secret_inert');
  });

  test.each<[string, Uint8Array, Record<string, string>]>([
    ['gzip', gzipSync(`a ${value}`), { 'content-encoding': 'gzip' }],
    ['deflate', deflateSync(`a ${value}`), { 'Content-Encoding': 'deflate' }],
    ['gzip twice', gzipSync(gzipSync(`a ${value}`)), { 'content-encoding': 'gzip, gzip' }],
    [
      'UTF-16 with its name',
      Buffer.from(`\ufeffa ${value}`, 'utf16le'),
      { 'content-type': 'text/plain; charset=utf-16le' },
    ],
  ])('it is looked for behind %s', (_what, body, headers) => {
    const { answer } = ask(body, headers);
    expect(answer.response.body.at(-1)?.[0]).toBe('ref');
    expect(JSON.stringify(answer)).not.toContain(value);
  });

  test.each<[string, Uint8Array, Record<string, string>]>([
    ['compressed without saying so', gzipSync(`a ${value}`), {}],
    [
      'in a character set that hides it',
      Buffer.from(value),
      { 'content-type': 'text/plain; charset=utf-16le' },
    ],
  ])('a body that is %s is inert as a whole', (_what, body, headers) => {
    expect(ask(body, headers).answer.response.body).toEqual([['ref', 'TOKEN@1']]);
  });

  test('a compression bomb is refused', () => {
    const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024));
    expect(ask(bomb, { 'content-encoding': 'gzip' }).answer.refused.code).toBe('response_too_large');
    expect(ask('no gzip', { 'content-encoding': 'gzip' }).answer.refused.code).toBe('bad_response');
    expect(ask('?', { 'content-encoding': 'secret' }).answer.refused.code).toBe('bad_response');
  });

  test('headers are searched too, their names as well', () => {
    const { answer } = ask('', {
      'X-Echo': `was ${value}`,
      [`x-${value.toLowerCase()}`]: '1',
      'X-Hex': bytes.toString('hex'),
    });
    expect(answer.response.headers).toEqual([
      ['x-echo', ['was ', ['ref', 'TOKEN']]],
      ['x-hex', [['ref', 'TOKEN@1']]],
    ]);
  });

  test('sizes and digests are left out once a secret was sent, and only then', () => {
    const headers = { 'content-length': '9', etag: '"a"', 'content-md5': 'x', digest: 'x', 'x-kept': '1' };
    expect(ask('', headers).answer.response.headers).toEqual([['x-kept', ['1']]]);
    const { ask: plain } = open(() => reply('', headers));
    expect(plain({ url: ['https://public.test/'] }).response.headers).toHaveLength(5);
  });

  test('what was sent as a function of a secret is inert when it comes back', () => {
    const { ask: send } = open((request) => reply(Object.fromEntries(request.headers)['x-sig'] ?? ''));
    const answer = send({ url: [API], headers: [['X-Sig', [['hmac', [T], ['message']]]]] });
    expect(answer.response.body).toEqual([['ref', 'TOKEN@1']]);
  });

  test('a secret that the request did not carry stops the run and the owner is told', () => {
    const { ask: send, notices, broker } = open(() => reply(`you are ${value}`));
    expect(send({ url: ['https://public.test/'] }).refused.code).toBe('secret_leak');
    expect(notices).toContainEqual({ event: 'secret_leak', name: 'TOKEN', host: 'public.test' });
    expect(broker.stopped).toBe('secret_leak');
    expect(send({ url: [API] }).refused.code).toBe('stopped');
  });

  test('a weak secret hides the answers of its host, so that nobody can guess with them', () => {
    const { ask: send, notices } = open(() => reply('was it hunter2?', { 'x-a': 'hunter2' }));
    const answer = send({ url: ['https://weak.test/?k=', ['ref', 'PIN']] });
    expect(answer.response).toEqual({ status: 200, headers: [], body: [['ref', 'PIN@1']] });
    expect(send({ url: ['https://weak.test/'] }).response.body).toEqual([['ref', 'PIN@1']]);
    expect(notices).toContainEqual({ event: 'answer_hidden', name: 'PIN', host: 'weak.test' });
  });

  test('unless the grant shows them', () => {
    const secrets = { PIN: { origins: ['https://weak.test'], answers: 'shown' } };
    const { ask: send } = open(() => reply('it is hunter2'), { ...GRANT, secrets });
    expect(send({ url: ['https://weak.test/?k=', ['ref', 'PIN']] }).response.body).toEqual([
      'it is ',
      ['ref', 'PIN'],
    ]);
  });

  test('a weak secret does not travel in a Location', () => {
    const { ask: send, sent, records } = open(() => reply('', { location: '/x?k=hunter2' }, 302));
    expect(send({ url: ['https://weak.test/?k=', ['ref', 'PIN']] }).refused.code).toBe('redirect_refused');
    expect(sent).toHaveLength(1);
    expect(JSON.stringify(records)).not.toContain('hunter2');
  });

  test('a fair secret is looked for on its own host only', () => {
    const { ask: send } = open(() => reply(VALUES.FAIR));
    expect(send({ url: ['https://fair.test/?k=', ['ref', 'FAIR']] }).response.body).toEqual([
      ['ref', 'FAIR'],
    ]);
    expect(send({ url: ['https://public.test/'] }).response.body).toEqual([VALUES.FAIR]);
  });

  test('fresh credentials become references bound to their host', () => {
    const fresh = 'fr_5nQ8wYz2XkLm7RtV';
    const body = `{"access_token":"${fresh}","n":1,"again":"x ${fresh}","Api-Key":{"id":"q1"},"token_count":5}`;
    const { ask: send, sent } = open(() =>
      reply(body, { 'Set-Cookie': `sid=${fresh}; Path=/`, 'X-Auth-Token': 'abc' }),
    );
    const answer = send({ url: [API] });
    const id = answer.response.body[1]?.[1] ?? '';
    expect(answer.response.body).toEqual([
      '{"access_token":"',
      ['ref', id],
      '","n":1,"again":"x ',
      ['ref', id],
      '","Api-Key":{"id":"q1"},"token_count":5}',
    ]);
    expect(JSON.stringify(answer)).not.toContain(fresh);
    expect(JSON.stringify(answer.response.headers)).not.toContain('abc');
    send({ url: [`${API}?t=`, ['ref', id]] });
    expect(sent[1]?.url).toBe(`${API}?t=${fresh}`);
    expect(send({ url: ['https://public.test/?t=', ['ref', id]] }).refused.code).toBe('secret_not_bound');
  });

  test('a grant can name more fields', () => {
    const { ask: send } = open(() => reply('{"pin":"1234","pins":"x"}'), {
      ...GRANT,
      hidden_fields: ['pin'],
    });
    expect(send({ url: [API] }).response.body).toEqual(['{"pin":"', ['ref', 'PIN@1'], '","pins":"x"}']);
  });

  test('a field that holds more than a secret is inert', () => {
    const { answer } = ask(`{"token":"Bearer ${value}"}`);
    expect(answer.response.body).toEqual(['{"token":"', ['ref', 'TOKEN@1'], '"}']);
  });

  test('whether an answer is too large does not depend on a secret in it', () => {
    const near = (token: string, pad: number): string => {
      const box = open(
        () => reply('x'.repeat(pad) + token),
        GRANT,
        { ...VALUES, TOKEN: token },
        { responseBytes: 10_000 },
      );
      return JSON.stringify(box.ask({ url: [`${API}?k=`, T] }).refused?.code ?? 'fine');
    };
    for (const pad of [5_000, 5_904, 5_905, 9_950, 9_980])
      expect(near(value, pad)).toBe(near(`${value}_and_20_more_of_them`, pad));
    expect(near(value, 5_904)).toBe('"fine"');
    expect(near(value, 5_905)).toBe('"response_too_large"');
  });
});

describe('a secret that the script was not granted', () => {
  const FOREIGN = 'fr_6vK1wq8ZtB3';
  const box = (body: string, headers: Record<string, string> = {}, limits = {}) => {
    const known = createKnownSecrets({ clock: systemClock });
    known.add('FOREIGN', FOREIGN);
    known.add('TOKEN', VALUES.TOKEN);
    const { stream } = createRedactor(known);
    return open(() => reply(body, headers), GRANT, VALUES, limits, stream);
  };

  test('is a marker in a body and in a header, however it is encoded, and the owner is told', () => {
    const base64 = Buffer.from(FOREIGN).toString('base64');
    const { ask, notices } = box(`a ${FOREIGN} b ${VALUES.TOKEN} c ${base64}`, { 'x-was': FOREIGN });
    const { body, headers } = ask({ url: [`${API}?k=`, T] }).response;
    expect(body).toEqual(['a [REDACTED:FOREIGN] b ', ['ref', 'TOKEN'], ' c [REDACTED:FOREIGN]']);
    expect(headers).toEqual([['x-was', ['[REDACTED:FOREIGN]']]]);
    expect(notices.filter(({ event }) => event === 'foreign_secret')).toEqual([
      { event: 'foreign_secret', name: 'FOREIGN', host: 'api.test' },
    ]);
  });

  test('is found where a long answer is cut for the search, and does not make it longer than an answer may be', () => {
    const filler = 'x'.repeat(SLICE - 5);
    const whole = box(`${filler}${FOREIGN}${filler}`).ask({ url: [API] }).response.body;
    expect(whole).toEqual([`${filler}[REDACTED:FOREIGN]${filler}`]);
    const many = FOREIGN.repeat(100);
    expect(box(many, {}, { responseBytes: many.length }).ask({ url: [API] }).refused.code).toBe(
      'response_too_large',
    );
  });
});
