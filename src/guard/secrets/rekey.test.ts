import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/index.ts';
import {
  createAuditStore,
  createSettingsStore,
  openDatabase,
  type Database,
} from '../../host/storage/index.ts';
import { createSealedStore } from '../../host/storage/sealed-store.ts';
import { createAudit } from '../audit/index.ts';
import { createKnownSecrets, createRedactor, createSealedVault, revealSecret } from './index.ts';
import { sealedKeys, type KeyFiles } from './key-files.ts';
import {
  checkMasterKey,
  deriveKey,
  fitsMasterKey,
  keyText,
  newMasterKey,
  readKeyText,
} from './master-key.ts';
import { openKey, parsePassphraseBox, requireGoodPassphrase, sealKey } from './passphrase.ts';
import { rekey, type NewKey } from './rekey.ts';

const CHEAP = { memory: 64, passes: 1 };
const PASSPHRASE = 'violet otter kettle sandwich 47';
const REF = { kind: 'script', name: 'TOKEN' } as const;
const VALUE = 'ghp_8fJ2kQxW5tZp9LmNv3';

let folder: string;
let database: Database;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openpact-rekey-'));
  database = openDatabase({ path: join(folder, 'db') });
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

/** Two files that die (as with kill -9) at the so-manieth change. */
function files(current: string | undefined, next?: string) {
  const state = { current, next, changes: 0, dieAt: Number.POSITIVE_INFINITY };
  const one = (name: 'current' | 'next') => ({
    read: () => state[name],
    replace(text: string) {
      step();
      state[name] = text;
    },
    remove() {
      step();
      state[name] = undefined;
      return true;
    },
  });
  const step = (): void => {
    state.changes += 1;
    if (state.changes >= state.dieAt) throw new Error('killed');
  };
  return { state, files: { current: one('current'), next: one('next') } satisfies KeyFiles };
}

function open(master: Uint8Array) {
  const known = createKnownSecrets({ clock: systemClock });
  const settings = createSettingsStore(database);
  const fresh = settings.get('master_key_check') === undefined;
  checkMasterKey(master, settings, 0);
  const audit = createAudit({
    store: createAuditStore(database),
    database,
    clock: systemClock,
    log: { debug() {}, info() {}, warn() {}, error() {}, child: () => never() },
    redactor: createRedactor(known),
    key: deriveKey(master, 'audit'),
    fresh,
  });
  const entry = {
    event: 'x.y',
    principal: { kind: 'system' },
    origin: 'system',
    target: '',
    outcome: 'ok',
  } as const;
  audit.append(entry);
  const vault = createSealedVault({
    store: createSealedStore(database),
    clock: systemClock,
    key: deriveKey(master, 'seal'),
    known,
  });
  return { vault, settings, database, audit, clock: systemClock, by: { kind: 'operator' } as const };
}

function never(): never {
  throw new Error('not used');
}

describe('a rekey', () => {
  it.each([1, 2, 3, 4])(
    'killed at change %i of the key files leaves one key that opens everything',
    async (dieAt) => {
      const old = newMasterKey();
      const { state, files: keys } = files(keyText(old));
      const base = open(old);
      base.vault.put(REF, VALUE);
      base.vault.put(REF, `${VALUE}2`);
      state.dieAt = dieAt;
      const master = newMasterKey();
      const next: NewKey = { master, protection: 'key_file', stored: { text: keyText(master), files: keys } };
      if (dieAt <= 3) expect(() => rekey(base, next)).toThrow('killed');
      else rekey(base, next);
      state.dieAt = Number.POSITIVE_INFINITY;
      expect(sealedKeys(keys, base.settings)).toBeUndefined();
      expect(state.next).toBeUndefined();
      const now = readKeyText(state.current ?? '');
      expect(fitsMasterKey(now, base.settings)).toBe(true);
      expect(Buffer.from(now).equals(Buffer.from(dieAt === 1 ? old : master))).toBe(true);
      const after = open(now);
      expect(revealSecret(after.vault, REF, 'script_request')).toBe(`${VALUE}2`);
      expect(after.vault.loadKnown()).toEqual({ damaged: [] });
      expect(await after.audit.verify()).toMatchObject({ ok: true, signed: true });
    },
  );

  it('that the database refuses changes nothing, and leaves no second key', () => {
    const old = newMasterKey();
    const { state, files: keys } = files(keyText(old));
    const base = open(old);
    base.vault.put(REF, VALUE);
    const master = newMasterKey();
    const failing = { ...base, audit: { ...base.audit, resign: () => never() } };
    const next: NewKey = { master, protection: 'key_file', stored: { text: keyText(master), files: keys } };
    expect(() => rekey(failing, next)).toThrow('not used');
    expect([state.current, state.next]).toEqual([keyText(old), undefined]);
    expect(revealSecret(open(old).vault, REF, 'script_request')).toBe(VALUE);
  });

  it('to another passphrase that was cut off asks for the one that counts', async () => {
    const old = newMasterKey();
    const master = newMasterKey();
    const settings = createSettingsStore(database);
    checkMasterKey(master, settings, 0);
    const oldText = await sealKey(old, `${PASSPHRASE} old`, CHEAP);
    const { state, files: keys } = files(oldText, await sealKey(master, PASSPHRASE, CHEAP));
    const sealed = sealedKeys(keys, settings);
    expect(await sealed?.open(`${PASSPHRASE} old`)).toBeUndefined();
    expect(state.current).toBe(oldText);
    expect(await sealed?.open(PASSPHRASE)).toEqual(master);
    expect(state.next).toBeUndefined();
    expect(state.current).not.toBe(oldText);
  });
});

describe('a key under a passphrase', () => {
  it('opens with it alone, however it is composed, and a box in which anything was changed does not', async () => {
    const master = newMasterKey();
    const text = await sealKey(master, 'ähnliche Wörter für 47 Otter', CHEAP);
    expect(text).not.toContain(Buffer.from(master).toString('base64'));
    const box = parsePassphraseBox(text);
    if (box === undefined) throw new Error('no box');
    expect(await openKey(box, 'ähnliche Wörter für 47 Otter'.normalize('NFD'))).toEqual(master);
    expect(await openKey(box, 'ähnliche Wörter für 48 Otter')).toBeUndefined();
    expect(await openKey({ ...box, passes: 2 }, 'ähnliche Wörter für 47 Otter')).toBeUndefined();
    expect(parsePassphraseBox(keyText(master))).toBeUndefined();
  });

  it.each(['{', '{}', '{"format":"openpact-passphrase-key/1","memory":99999999}'])(
    'that is damaged stops the start: %s',
    (text) => {
      expect(() => parsePassphraseBox(text)).toThrow(expect.objectContaining({ code: 'master_key_damaged' }));
    },
  );

  it.each(['', 'short one', 'passwordpassword', '111111111111111', 'half a \ud83d character, and long'])(
    'takes no passphrase such as %j',
    (passphrase) => {
      expect(() => requireGoodPassphrase(passphrase)).toThrow(
        expect.objectContaining({ code: 'passphrase_weak' }),
      );
    },
  );
});
