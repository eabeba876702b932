import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { placeFile } from './owned-file.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'openpact-owned-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const KEEP = { mode: 0o660, replace: false };

test('a new file has its mode whatever the umask, and leaves nothing beside it', () => {
  const umask = process.umask(0o077);
  expect(placeFile(join(folder, 'a.md'), 'ä', KEEP)).toBe(true);
  process.umask(umask);
  expect(lstatSync(join(folder, 'a.md')).mode & 0o777).toBe(0o660);
  expect(readFileSync(join(folder, 'a.md'), 'utf8')).toBe('ä');
  expect(readdirSync(folder)).toEqual(['a.md']);
});

test('what is there stays, a link too, unless it is to be replaced', () => {
  writeFileSync(join(folder, 'a.md'), 'before');
  symlinkSync('a.md', join(folder, 'b.md'));
  expect(placeFile(join(folder, 'a.md'), 'after', KEEP)).toBe(false);
  expect(placeFile(join(folder, 'b.md'), 'after', KEEP)).toBe(false);
  expect(readFileSync(join(folder, 'a.md'), 'utf8')).toBe('before');
  expect(placeFile(join(folder, 'b.md'), 'after', { ...KEEP, replace: true })).toBe(true);
  // The link is gone; nothing was written through it.
  expect([readFileSync(join(folder, 'a.md'), 'utf8'), lstatSync(join(folder, 'b.md')).isFile()]).toEqual([
    'before',
    true,
  ]);
  expect(readdirSync(folder)).toEqual(['a.md', 'b.md']);
});
