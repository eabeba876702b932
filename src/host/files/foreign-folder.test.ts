import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openForeignFolder } from './foreign-folder.ts';

let base: string;
let folder: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'openpact-foreign-'));
  folder = join(base, 'theirs');
  mkdirSync(join(folder, 'secure', 'data'), { recursive: true });
  writeFileSync(join(base, 'outside.json'), '["outside"]');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const MIB = 1024 * 1024;
const inside = (path: string): string => join(folder, path);

test('reads what is there, to the byte', () => {
  writeFileSync(inside('secure/data/a.json'), '\ufeff{"a":"ä"}\n');
  const { read } = openForeignFolder(folder);
  expect(read('secure/data/a.json', MIB)).toEqual({ kind: 'text', text: '\ufeff{"a":"ä"}\n' });
  expect(read('secure/data/b.json', MIB)).toEqual({ kind: 'missing' });
  expect(read('nothing/here/b.json', MIB)).toEqual({ kind: 'missing' });
});

test('follows no link, neither as the file nor on the way', () => {
  symlinkSync('../../../outside.json', inside('secure/data/a.json'));
  symlinkSync(base, inside('up'));
  const { read, list } = openForeignFolder(folder);
  expect(read('secure/data/a.json', MIB)).toEqual({ kind: 'refused', why: 'is a symbolic link' });
  expect(read('up/outside.json', MIB)).toEqual({ kind: 'refused', why: 'lies behind the symbolic link up' });
  expect(list('up', 10)).toEqual({ kind: 'refused', why: 'lies behind the symbolic link up' });
  expect(read('secure', MIB)).toEqual({ kind: 'refused', why: 'is no plain file' });
});

test('does not wait for a pipe, and reads none', () => {
  execFileSync('sh', ['-c', 'mkfifo "$0"', inside('pipe')]);
  expect(openForeignFolder(folder).read('pipe', MIB)).toEqual({ kind: 'refused', why: 'is no plain file' });
});

test('reads no more than was asked for, of a sparse 100 MB file nothing at all', () => {
  writeFileSync(inside('huge.json'), '');
  truncateSync(inside('huge.json'), 100_000_000);
  const before = process.memoryUsage().arrayBuffers;
  const { read } = openForeignFolder(folder);
  expect(read('huge.json', MIB)).toEqual({ kind: 'refused', why: 'is larger than 1 MiB' });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * MIB);
  writeFileSync(inside('just.json'), 'x'.repeat(1024));
  expect(read('just.json', 1024)).toMatchObject({ kind: 'text' });
  expect(read('just.json', 1023)).toMatchObject({ kind: 'refused' });
});

test('takes only text', () => {
  writeFileSync(inside('nul.json'), 'a\0b');
  writeFileSync(inside('latin.json'), Buffer.from([0x61, 0xff, 0x62]));
  const { read } = openForeignFolder(folder);
  expect(read('nul.json', MIB)).toMatchObject({ kind: 'refused' });
  expect(read('latin.json', MIB)).toEqual({ kind: 'refused', why: 'is no text in UTF-8' });
});

test('lists by name with what each is, and no more than asked for', () => {
  for (const name of ['b.star', 'a.star']) writeFileSync(inside(`secure/${name}`), '');
  symlinkSync('a.star', inside('secure/c.star'));
  const { list } = openForeignFolder(folder);
  expect(list('secure', 10)).toEqual({
    kind: 'entries',
    entries: [
      { name: 'a.star', kind: 'file' },
      { name: 'b.star', kind: 'file' },
      { name: 'c.star', kind: 'link' },
      { name: 'data', kind: 'folder' },
    ],
  });
  const cut = list('secure', 1);
  expect(cut.kind === 'entries' && cut.entries).toHaveLength(2);
  expect(list('ai-data/scripts', 10)).toEqual({ kind: 'missing' });
});

test('a folder that is none is a clear error', () => {
  expect(() => openForeignFolder(join(base, 'none'))).toThrow('There is no folder');
  expect(() => openForeignFolder(join(base, 'outside.json'))).toThrow('There is no folder');
});
