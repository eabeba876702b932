import { describe, expect, test } from 'vitest';
import { createScriptBroker } from './create-broker.ts';
import { parseGrant } from './grant.ts';
import type { BrokerNotice, OutgoingRequest } from './ports.ts';
import { fixedSecrets } from './script-secrets.ts';
import { API, GRANT, open, reply, T, VALUES, type Node } from './broker.test-support.ts';

describe('limits of a run', () => {
  test('requests', () => {
    const { ask } = open(undefined, GRANT, VALUES, { requests: 2 });
    expect([1, 2, 3].map(() => ask({ url: [API] }).refused?.code)).toEqual([
      undefined,
      undefined,
      'request_limit',
    ]);
  });

  test('bytes of all answers', () => {
    const { ask } = open(() => reply('x'.repeat(600)), GRANT, VALUES, { totalBytes: 1_000 });
    expect([1, 2, 3].map(() => ask({ url: [API] }).refused?.code)).toEqual([
      undefined,
      'response_too_large',
      'traffic_limit',
    ]);
  });

  test('bytes of answers that are hidden: a fixed size each, however long they are', () => {
    const MIB = 1024 * 1024;
    for (const answer of [reply(''), reply('x'.repeat(MIB)), { failed: 'too_large', status: 200 } as const]) {
      const { ask, sent } = open(() => answer, GRANT, VALUES, { totalBytes: 3 * MIB });
      const codes = [1, 2, 3, 4].map(() => ask({ url: ['https://weak.test/'] }).refused?.code);
      expect(codes).toEqual([undefined, undefined, undefined, 'traffic_limit']);
      expect(sent.map(({ maxBytes }) => maxBytes)).toEqual([MIB, MIB, MIB]);
    }
  });

  test('functions of secrets', () => {
    const { ask } = open();
    const many = (from: number): Node[] =>
      Array.from({ length: 150 }, (_, i) => ['sha256', [T, String(from + i)]]);
    expect(ask({ url: [API], method: 'POST', body: many(0) }).refused).toBeUndefined();
    expect(ask({ url: [API], method: 'POST', body: many(0) }).refused).toBeUndefined();
    expect(ask({ url: [API], method: 'POST', body: many(150) }).refused.code).toBe('request_too_large');
  });

  test.each([
    ['address_refused', 'address_refused'],
    ['timeout', 'http_timeout'],
    ['too_large', 'response_too_large'],
    ['tls_failed', 'tls_failed'],
  ] as const)('a sender that says %s gives %s and no more', (failed, code) => {
    const { ask } = open(() => ({ failed }));
    expect(ask({ url: [`${API}?k=`, T] }).refused.code).toBe(code);
  });
});

describe('asked as the worker asks', () => {
  const deps = (notices: BrokerNotice[], remainingMs = () => 9_000) => ({
    grant: parseGrant(GRANT),
    secrets: fixedSecrets(new Map(Object.entries(VALUES))),
    watcher: { notice: (notice: BrokerNotice) => void notices.push(notice) },
    remainingMs,
  });
  const line = JSON.stringify({ op: 'http', method: 'GET', url: [`${API}?k=`, T], headers: [], body: [] });

  test('it waits for the sender', async () => {
    const broker = createScriptBroker(deps([]));
    const answer = await broker.handle(line, async (request) => {
      await Promise.resolve();
      return reply(request.url);
    });
    expect(JSON.parse(answer)).toMatchObject({ response: { body: [`${API}?k=`, ['ref', 'TOKEN']] } });
  });

  test('one line at a time', async () => {
    const broker = createScriptBroker(deps([]));
    const first = broker.handle(line, () => Promise.resolve(reply('ok')));
    await expect(broker.handle(line, () => Promise.resolve(reply('ok')))).rejects.toThrow(
      'while it was answering',
    );
    expect(await first).toContain('response');
  });

  test('a sender that throws is a fault that says nothing of the request', async () => {
    const notices: BrokerNotice[] = [];
    const broker = createScriptBroker(deps(notices));
    const answer = await broker.handle(line, (request) =>
      Promise.reject(new Error(`no route to ${request.url}`)),
    );
    expect(JSON.parse(answer)).toMatchObject({ refused: { code: 'connection_failed' } });
    expect(answer + JSON.stringify(notices)).not.toContain(VALUES.TOKEN);
    expect(notices).toContainEqual({ event: 'send_fault', host: 'api.test' });
  });

  test('a run without time sends nothing more', async () => {
    const broker = createScriptBroker(deps([], () => 0));
    const answer = await broker.handle(line, () => Promise.reject(new Error('not reached')));
    expect(JSON.parse(answer)).toMatchObject({ refused: { code: 'http_timeout' } });
  });

  test('a notice that can not be written stops the request before it is sent', async () => {
    const sent: OutgoingRequest[] = [];
    const broker = createScriptBroker({
      ...deps([]),
      watcher: {
        notice: () => {
          throw new Error('the disk is full');
        },
      },
    });
    await expect(
      broker.handle(line, (request) => {
        sent.push(request);
        return Promise.resolve(reply('ok'));
      }),
    ).rejects.toThrow('the disk is full');
    expect(sent).toEqual([]);
  });
});
