import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError, systemClock } from '../../../core/index.ts';
import { openDatabase, type Database } from '../../../host/storage/index.ts';
import { createSealedStore } from '../../../host/storage/sealed-store.ts';
import { createKnownSecrets, createSealedVault, revealSecret, type SealedVault } from '../index.ts';
import { factsOf, fixedSecrets, vaultSecrets } from './index.ts';

let folder: string;
let database: Database;
let vault: SealedVault;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openpact-script-secrets-'));
  database = openDatabase({ path: join(folder, 'db') });
  vault = createSealedVault({
    store: createSealedStore(database),
    clock: systemClock,
    key: new Uint8Array(32).fill(9),
    known: createKnownSecrets({ clock: systemClock }),
  });
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return undefined;
};

describe('secrets for scripts in the vault', () => {
  test('are opened without white space at their ends, and changes count at once', () => {
    const secrets = vaultSecrets(vault);
    expect(secrets.facts('TOKEN')).toBeUndefined();
    vault.put({ kind: 'script', name: 'TOKEN' }, ' tk_8f2k39xQ7aLmP0zR\n');
    expect(secrets.openValue('TOKEN')).toBe('tk_8f2k39xQ7aLmP0zR');
    vault.put({ kind: 'script', name: 'TOKEN' }, 'tk_Zz91mQpL5vBn3XcY');
    expect(secrets.openValue('TOKEN')).toBe('tk_Zz91mQpL5vBn3XcY');
    vault.remove({ kind: 'script', name: 'TOKEN' });
    expect(secrets.facts('TOKEN')).toBeUndefined();
  });

  test('have nothing to do with keys of providers', () => {
    vault.put({ kind: 'llm_key', name: 'OPENAI' }, 'sk-live-8fJ2kQxW5tZp9');
    expect(vaultSecrets(vault).openValue('OPENAI')).toBeUndefined();
    expect(codeOf(() => revealSecret(vault, { kind: 'llm_key', name: 'OPENAI' }, 'script_request'))).toBe(
      'secret_purpose',
    );
    expect(codeOf(() => revealSecret(vault, { kind: 'script', name: 'TOKEN' }, 'llm_call'))).toBe(
      'secret_purpose',
    );
  });

  test.each([
    ['lower', 'enough', 'secret_name_invalid'],
    ['9X', 'enough', 'secret_name_invalid'],
    ['X', ' abc ', 'secret_too_short'],
    ['X', 'x'.repeat(4_097), 'secret_too_long'],
    ['X', '  ', 'secret_empty'],
  ])('%s as %j is refused', (name, value, code) => {
    expect(codeOf(() => vault.put({ kind: 'script', name }, value))).toBe(code);
  });
});

test('a list of values has the same limit of length', () => {
  expect(codeOf(() => fixedSecrets(new Map([['X', 'x'.repeat(4_097)]])))).toBe('secret_too_long');
});

describe('public facts', () => {
  test.each([
    ['tk_8f2k39xQ7aLmP0zR', 'token', 'strong'],
    ['with space 8f2k39xQ7aLmP0zR', 'text', 'strong'],
    ['zwölf8f2k39xQ7aLmP0zR', 'text', 'strong'],
    ['hunter2', 'token', 'weak'],
    ['password1234', 'token', 'weak'],
    ['wk-0123456789abcdef', 'token', 'fair'],
    ['https://hooks.test/services/T0/B0/q8Wz3nYx5LmK2vRp', 'url', 'strong'],
    ['https://me:pw@hooks.test/q8Wz3nYx5LmK2vRp', 'token', 'strong'],
    ['http://hooks.test/q8Wz3nYx5LmK2vRp', 'token', 'strong'],
    ['https://hooks.test/a/../q8Wz3nYx5LmK2vRp', 'token', 'strong'],
  ])('%s is of class %s and %s', (value, kind, strength) => {
    expect(factsOf(value)).toMatchObject({ class: kind, strength });
  });
});
