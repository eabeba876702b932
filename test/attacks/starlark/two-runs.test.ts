/**
 * Attack programs on opaque secrets, one for each channel that a program has. Each runs under five secrets (two of one
 * length, three longer), and everything that anybody but the bound host can observe must be the same: value, error and
 * its line, prints, budgets, sleeps, the list of requests, notices, and what reached other hosts. With opaque values
 * switched off every one of these programs must tell the secrets apart, or it proves nothing.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runTransparent } from '../../seams/transparent-script.ts';
import { runInBox } from '../../support/script-box.ts';
import { factsOf, type OutgoingRequest } from '../../../src/guard/secrets/broker/index.ts';
import { ANSWER_BYTES, hostsOf } from './hosts.ts';

const SECRETS = [
  'sk_live_4f9aB2cD8e7Q',
  'sk_live_9zK1xW3yTr5M',
  'sk_live_Q7h2Lw8Zp4Vn6Xs0Jd3Rk9',
  // What is left of a division by three decides how base64 ends.
  'sk_live_Q7h2Lw8Zp4Vn6Xs0Jd3Rk9b',
  'sk_live_Q7h2Lw8Zp4Vn6Xs0Jd3Rk9bT',
] as const;
const GRANT = {
  secrets: { API_KEY: ['api.test'] },
  hosts: ['api.test', 'other.test', 'api.test:80'],
  methods: ['GET', 'POST'],
};
const LIMITS = { steps: 1_000_000, memory: 4 * 1024 * 1024 };

const folder = join(import.meta.dirname, 'programs');
const programs = globSync('*.star', { cwd: folder })
  .toSorted()
  .map((file) => ({ name: basename(file, '.star'), source: readFileSync(join(folder, file), 'utf8') }));

/** What others than the bound host receive. */
function elsewhere(sent: readonly OutgoingRequest[]): unknown[] {
  return sent
    .filter(({ url }) => !url.startsWith('https://api.test/'))
    .map(({ method, url, headers, body }) => ({ method, url, headers, body }));
}

function observed(source: string, secret: string): string {
  const run = runInBox(
    source,
    {
      secrets: { API_KEY: secret },
      grant: GRANT,
      hosts: hostsOf(secret),
      traffic: { responseBytes: ANSWER_BYTES },
    },
    LIMITS,
  );
  return JSON.stringify({
    outcome: run.outcome,
    notices: run.notices,
    records: run.records,
    slept: run.slept,
    stopped: run.broker.stopped,
    elsewhere: elsewhere(run.sent),
  });
}

function observedInTheClear(source: string, secret: string): string {
  const run = runTransparent(source, { API_KEY: secret }, hostsOf(secret), LIMITS);
  const seen = { outcome: run.outcome, slept: run.slept, elsewhere: elsewhere(run.sent) };
  return JSON.stringify(seen, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

test('there are at least 60 programs', () => {
  expect(programs.length).toBeGreaterThanOrEqual(60);
});

describe('nothing that can be observed depends on the secret', () => {
  test.each(programs)('$name', ({ source }) => {
    const [first, ...others] = SECRETS.map((secret) => observed(source, secret));
    for (const other of others) expect(other).toBe(first);
    for (const secret of SECRETS) expect(first).not.toContain(secret);
    expect(first).not.toContain('"code":"syntax"');
    expect(first).not.toContain('"code":"resolve"');
  });
});

/** What could be guessed is treated otherwise, and must not tell itself apart from others of its kind. */
describe.each([
  ['weak', ['hunter2', 'dragon7', 'sunshine1234567']],
  ['fair', ['wk-0123456789abcdef', 'wk-9876543210fedcba', 'wk-0123456789abcdef-zz9']],
] as const)('nor on one that is %s', (strength, secrets) => {
  test('which is what they are', () => {
    expect(secrets.map((secret) => factsOf(secret)?.strength)).toEqual(secrets.map(() => strength));
  });

  test.each(programs)('$name', ({ source }) => {
    const [first, ...others] = secrets.map((secret) => observed(source, secret));
    for (const other of others) expect(other).toBe(first);
    for (const secret of secrets) expect(first).not.toContain(secret);
  });
});

describe('with opaque values switched off the attack succeeds', () => {
  test.each(programs)('$name', ({ source }) => {
    const seen = new Set(SECRETS.map((secret) => observedInTheClear(source, secret)));
    expect(seen.size).toBeGreaterThan(1);
  });
});
