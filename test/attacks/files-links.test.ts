import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ALL_ON,
  BOTH_OFF,
  createFilesBench,
  FENCE_OFF,
  JAIL_OFF,
  outcome,
  SECRET,
  type FilesBench,
} from './files-workbench.ts';

let bench: FilesBench;
let attacker: ChildProcess | undefined;
beforeEach(() => {
  bench = createFilesBench();
});
afterEach(async () => {
  attacker?.kill('SIGKILL');
  attacker = undefined;
  await bench.close();
});

describe('a symbolic link out of ai-data', () => {
  beforeEach(() => {
    symlinkSync(bench.secret, join(bench.aiData, 'file.md'));
    symlinkSync('../secure', join(bench.aiData, 'folder'));
    symlinkSync('../../secure/config.yaml', join(bench.aiData, 'memory/2026-01-01.md'));
    symlinkSync('/proc/self/root', join(bench.aiData, 'slash'));
    symlinkSync('notes/config.yaml', join(bench.aiData, 'inside.md'));
    symlinkSync('../secure/new.yaml', join(bench.aiData, 'dangling.md'));
  });

  it.each([ALL_ON, FENCE_OFF])('is not followed by the jail (%j)', async (controls) => {
    const files = bench.files(controls);
    for (const path of [
      'file.md',
      'folder/config.yaml',
      'memory/2026-01-01.md',
      'slash/etc/passwd',
      'inside.md',
    ]) {
      expect(await outcome(files.read(path)), path).toBe('file_link');
      expect(await outcome(files.write(path, 'x')), path).toBe('file_link');
      expect(await outcome(files.append(path, 'x')), path).toBe('file_link');
    }
    expect(await outcome(files.write('dangling.md', 'x'))).toBe('file_link');
    expect(await outcome(files.list('folder'))).toBe('file_link');
    expect(await bench.tool('memory_read', { file: 'memory/2026-01-01.md' }, controls)).toMatchObject({
      code: 'file_link',
    });
    expect(await bench.tool('workspace_list', {}, controls)).toMatchObject({
      entries: [{ name: 'memory' }, { name: 'notes' }],
    });
    expect(readFileSync(bench.secret, 'utf8')).toBe(SECRET);
    expect(existsSync(join(bench.root, 'secure/new.yaml'))).toBe(false);
  });

  it('ends at the fence when the jail is switched off', async () => {
    const files = bench.files(JAIL_OFF);
    expect(await outcome(files.read('inside.md'))).toMatchObject({ text: 'harmless' });
    expect(await outcome(files.read('file.md'))).toBe('file_denied');
    expect(await outcome(files.read('folder/config.yaml'))).toBe('file_denied');
    expect(await outcome(files.write('folder/config.yaml', 'x'))).toBe('file_denied');
    expect(await outcome(files.write('dangling.md', 'x'))).toBe('file_denied');
    expect(await outcome(files.list('folder'))).toBe('file_denied');
  });

  it('leads to the secret when both are switched off', async () => {
    const files = bench.files(BOTH_OFF);
    expect(await outcome(files.read('file.md'))).toMatchObject({ text: SECRET });
    expect(await outcome(files.read('folder/config.yaml'))).toMatchObject({ text: SECRET });
  });
});

describe('a link that is swapped in between the check and the use', () => {
  /** Changes `notes` from a real folder to a link to `secure/` and back, as fast as it can. */
  function startSwapping(): void {
    const code = `
      const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
      process.chdir(${JSON.stringify(bench.aiData)});
      const until = Date.now() + 15000;
      process.stdout.write('go');
      while (Date.now() < until) {
        renameSync('notes', 'real'); symlinkSync('../secure', 'notes');
        unlinkSync('notes'); renameSync('real', 'notes');
      }`;
    attacker = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  async function attack(controls: typeof ALL_ON, path: string): Promise<Map<string, number>> {
    const files = bench.files(controls);
    await files.list('');
    startSwapping();
    await new Promise((resolve) => attacker?.stdout?.once('data', resolve));
    const seen = new Map<string, number>();
    for (let round = 0; round < 3_000; round += 1) {
      const answer = await outcome(files.read(path));
      const key = typeof answer === 'string' ? answer : (answer as { text: string }).text;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    return seen;
  }

  it('is never followed, though the race is on and the fence is off', async () => {
    const seen = await attack(FENCE_OFF, 'notes/config.yaml');
    expect(seen.get(SECRET)).toBeUndefined();
    expect(seen.get('harmless')).toBeGreaterThan(0);
    expect(seen.get('file_link')).toBeGreaterThan(0);
    expect([...seen.keys()].filter((key) => !/^(harmless|file_(link|missing|changed))$/.test(key))).toEqual(
      [],
    );
  });

  it('ends at the fence when the jail is off', async () => {
    const seen = await attack(JAIL_OFF, 'notes/config.yaml');
    expect(seen.get(SECRET)).toBeUndefined();
    expect(seen.get('file_denied')).toBeGreaterThan(0);
  });

  it('is followed when both are off', async () => {
    const seen = await attack(BOTH_OFF, 'notes/config.yaml');
    expect(seen.get(SECRET)).toBeGreaterThan(0);
  });
});

describe('a hard link to secure/config.yaml', () => {
  beforeEach(() => {
    linkSync(bench.secret, join(bench.aiData, 'hard.md'));
  });

  it.each([ALL_ON, FENCE_OFF])('is neither read nor written (%j)', async (controls) => {
    const files = bench.files(controls);
    expect(await outcome(files.read('hard.md'))).toBe('file_hard_link');
    expect(await outcome(files.write('hard.md', 'x'))).toBe('file_hard_link');
    expect(await outcome(files.append('hard.md', 'x'))).toBe('file_hard_link');
    expect(readFileSync(bench.secret, 'utf8')).toBe(SECRET);
  });

  it('is read when the jail is off: no other control knows that the file has a second name', async () => {
    expect(await outcome(bench.files(JAIL_OFF).read('hard.md'))).toMatchObject({ text: SECRET });
  });
});

describe('what is no plain file', () => {
  it('a pipe does not hang, read or written', async () => {
    expect(spawnSync('sh', ['-c', 'mkfifo "$0"', join(bench.aiData, 'pipe.md')]).status).toBe(0);
    expect(await outcome(bench.files(ALL_ON).read('pipe.md'))).toBe('file_special');
    expect(await outcome(bench.files(ALL_ON).write('pipe.md', 'x'))).toBe('file_special');
    expect(await outcome(bench.files(ALL_ON).read('pipe.md/x'))).toBe('file_not_folder');
    expect(await bench.tool('workspace_list', {})).toMatchObject({
      entries: [{ name: 'memory' }, { name: 'notes' }],
    });
  });

  it('a socket is refused', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(join(bench.aiData, 'socket.md'), resolve);
    });
    expect(await outcome(bench.files(ALL_ON).read('socket.md'))).toBe('file_special');
    await new Promise((resolve) => server.close(resolve));
  });

  it('a device is refused, where one can be made at all', async () => {
    const made = spawnSync('mknod', [join(bench.aiData, 'zero.md'), 'c', '1', '5']).status === 0;
    const expected = made ? 'file_special' : 'file_missing';
    expect(await outcome(bench.files(ALL_ON).read('zero.md'))).toBe(expected);
  });

  it('a folder is refused where a file is expected, and the other way round', async () => {
    const files = bench.files(ALL_ON);
    expect(await outcome(files.read('notes'))).toBe('file_is_folder');
    expect(await outcome(files.write('notes', 'x'))).toBe('file_is_folder');
    expect(await outcome(files.append('notes', 'x'))).toBe('file_is_folder');
    expect(await outcome(files.list('notes/config.yaml'))).toBe('file_not_folder');
    expect(await outcome(files.write('notes/config.yaml/x', 'x'))).toBe('file_not_folder');
    expect(await outcome(files.read(''))).toBe('path_empty');
  });
});

describe('content that is no honest text', () => {
  it.each([
    ['bytes that are no UTF-8', Buffer.from([0x61, 0xff, 0xfe])],
    ['a cut character', Buffer.from([0xe2, 0x82])],
    ['an encoded surrogate', Buffer.from([0xed, 0xa0, 0x80])],
    ['a program', readFileSync('/bin/true').subarray(0, 4096)],
  ])('%s are refused, and appending leaves them alone', async (_what, bytes) => {
    const path = join(bench.aiData, 'notes/odd.md');
    writeFileSync(path, bytes);
    expect(await outcome(bench.files(ALL_ON).read('notes/odd.md'))).toBe('file_not_text');
    expect(await outcome(bench.files(ALL_ON).append('notes/odd.md', 'x'))).toBe('file_not_text');
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('a file that is too large, or grows while it is read, costs no more than a MiB', async () => {
    const path = join(bench.aiData, 'log.md');
    writeFileSync(path, 'x'.repeat(1024 * 1024));
    const files = bench.files(ALL_ON);
    expect(await outcome(files.read('log.md'))).toMatchObject({ bytes: 1024 * 1024 });
    expect(await outcome(files.append('log.md', 'y'))).toBe('file_too_large');
    appendFileSync(path, 'y');
    expect(await outcome(files.read('log.md'))).toBe('file_too_large');

    writeFileSync(path, '');
    const code = `const { openSync, writeSync, ftruncateSync } = require('node:fs');
      const fd = openSync(${JSON.stringify(path)}, 'a'); const piece = 'x'.repeat(65536);
      for (;;) { for (let i = 0; i < 40; i += 1) writeSync(fd, piece); ftruncateSync(fd, 0); }`;
    attacker = spawn(process.execPath, ['-e', code], { stdio: 'inherit' });
    for (let round = 0; round < 50; round += 1) {
      const answer = await outcome(files.read('log.md'));
      // A hole that the truncation tore shows as NUL.
      if (typeof answer === 'string') expect(answer).toMatch(/^file_(too_large|not_text)$/);
      else expect((answer as { bytes: number }).bytes).toBeLessThanOrEqual(1024 * 1024);
    }
  });
});

describe('a folder that the assistant may not have', () => {
  it('named like a temporary file does not stop writing', async () => {
    mkdirSync(join(bench.aiData, 'notes/.openpact-write-0'));
    expect(await outcome(bench.files(ALL_ON).write('notes/a.md', 'x'))).toEqual({ bytes: 1 });
  });
});
