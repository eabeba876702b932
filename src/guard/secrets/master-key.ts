// Guarantees: one master key of 32 random bytes per workspace. It is made on a first start only; a missing, damaged or
// different key stops the start before anything is opened or written with it.
// Does not: protect the key from root or from whoever reads `secure/` as openpact-system.
// An attacker may control: nothing here; an operator may restore the wrong file.
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { AppError, type Json } from '../../core/index.ts';

/** `secure/data/master_key`, mode 0600. */
interface MasterKeyFile {
  /** The text, or undefined when there is no file. Throws when it can't be read or is open to others. */
  read(): string | undefined;
  /** Makes the file; throws when it exists. */
  create(text: string): void;
}

export interface MasterKeyDeps {
  readonly file: MasterKeyFile;
  /** Whether the workspace's database exists: then a key existed too. */
  readonly databaseExists: boolean;
  /** The content of the file named by OPENPACT_MASTER_KEY_FILE; wins over the workspace's own file. */
  readonly external?: string | undefined;
}

/** Every purpose has a key of its own, so that no use can stand in for another. */
export type KeyPurpose = 'audit' | 'jwt' | 'seal' | 'refresh' | 'digest' | 'check';

const KEY_BYTES = 32;
const BASE64_KEY = /^[A-Za-z0-9+/]{43}=$/;
const SALT = 'openpact/keys/v1';
const CHECK_SETTING = 'master_key_check';

/** 32 bytes. Errors (config): `master_key_missing`, `master_key_damaged`, and what the file port throws. */
export function loadMasterKey(deps: MasterKeyDeps): Uint8Array {
  if (deps.external !== undefined) return decode(deps.external, 'the file named by OPENPACT_MASTER_KEY_FILE');
  const text = deps.file.read();
  if (text !== undefined) return decode(text, 'secure/data/master_key');
  if (deps.databaseExists) {
    throw new AppError({
      family: 'config',
      code: 'master_key_missing',
      message:
        'The master key secure/data/master_key is missing, but the database exists: its secrets were sealed with that key.',
      fix: 'Restore secure/data/master_key from the backup that belongs to this database, or name it in OPENPACT_MASTER_KEY_FILE. No new key was made: it could not open the old secrets.',
    });
  }
  const key = newMasterKey();
  deps.file.create(keyText(key));
  return key;
}

/** The key of a text of `secure/data/master_key`. Error: config `master_key_damaged`. */
export function readKeyText(text: string, where = 'secure/data/master_key'): Uint8Array {
  return decode(text, where);
}

/** As it stands in the file. */
export function keyText(master: Uint8Array): string {
  return `${Buffer.from(master).toString('base64')}\n`;
}

export function newMasterKey(): Uint8Array {
  return new Uint8Array(randomBytes(KEY_BYTES));
}

function decode(text: string, where: string): Uint8Array {
  const trimmed = text.trim();
  const key = BASE64_KEY.test(trimmed) ? Buffer.from(trimmed, 'base64') : null;
  if (key?.length !== KEY_BYTES || key.toString('base64') !== trimmed) {
    throw new AppError({
      family: 'config',
      code: 'master_key_damaged',
      message: `The master key in ${where} is not 32 bytes in base64 (44 characters).`,
      fix: 'Restore it from a backup. Nothing was changed.',
    });
  }
  return new Uint8Array(key);
}

/** 32 bytes by HKDF-SHA-256 (RFC 5869) with a fixed salt and the purpose as info. */
export function deriveKey(master: Uint8Array, purpose: KeyPurpose): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', master, SALT, `openpact/${purpose}`, KEY_BYTES));
}

/** The part of the settings store that is needed here. */
export interface KeyCheckSettings {
  get(key: string): Json | undefined;
  set(key: string, value: Json, now: number): void;
}

/** Whether this database has never been used with a key: everything in it is still to come. */
export function isNew(settings: KeyCheckSettings): boolean {
  return settings.get(CHECK_SETTING) === undefined;
}

/**
 * Finds a key that is well formed but belongs to another workspace. The first call records a check value, which says
 * nothing about the key. Errors: config `master_key_wrong`.
 */
export function checkMasterKey(master: Uint8Array, settings: KeyCheckSettings, now: number): void {
  if (isNew(settings)) recordMasterKey(master, settings, now);
  else if (!fitsMasterKey(master, settings)) throw wrongMasterKey();
}

/** From now on this is the key of the database. */
export function recordMasterKey(master: Uint8Array, settings: KeyCheckSettings, now: number): void {
  settings.set(CHECK_SETTING, checkValue(master).toString('hex'), now);
}

/** Whether the database was last committed with this key. */
export function fitsMasterKey(master: Uint8Array, settings: Pick<KeyCheckSettings, 'get'>): boolean {
  const stored = settings.get(CHECK_SETTING);
  const expected = checkValue(master);
  const known = Buffer.from(typeof stored === 'string' ? stored : '', 'hex');
  return known.length === expected.length && timingSafeEqual(known, expected);
}

function checkValue(master: Uint8Array): Buffer {
  return createHmac('sha256', deriveKey(master, 'check')).update('openpact').digest();
}

export function wrongMasterKey(): AppError {
  return new AppError({
    family: 'config',
    code: 'master_key_wrong',
    message: 'The master key is not the one that this database was made with.',
    fix: 'Restore secure/data/master_key (or the file named by OPENPACT_MASTER_KEY_FILE) from the backup that belongs to this database. Nothing was changed.',
  });
}
