import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRoot } from '../process/launch.test-support.ts';
import { takeWorkspace } from './own-workspace.ts';
import { workspacePaths, type WorkspacePaths } from './workspace-paths.ts';

const SYSTEM = { uid: 41_001, gid: 41_000 };
const AI = { uid: 41_002, gid: 41_000 };

describe.skipIf(!isRoot('taking a workspace over'))('root takes a workspace over', () => {
  let folder: string;
  let paths: WorkspacePaths;
  let victim: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'openpact-take-'));
    chmodSync(folder, 0o755);
    paths = workspacePaths(join(folder, 'ws'));
    for (const each of [paths.root, paths.secure, paths.data, paths.aiData, paths.memory, paths.engine])
      mkdirSync(each);
    chownSync(paths.memory, SYSTEM.uid, SYSTEM.gid);
    chmodSync(paths.memory, 0o2770);
    victim = join(folder, 'victim');
    writeFileSync(victim, 'root has this', { mode: 0o600 });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const take = (): readonly string[] => takeWorkspace(paths, SYSTEM, AI).left;
  const look = (path: string): string => {
    const { uid, gid, mode } = statSync(path);
    return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
  };

  it('with the owner and modes of the charter', () => {
    for (const [name, mode] of [
      ['SOUL.md', 0o666],
      ['MEMORY.md', 0o600],
      ['memory/2026-01-01.md', 0o644],
    ] as const) {
      writeFileSync(join(paths.aiData, name), '', { mode });
    }
    writeFileSync(paths.config, '', { mode: 0o600 });
    expect(take()).toEqual([]);
    expect(look(paths.root)).toBe('750 41001:41000');
    expect(look(paths.aiData)).toBe('750 41001:41000');
    expect(look(paths.memory)).toBe('2770 41001:41000');
    expect(look(paths.engine)).toBe('2770 41001:41000');
    expect(look(paths.config)).toBe('600 41001:41000');
    expect(look(join(paths.aiData, 'SOUL.md'))).toBe('640 41001:41000');
    expect(look(join(paths.aiData, 'MEMORY.md'))).toBe('660 41001:41000');
    expect(look(join(paths.memory, '2026-01-01.md'))).toBe('660 41001:41000');
  });

  it('and follows no symbolic link of the assistant, to a file or to a folder', () => {
    symlinkSync(victim, join(paths.memory, 'a.md'));
    symlinkSync(folder, join(paths.memory, 'b'));
    mkdirSync(join(paths.memory, 'own'));
    symlinkSync(victim, join(paths.memory, 'own', 'c'));
    expect(take()).toHaveLength(3);
    expect(look(victim)).toBe('600 0:0');
    expect(look(folder)).toBe('755 0:0');
  });

  it('and takes no file with a second name, which may be the name of anything', () => {
    linkSync(victim, join(paths.memory, 'hard.md'));
    expect(take()).toEqual([expect.stringContaining('hard.md has a second name')]);
    expect(look(victim)).toBe('600 0:0');
    expect(readFileSync(victim, 'utf8')).toBe('root has this');
  });

  it('and refuses a zone that is a link, and a nest of folders that has no end', () => {
    rmSync(paths.engine, { recursive: true });
    symlinkSync(folder, paths.engine);
    expect(take).toThrow(/engine can't be used: it is no folder/);
    rmSync(paths.engine);
    mkdirSync(join(paths.memory, ...Array.from({ length: 80 }, () => 'd')), { recursive: true });
    expect(take).toThrow(/nested more than 64 deep/);
  });

  it('while the assistant swaps a folder and a link as fast as it can', async () => {
    const swapper = spawn(
      'setpriv',
      [
        '--reuid=41002',
        '--regid=41000',
        '--clear-groups',
        'perl',
        '-e',
        `chdir '${paths.memory}' or die; mkdir 'x'; symlink '${folder}', 'l'; open(my $f, '>', 'f'); symlink '${victim}', 'm'; print "go\\n"; $| = 1;
         for (1 .. 2_000_000) { rename 'x', 'y'; rename 'l', 'x'; rename 'x', 'l'; rename 'y', 'x'; rename 'f', 'g'; rename 'm', 'f'; rename 'f', 'm'; rename 'g', 'f' }`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = new Promise((resolve) => swapper.once('exit', resolve));
    try {
      await new Promise((resolve) => setTimeout(resolve, 200));
      let refused = 0;
      for (let round = 0; round < 300; round += 1) {
        try {
          take();
        } catch {
          // Caught in the middle of a swap: refusing is right.
          refused += 1;
        }
        expect([look(victim), look(folder)]).toEqual(['600 0:0', '755 0:0']);
      }
      expect(refused).toBeLessThan(300);
    } finally {
      swapper.kill('SIGKILL');
      await ended;
    }
  });

  it('and what the assistant made in its memory stays its own', () => {
    const asAi = ['--reuid=41002', '--regid=41000', '--clear-groups', 'sh', '-c'];
    const command = `umask 007; echo x > ${paths.memory}/mine.md`;
    expect(spawnSync('setpriv', [...asAi, command]).status).toBe(0);
    take();
    expect(look(join(paths.memory, 'mine.md'))).toBe('660 41002:41000');
  });

  it('but what others could read or somebody else owns in secure/ is left for the check that refuses it', () => {
    writeFileSync(paths.config, '', { mode: 0o644 });
    chmodSync(paths.config, 0o644);
    const foreign = join(paths.data, 'foreign');
    writeFileSync(foreign, '', { mode: 0o600 });
    chownSync(foreign, 41_002, 41_000);
    take();
    expect(look(paths.config)).toBe('644 41001:41000');
    expect(look(foreign)).toBe('600 41002:41000');
  });
});
