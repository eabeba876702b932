import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError, systemClock } from '../../core/index.ts';
import { openDatabase, type Database } from '../../host/storage/index.ts';
import { createSealedStore } from '../../host/storage/sealed-store.ts';
import {
  createKnownSecrets,
  createRedactor,
  createSealedVault,
  revealSecret,
  type SealedVault,
} from './index.ts';

const VALUE = 'sk-live-8fJ2kQxW5tZp9';
const OPENAI = { kind: 'llm_key', name: 'openai' } as const;
const OTHER = { kind: 'llm_key', name: 'openrouter' } as const;

let folder: string;
let database: Database;
let vault: SealedVault;
const known = createKnownSecrets({ clock: systemClock });
const key = new Uint8Array(32).fill(9);

function vaultWith(sealKey: Uint8Array, registry = known): SealedVault {
  return createSealedVault({
    store: createSealedStore(database),
    clock: systemClock,
    key: sealKey,
    known: registry,
  });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openpact-vault-'));
  database = openDatabase({ path: join(folder, 'db') });
  vault = vaultWith(key);
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

describe('the sealed vault', () => {
  it('gives back what was put in, after a restart too', () => {
    vault.put(OPENAI, VALUE);
    expect(vault.has(OPENAI)).toBe(true);
    expect(revealSecret(vaultWith(key), OPENAI, 'llm_call')).toBe(VALUE);
    expect(revealSecret(vault, OTHER, 'llm_call')).toBeUndefined();
  });

  it('writes no value to the disk', () => {
    vault.put(OPENAI, VALUE);
    for (const file of ['db', 'db-wal']) {
      expect(readFileSync(join(folder, file)).includes(VALUE)).toBe(false);
    }
  });

  it('seals the same value differently each time', () => {
    vault.put(OPENAI, VALUE);
    const first = createSealedStore(database).get('llm_key', 'openai');
    vault.put(OPENAI, VALUE);
    const second = createSealedStore(database).get('llm_key', 'openai');
    expect(second?.id).toBe(first?.id);
    expect(second?.nonce).not.toEqual(first?.nonce);
    expect(second?.box).not.toEqual(first?.box);
  });

  it('joins the transaction of its caller', () => {
    expect(() =>
      database.tx(() => {
        vault.put(OPENAI, VALUE);
        throw new Error('the audit row could not be written');
      }),
    ).toThrow();
    expect(vault.has(OPENAI)).toBe(false);
  });

  it('lists names and forgets what is removed', () => {
    vault.put(OTHER, VALUE);
    vault.put(OPENAI, VALUE);
    expect(vault.list().map((info) => info.name)).toEqual(['openai', 'openrouter']);
    expect(JSON.stringify(vault.list())).not.toContain(VALUE);
    expect(vault.remove(OPENAI)).toBe(true);
    expect(vault.remove(OPENAI)).toBe(false);
    expect(revealSecret(vault, OPENAI, 'llm_call')).toBeUndefined();
  });

  it.each([
    [
      'one bit of the box',
      `UPDATE sealed SET box = CAST(substr(box, 1, 5) || x'00' || substr(box, 7) AS BLOB)`,
    ],
    ['the end cut off', 'UPDATE sealed SET box = substr(box, 1, 12)'],
    ['the nonce', `UPDATE sealed SET nonce = x'000000000000000000000000'`],
    ['the format', `UPDATE sealed SET box = CAST(x'02' || substr(box, 2) AS BLOB)`],
    ['the name', `UPDATE sealed SET name = 'openrouter'`],
    ['the id', `UPDATE sealed SET id = 'sec_other'`],
  ])('refuses a record in which somebody changed %s, and names it', (_what, sql) => {
    vault.put(OPENAI, VALUE);
    database.run(sql);
    const name = vault.list()[0]?.name ?? '';
    const attempt = (): unknown => revealSecret(vault, { kind: 'llm_key', name }, 'llm_call');
    expect(attempt).toThrow(expect.objectContaining({ code: 'secret_damaged' }));
    expect(attempt).toThrow(name);
    expect(attempt).not.toThrow(VALUE);
  });

  it('refuses a box that was moved to another record', () => {
    vault.put(OPENAI, VALUE);
    vault.put(OTHER, 'another-value-7Qx');
    database.run(
      `UPDATE sealed SET (nonce, box) = (SELECT nonce, box FROM sealed WHERE name = 'openai') WHERE name = 'openrouter'`,
    );
    expect(() => revealSecret(vault, OTHER, 'llm_call')).toThrow(
      expect.objectContaining({ code: 'secret_damaged' }),
    );
  });

  it('opens nothing with another key', () => {
    vault.put(OPENAI, VALUE);
    const other = vaultWith(new Uint8Array(32).fill(8));
    expect(() => revealSecret(other, OPENAI, 'llm_call')).toThrow(
      expect.objectContaining({ code: 'secret_damaged' }),
    );
    expect(other.loadKnown().damaged.map((info) => info.name)).toEqual(['openai']);
  });

  it('opens nothing for an object that only looks like a vault', () => {
    vault.put(OPENAI, VALUE);
    expect(() => revealSecret({ ...vault }, OPENAI, 'llm_call')).toThrow(TypeError);
  });

  it('hides its values in texts from the moment they are put in, and after a start', () => {
    vault.put(OPENAI, VALUE);
    expect(createRedactor(known).text(`key ${VALUE}`).value).toBe('key [REDACTED:OPENAI_API_KEY]');
    const fresh = createKnownSecrets({ clock: systemClock });
    expect(vaultWith(key, fresh).loadKnown()).toEqual({ damaged: [] });
    expect(createRedactor(fresh).text(`key ${VALUE}`).value).toBe('key [REDACTED:OPENAI_API_KEY]');
  });

  it('goes on hiding a value that was replaced', () => {
    vault.put(OPENAI, VALUE);
    vault.put(OPENAI, 'sk-live-new-4Tq8ZxW2');
    expect(createRedactor(known).text(VALUE).value).toBe('[REDACTED:OPENAI_API_KEY]');
  });

  it('says that a value is too weak to be hidden in texts', () => {
    expect(vault.put(OPENAI, 'password1234')).toEqual({ strong: false });
    expect(vault.put(OPENAI, VALUE)).toEqual({ strong: true });
  });

  it.each([
    [{ kind: 'llm_key', name: '../x' } as const, VALUE, 'secret_name_invalid'],
    [OPENAI, ' \n', 'secret_empty'],
    [OPENAI, 'x'.repeat(8 * 1024 + 1), 'secret_too_long'],
    [OPENAI, 'half a \ud83d character', 'secret_not_text'],
  ])('refuses a value or name that it can not keep: %j', (ref, value, code) => {
    const attempt = (): unknown => vault.put(ref, value);
    expect(attempt).toThrow(AppError);
    expect(attempt).toThrow(expect.objectContaining({ code }));
  });
});
