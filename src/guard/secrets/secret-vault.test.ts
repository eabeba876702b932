import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../core/index.ts';
import { openDatabase, createAuditStore, type Database } from '../../host/storage/index.ts';
import { createSealedStore } from '../../host/storage/sealed-store.ts';
import { createSecretsStore } from '../../host/storage/secrets-store.ts';
import { createAudit, type Audit } from '../audit/index.ts';
import { vaultSecrets } from './broker/index.ts';
import {
  createKnownSecrets,
  createRedactor,
  createSealedVault,
  createSecretVault,
  matchedNames,
  type KnownSecretsSource,
  type SealedVault,
  type SecretVault,
} from './index.ts';

const VALUE = 'ghp_8fJ2kQxW5tZp9LmNv3';
const BY = { kind: 'user', id: 'usr_1', name: 'owner' } as const;
const HOUR = 3_600_000;

let folder: string;
let database: Database;
let now: number;
let clock: Clock;
let known: KnownSecretsSource;
let audit: Audit;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openpact-secrets-'));
  database = openDatabase({ path: join(folder, 'db') });
  now = Date.parse('2026-03-01T12:00:00Z');
  clock = { ...systemClock, now: () => now, monotonic: () => now };
  known = createKnownSecrets({ clock });
  audit = createAudit({
    store: createAuditStore(database),
    database,
    clock,
    log: { debug() {}, info() {}, warn() {}, error() {} } as never,
    redactor: createRedactor(known),
    key: new Uint8Array(32).fill(1),
    fresh: true,
  });
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

function make(environment: Record<string, string> = {}, config: Record<string, string> = {}) {
  const vault: SealedVault = createSealedVault({
    store: createSealedStore(database),
    clock,
    key: new Uint8Array(32).fill(9),
    known,
    given: { first: (name) => environment[name], last: (name) => config[name] },
    keepMs: HOUR,
    afterCommit: (act) => database.afterCommit(act),
  });
  const secrets: SecretVault = createSecretVault({
    vault,
    store: createSecretsStore(database),
    database,
    audit,
    redactor: createRedactor(known),
    clock,
    environment: matchedNames(Object.entries(environment)),
    config: matchedNames(Object.entries(config)),
  });
  return { vault, secrets, given: vaultSecrets(vault) };
}

it('the variable wins over the vault, the vault over the configuration, for the broker and in what is shown', () => {
  const stored = make().secrets;
  for (const name of ['A', 'B']) stored.create(name, { value: `${VALUE}-${name}` }, BY);
  const { secrets, given } = make(
    { A: 'from-the-variable-7Q' },
    { B: 'from-the-file-8Zx', C: 'from-the-file-9Kw' },
  );
  expect(['A', 'B', 'C', 'D'].map((name) => given.openValue(name))).toEqual([
    'from-the-variable-7Q',
    `${VALUE}-B`,
    'from-the-file-9Kw',
    undefined,
  ]);
  expect(secrets.list().map(({ name, source, stored: own }) => [name, source, own])).toEqual([
    ['A', 'environment', true],
    ['B', 'vault', true],
    ['C', 'config', false],
  ]);
  expect(() => secrets.change('C', { note: 'x' }, BY)).toThrow(
    expect.objectContaining({ code: 'secret_not_stored' }),
  );
  expect(() => secrets.remove('D', BY)).toThrow(expect.objectContaining({ code: 'not_found' }));
});

it('a change and its row in the log are one: without the row nothing is changed', () => {
  const { vault } = make();
  const failing = createSecretVault({
    vault,
    store: createSecretsStore(database),
    database,
    audit: {
      ...audit,
      append: () => {
        throw new Error('no room');
      },
    },
    redactor: createRedactor(known),
    clock,
    environment: new Map(),
    config: new Map(),
  });
  expect(() => failing.create('A', { value: VALUE }, BY)).toThrow('no room');
  expect([vault.list(), make().secrets.list()]).toEqual([[], []]);
});

it('after a rotation that was rolled back the old value is hidden for as long as it is in use', () => {
  const { vault, secrets } = make();
  secrets.create('A', { value: VALUE }, BY);
  expect(() =>
    database.tx(() => {
      vault.put({ kind: 'script', name: 'A' }, `${VALUE}-other`);
      throw new Error('the disk is full');
    }),
  ).toThrow();
  now += 2 * HOUR;
  expect(createRedactor(known).text(VALUE).value).toBe('[REDACTED:A]');
});

it('a value that was replaced or deleted is hidden for the time that was set, over a restart too, and not longer', () => {
  const { secrets } = make();
  secrets.create('A', { value: VALUE }, BY);
  secrets.change('A', { value: `next-${VALUE}` }, BY);
  secrets.remove('A', BY);
  known = createKnownSecrets({ clock });
  make().vault.loadKnown();
  expect(createRedactor(known).text(`${VALUE} next-${VALUE}`).value).toBe('[REDACTED:A] [REDACTED:A]');
  now += HOUR + 1;
  expect(createRedactor(known).text(VALUE).value).toBe(VALUE);
  known = createKnownSecrets({ clock });
  make().vault.loadKnown();
  expect(createRedactor(known).text(VALUE).value).toBe(VALUE);
});

it('a day to rotate is soon, then due, and a rotation answers it', () => {
  const { secrets } = make();
  secrets.create('A', { value: VALUE, rotateBy: '2026-03-20' }, BY);
  expect(secrets.get('A')?.due).toBe('no');
  now = Date.parse('2026-03-10T00:00:00Z');
  expect(secrets.get('A')?.due).toBe('soon');
  now = Date.parse('2026-03-20T00:00:00Z');
  expect(secrets.get('A')?.due).toBe('due');
  expect(secrets.change('A', { value: `${VALUE}2` }, BY)).toMatchObject({ due: 'no', rotateBy: null });
});

it('hosts have one spelling, bind where it may be sent, and more of them is more power', () => {
  const { secrets } = make();
  secrets.create(
    'A',
    { value: VALUE, hosts: ['API.Example.com:443', 'b.example:8443', 'api.example.com'] },
    BY,
  );
  expect(secrets.get('A')?.hosts).toEqual(['api.example.com', 'b.example:8443']);
  expect(
    ['api.example.com', 'api.example.com:443', 'b.example', 'evil.example'].map((host) =>
      secrets.mayReach('A', host),
    ),
  ).toEqual([true, true, false, false]);
  expect(
    [['b.example:8443'], ['b.example:8443', 'c.example'], []].map((hosts) => secrets.wouldWiden('A', hosts)),
  ).toEqual([false, true, true]);
});

it('a value in a wrong field is found in small letters and in capitals too, and a host as it was written', () => {
  const { secrets } = make();
  const value = 'sk-live-9fK2mQ8xLp4Tz7';
  const code = (act: () => unknown): unknown => {
    try {
      return act();
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  for (const fields of [{ hosts: [value] }, { hosts: [`${value}.example`] }, { note: value.toUpperCase() }])
    expect(code(() => secrets.create('A', { value, ...fields }, BY))).toBe('secret_in_field');
  expect(code(() => secrets.create('AKIA4OLDNAME7QZX', { value: 'akia4oldname7qzx' }, BY))).toBe(
    'secret_in_field',
  );
  expect(secrets.list()).toEqual([]);
  secrets.create('A', { value }, BY);
  expect(code(() => secrets.change('A', { hosts: [value] }, BY))).toBe('secret_in_field');
  expect(code(() => secrets.create('B', { value: VALUE, hosts: [`a.${value}`] }, BY))).toBe(
    'secret_in_field',
  );
  // A short one may stand in a name by chance.
  expect(
    secrets.create('GIT_TOKEN', { value: 'git4', confirmWeak: true, hosts: ['git.example'] }, BY).name,
  ).toBe('GIT_TOKEN');
});

it('who used it last is noted, the same one at most once a minute', () => {
  const { secrets } = make();
  secrets.create('A', { value: VALUE }, BY);
  secrets.used('A', 'script weather.star');
  const first = now;
  now += 30_000;
  secrets.used('A', 'script weather.star');
  expect(secrets.get('A')?.lastUsed).toEqual({ at: first, by: 'script weather.star' });
  secrets.used('A', 'script news.star');
  expect(secrets.get('A')?.lastUsed).toEqual({ at: now, by: 'script news.star' });
});
