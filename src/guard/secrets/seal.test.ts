import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { AppError, silentLog, systemClock } from '../../core/index.ts';
import { createAudit } from '../audit/index.ts';
import {
  createAuditStore,
  createSettingsStore,
  openDatabase,
  type AuditHead,
} from '../../host/storage/index.ts';
import { createKnownSecrets } from './known-secrets.ts';
import { sealedKeys } from './key-files.ts';
import { deriveKey, newMasterKey, recordMasterKey } from './master-key.ts';
import { sealKey } from './passphrase.ts';
import { createRedactor } from './redactor.ts';
import { createSeal } from './seal.ts';

const PASSPHRASE = 'violet otter kettle sandwich 47';
const WHO = { principal: { kind: 'operator' }, origin: 'cli' } as const;

let undo: (() => void) | undefined;
afterEach(() => undo?.());

async function bench(protection: 'passphrase' | 'key_file') {
  const folder = mkdtempSync(join(tmpdir(), 'openpact-seal-'));
  const database = openDatabase({ path: join(folder, 'openpact.db') });
  undo = () => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const settings = createSettingsStore(database);
  const master = newMasterKey();
  recordMasterKey(master, settings, 0);
  const file = { read: () => text, replace: () => undefined, remove: () => false };
  const text = await sealKey(master, PASSPHRASE, { memory: 8, passes: 1 });
  const keys = sealedKeys({ current: file, next: { ...file, read: () => undefined } }, settings);
  if (keys === undefined) throw new Error('no sealed key');
  const audit = createAudit({
    store: createAuditStore(database),
    database,
    clock: systemClock,
    log: silentLog,
    redactor: createRedactor(createKnownSecrets({ clock: systemClock })),
    key: protection === 'key_file' ? deriveKey(master, 'audit') : null,
    // In the database, as in the program: what is rolled back takes it along.
    anchor: {
      get: () => settings.get('anchor') as unknown as AuditHead | undefined,
      set: (head) =>
        head === undefined ? settings.delete('anchor') : settings.set('anchor', { ...head }, 0),
    },
    fresh: true,
  });
  const seal = createSeal({
    protection,
    master: protection === 'key_file' ? master : keys,
    opened: (key) => audit.unseal(deriveKey(key, 'audit')),
    locked: () => audit.seal(),
    audit: () => audit,
    clock: systemClock,
  });
  const say = (event: string) =>
    audit.append({ event, principal: { kind: 'system' }, origin: 'system', target: '', outcome: 'ok' });
  const events = () =>
    audit
      .list({ limit: 100 })
      .map(({ event }) => event)
      .toReversed();
  return { seal, audit, say, events, database };
}

function code(act: () => unknown): string {
  try {
    act();
    return 'ok';
  } catch (error) {
    return error instanceof AppError ? error.code : 'bug';
  }
}

test('a vault that is locked has no key, ends what stood on it, and opens with its passphrase again; the log stays whole', async () => {
  const { seal, audit, say, events } = await bench('passphrase');
  const ended: string[] = [];
  seal.whenLocked(({ origin }) => ended.push(`${origin}, the key ${code(() => seal.key('seal'))}`));
  await seal.unlock(PASSPHRASE, WHO);
  say('b.open');
  seal.lock(WHO);
  expect([seal.sealed(), code(() => seal.key('seal')), ended]).toEqual([
    true,
    'vault_sealed',
    ['cli, the key ok'],
  ]);
  seal.lock(WHO);
  say('c.sealed');
  await expect(seal.unlock('another one, and long', WHO)).rejects.toMatchObject({ code: 'wrong_passphrase' });
  await seal.unlock(PASSPHRASE, WHO);
  expect(code(() => seal.key('seal'))).toBe('ok');
  expect(events()).toEqual([
    'vault.unlocked',
    'b.open',
    'vault.locked',
    'c.sealed',
    'vault.unlock_failed',
    'vault.unlocked',
  ]);
  expect(await audit.verify()).toMatchObject({ ok: true, signed: true });
});

test('what was begun while the vault was open ends at the next lock, and at no other', async () => {
  const { seal } = await bench('passphrase');
  await seal.unlock(PASSPHRASE, WHO);
  const first = seal.untilLocked();
  expect(first.aborted).toBe(false);
  seal.lock(WHO);
  expect([first.aborted, code(() => first.throwIfAborted())]).toEqual([true, 'vault_sealed']);
  await seal.unlock(PASSPHRASE, WHO);
  const second = seal.untilLocked();
  expect(second.aborted).toBe(false);
  seal.lock(WHO);
  expect(second.aborted).toBe(true);
});

test('the key is gone also where something that stood on it could not be ended', async () => {
  const { seal } = await bench('passphrase');
  await seal.unlock(PASSPHRASE, WHO);
  const ended: string[] = [];
  seal.whenLocked(() => {
    throw new Error('the disk is full');
  });
  seal.whenLocked(() => ended.push('the next'));
  const until = seal.untilLocked();
  expect(() => seal.lock(WHO)).toThrow('the disk is full');
  expect(seal.sealed()).toBe(true);
  // It keeps nothing else from being ended.
  expect([ended, until.aborted]).toEqual([['the next'], true]);
});

test('where the opening can not be written down no key stays behind, and the next try opens it', async () => {
  const { seal, audit, say, database } = await bench('passphrase');
  await seal.unlock(PASSPHRASE, WHO);
  say('b.open');
  const digest = audit.digest('x');
  seal.lock(WHO);
  database.run("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  await expect(seal.unlock(PASSPHRASE, WHO)).rejects.toMatchObject({ code: 'audit_failed' });
  expect([seal.sealed(), code(() => seal.key('audit'))]).toEqual([true, 'vault_sealed']);
  // Digests are keyed with it.
  expect(audit.digest('x')).not.toBe(digest);
  database.run('DROP TRIGGER full');
  await seal.unlock(PASSPHRASE, WHO);
  expect(audit.digest('x')).toBe(digest);
  expect(await audit.verify()).toMatchObject({ ok: true, signed: true });
});

test('one that can not be made ready is locked again, and the next opening does what is left', async () => {
  const { seal, audit, events } = await bench('passphrase');
  const done: string[] = [];
  let broken = true;
  seal.whenOpen(() => void done.push('first'));
  seal.whenOpen(() => {
    if (broken) throw new Error('what is to be hidden can not be read');
    done.push('second');
  });
  seal.whenOpen(() => void done.push('third'));
  await expect(seal.unlock(PASSPHRASE, WHO)).rejects.toThrow('can not be read');
  expect([seal.sealed(), done]).toEqual([true, ['first']]);
  broken = false;
  await seal.unlock(PASSPHRASE, WHO);
  seal.lock(WHO);
  await seal.unlock(PASSPHRASE, WHO);
  expect([seal.sealed(), done]).toEqual([false, ['first', 'second', 'third']]);
  expect(events().slice(0, 3)).toEqual(['vault.unlocked', 'vault.locked', 'vault.unlocked']);
  expect(await audit.verify()).toMatchObject({ ok: true, signed: true });
});

test('an entry from before that is changed while the vault is locked is found when it is opened', async () => {
  const { seal, audit, say, events, database } = await bench('passphrase');
  await seal.unlock(PASSPHRASE, WHO);
  say('b.open');
  seal.lock(WHO);
  database.run("UPDATE audit SET target = 'another' WHERE event = 'b.open'", {});
  await seal.unlock(PASSPHRASE, WHO);
  expect((await audit.verify()).ok).toBe(false);
  expect(events()).toContain('b.open');
});

test('a vault whose key nobody could give again is not locked', async () => {
  const { seal, events } = await bench('key_file');
  expect(code(() => seal.lock(WHO))).toBe('vault_not_lockable');
  expect([seal.sealed(), events()]).toEqual([false, []]);
});
