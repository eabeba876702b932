import { describe, expect, it } from 'vitest';
import type { Json } from '../../core/index.ts';
import { checkMasterKey, deriveKey, loadMasterKey } from './master-key.ts';

function fileOf(text?: string): {
  read(): string | undefined;
  create(made: string): void;
  text: string | undefined;
} {
  return {
    text,
    read() {
      return this.text;
    },
    create(made) {
      this.text = made;
    },
  };
}

function settings(): { get(key: string): Json | undefined; set(key: string, value: Json): void } {
  const values = new Map<string, Json>();
  return { get: (key) => values.get(key), set: (key, value) => void values.set(key, value) };
}

describe('the master key', () => {
  it('is made on a first start and read on the next', () => {
    const file = fileOf();
    const made = loadMasterKey({ file, databaseExists: false });
    expect(made).toHaveLength(32);
    expect(file.text).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect(loadMasterKey({ file, databaseExists: true })).toEqual(made);
  });

  it('is never made anew beside a database', () => {
    const file = fileOf();
    expect(() => loadMasterKey({ file, databaseExists: true })).toThrow(
      expect.objectContaining({ code: 'master_key_missing', family: 'config' }),
    );
    expect(file.text).toBeUndefined();
  });

  it.each(
    [
      [
        '',
        'x',
        Buffer.alloc(31).toString('base64'),
        Buffer.alloc(33).toString('base64'),
        `${'A'.repeat(42)}B=`,
      ],
    ].flat(),
  )('is refused when it is not 32 bytes: %j', (text) => {
    const problem = expect.objectContaining({ code: 'master_key_damaged' });
    expect(() => loadMasterKey({ file: fileOf(text), databaseExists: false })).toThrow(problem);
    expect(() => loadMasterKey({ file: fileOf(), databaseExists: false, external: text })).toThrow(problem);
  });

  it('comes from outside when it is given there, and then no file is made', () => {
    const file = fileOf();
    const text = Buffer.alloc(32, 7).toString('base64');
    expect(loadMasterKey({ file, databaseExists: true, external: `${text}\n` })).toEqual(
      new Uint8Array(32).fill(7),
    );
    expect(file.text).toBeUndefined();
  });

  it('gives another key for every purpose, the same one each time', () => {
    const master = new Uint8Array(32).fill(1);
    const keys = (['audit', 'jwt', 'seal', 'refresh', 'digest', 'check'] as const).map((purpose) =>
      Buffer.from(deriveKey(master, purpose)).toString('hex'),
    );
    expect(new Set(keys).size).toBe(6);
    // Fixed: a change here would make every sealed secret and every audit log unreadable.
    expect(keys[2]).toBe('fcdfd9b5b688a74170f28abccabe26c4ffc433333727d9b48e148c339db4cfde');
  });

  it('is found out when it belongs to another database', () => {
    const store = settings();
    checkMasterKey(new Uint8Array(32).fill(1), store, 0);
    checkMasterKey(new Uint8Array(32).fill(1), store, 1);
    expect(() => checkMasterKey(new Uint8Array(32).fill(2), store, 2)).toThrow(
      expect.objectContaining({ code: 'master_key_wrong' }),
    );
  });
});
