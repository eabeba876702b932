import {
  chmodSync,
  chownSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPrivateFile } from './private-file.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openpact-private-'));
  path = join(folder, 'master_key');
});
afterEach(() => rmSync(folder, { recursive: true }));

const refused = (code: string): unknown => expect.objectContaining({ family: 'config', code });

describe('a private file', () => {
  it('is made for its owner alone, whatever the umask, and read again', () => {
    const before = process.umask(0);
    try {
      createPrivateFile(path).create('secret\n');
    } finally {
      process.umask(before);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(createPrivateFile(path).read()).toBe('secret\n');
    expect(readdirSync(folder)).toEqual(['master_key']);
  });

  it('is undefined when there is none', () => {
    expect(createPrivateFile(path).read()).toBeUndefined();
    expect(createPrivateFile(path).remove()).toBe(false);
  });

  it('is never overwritten by create, only by replace', () => {
    const file = createPrivateFile(path);
    file.create('one');
    expect(() => file.create('two')).toThrow(refused('private_file_exists'));
    expect(file.read()).toBe('one');
    expect(readdirSync(folder)).toEqual(['master_key']);
    file.replace('three');
    expect(file.read()).toBe('three');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(file.remove()).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is written although an earlier attempt was killed half-way', () => {
    writeFileSync(`${path}.new`, 'hal');
    createPrivateFile(path).create('whole');
    expect(createPrivateFile(path).read()).toBe('whole');
    expect(readdirSync(folder)).toEqual(['master_key']);
  });

  it('does not go through a link', () => {
    const target = join(folder, 'target');
    writeFileSync(target, 'theirs', { mode: 0o600 });
    symlinkSync(target, path);
    expect(() => createPrivateFile(path).read()).toThrow(refused('private_file_unreadable'));
    expect(() => createPrivateFile(path).create('mine')).toThrow(refused('private_file_exists'));
    createPrivateFile(path).replace('mine');
    expect(readFileSync(target, 'utf8')).toBe('theirs');
    expect(createPrivateFile(path).read()).toBe('mine');
  });

  it.each([0o640, 0o604, 0o660, 0o777])('is refused with the repair command when its mode is %o', (mode) => {
    createPrivateFile(path).create('x');
    chmodSync(path, mode);
    expect(() => createPrivateFile(path).read()).toThrow(refused('private_file_open'));
    expect(() => createPrivateFile(path).read()).toThrow(
      expect.objectContaining({ fix: `chmod 600 ${path}` }),
    );
  });

  it('is refused when it has a second name, is a folder or is too large', () => {
    createPrivateFile(path).create('x');
    linkSync(path, join(folder, 'second'));
    expect(() => createPrivateFile(path).read()).toThrow(refused('private_file_open'));
    expect(() => createPrivateFile(folder).read()).toThrow(refused('private_file_open'));
    const large = join(folder, 'large');
    createPrivateFile(large).create('x'.repeat(64 * 1024 + 1));
    expect(() => createPrivateFile(large).read()).toThrow(refused('private_file_open'));
  });

  it('is refused when it belongs to somebody else', () => {
    createPrivateFile(path).create('x');
    const foreign = process.getuid?.() === 0;
    if (foreign) chownSync(path, 12_345, 12_345);
    const expected = foreign ? refused('private_file_open') : undefined;
    let thrown: unknown;
    try {
      createPrivateFile(path).read();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toEqual(expected);
  });

  it('tells when its folder is missing', () => {
    const file = createPrivateFile(join(folder, 'no/such/file'));
    expect(file.read()).toBeUndefined();
    expect(() => file.create('x')).toThrow(refused('private_file_unwritable'));
  });
});
