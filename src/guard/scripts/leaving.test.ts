import { describe, expect, test } from 'vitest';
import { MODEL, OWNER, hashOf } from '../../../test/support/script-bench.ts';
import { scriptBenches } from '../../../test/support/script-benches.ts';
import { parseGrant, type OutgoingRequest } from '../secrets/broker/index.ts';
import { mayLeave } from './leaving.ts';

const grant = parseGrant({
  secrets: { KEY: ['api.example.com', 'other.example.com:8443'], NEXT: ['next.example.com'] },
  hosts: ['www.example.com', 'inner.example.com:8080', 'usual.example.com:443'],
  methods: ['GET'],
});
const leaves = (url: string, ...secrets: string[]): boolean => mayLeave({ url, secrets }, grant);

describe('what leaves', () => {
  test('goes to a host of the grant, with the port that it names', () => {
    for (const url of [
      'https://www.example.com/x',
      'http://www.example.com/x',
      'http://inner.example.com:8080/',
      'https://inner.example.com:8080/',
      'https://usual.example.com/',
      'https://api.example.com/',
      'https://other.example.com:8443/',
    ])
      expect([url, leaves(url)]).toEqual([url, true]);
    for (const url of [
      'https://example.com/',
      'https://www.example.com.evil.test/',
      'https://www.example.com@evil.test/',
      'https://www.example.com:8443/',
      'http://inner.example.com/',
      'http://usual.example.com/',
      'http://api.example.com/',
      'https://other.example.com/',
      'https://127.0.0.1/',
      'no address',
    ])
      expect([url, leaves(url)]).toEqual([url, false]);
  });

  test('takes a secret to an origin of that secret alone', () => {
    expect(leaves('https://api.example.com/', 'KEY')).toBe(true);
    expect(leaves('https://other.example.com:8443/', 'KEY')).toBe(true);
    expect(leaves('https://next.example.com/', 'KEY')).toBe(false);
    expect(leaves('https://api.example.com/', 'KEY', 'NEXT')).toBe(false);
    expect(leaves('https://www.example.com/', 'KEY')).toBe(false);
    expect(leaves('http://api.example.com/', 'KEY')).toBe(false);
    expect(leaves('https://api.example.com/', 'UNKNOWN')).toBe(false);
  });
});

describe('a run', () => {
  const benchOf = scriptBenches();
  const source = '# @secrets: KEY\nresult = 1\n';
  const shown = { method: 'GET', url: 'https://api.example.com/', headers: {}, body: '' };
  const request: OutgoingRequest = {
    ...shown,
    headers: [],
    body: undefined,
    timeoutMs: 1,
    maxBytes: 1,
    current: () => true,
    secrets: ['KEY'],
    shown,
  };

  async function running(act: (bench: ReturnType<typeof benchOf>) => Promise<unknown>, order = request) {
    let sent = 0;
    const bench = benchOf({
      secrets: { KEY: 'a secret of some length' },
      send: async () => ((sent += 1), { failed: 'connection_failed' }),
      play: async (_order, { send }) => {
        await act(bench);
        const answer = await send(order, new AbortController().signal);
        return { value: 'failed' in answer ? answer.failed : answer.status };
      },
    });
    await bench.save('job', source);
    await bench.decisions.approve(
      'job',
      { hash: hashOf(source), grant: { secrets: { KEY: ['api.example.com'] }, methods: ['GET'] } },
      OWNER,
    );
    // Nobody tells this one of decisions.
    const deaf = bench.runsWith({ ...bench.library, onChange: () => undefined });
    const done = await deaf.run({ name: 'job', by: MODEL, origin: 'page' });
    return { done, sent, killed: bench.events('script.killed').length };
  }

  test('sends what its grant holds, and nothing that the broker let through by mistake', async () => {
    expect(await running(async () => undefined)).toMatchObject({
      sent: 1,
      killed: 0,
      done: { value: 'connection_failed' },
    });
    const stray = { ...request, url: 'https://evil.example.com/' };
    expect(await running(async () => undefined, stray)).toMatchObject({
      sent: 0,
      killed: 0,
      done: { value: 'address_refused' },
    });
  });

  test('that hears of no decision sends nothing more after one, and its result does not count', async () => {
    for (const act of ['reject', 'disable'] as const)
      expect(
        await running((bench) =>
          act === 'reject' ? bench.decisions.reject('job', {}, OWNER) : bench.decisions.disable('job', OWNER),
        ),
      ).toMatchObject({ sent: 0, killed: 1, done: { value: null, error: { code: 'killed' } } });
    expect(await running((bench) => bench.library.remove('job', OWNER))).toMatchObject({
      sent: 0,
      killed: 1,
    });
    const narrower = { hash: hashOf(source), grant: { secrets: {}, methods: [] } };
    expect(
      await running((bench) =>
        bench.decisions.approve(
          'job',
          { ...narrower, revision: bench.library.require('job').row.revision },
          OWNER,
        ),
      ),
    ).toMatchObject({ sent: 0, killed: 1 });
  });
});
