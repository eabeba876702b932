/**
 * What a child of the launcher does to the machine, as openpact-ai. Three runs each: every control on; the first off, so
 * that the second has to refuse; both off, and the attack succeeds.
 */
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { canFence, isAlive, isRoot, until } from '../../src/host/process/launch.test-support.ts';
import { createChildLedger, nodeFences, sweepStrays } from '../../src/host/process/index.ts';
import { systemLibraries } from '../../src/host/process/node-fences.ts';
import { findTool } from '../../src/host/process/tools.ts';
import type { Child, Exit, LaunchOrder } from '../../src/host/process/types.ts';
import { weakLauncher, type LauncherControl } from '../seams/weak-launcher.ts';

const AI = { uid: 41_002, gid: 41_000 };
const MIB = 1024 * 1024;
const perl = findTool('perl') ?? '';

const folders: string[] = [];
const children: Child[] = [];
const strays: number[] = [];
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill()));
  for (const pid of strays.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder as `ai-data/memory/` is: the group may write. */
function memory(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'openpact-memory-'));
  folders.push(folder);
  chownSync(folder, 41_001, 41_000);
  chmodSync(folder, 0o2770);
  return folder;
}

/** How many threads a user has now, as RLIMIT_NPROC counts them. */
function threadsOf(uid: number): number {
  let threads = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (Number(/^Uid:\t(\d+)/m.exec(status)?.[1]) === uid)
        threads += Number(/^Threads:\t(\d+)/m.exec(status)?.[1]);
    } catch {
      // It ended meanwhile.
    }
  }
  return threads;
}

async function launch(
  off: readonly LauncherControl[],
  order: Omit<LaunchOrder, 'env' | 'user'>,
): Promise<Child> {
  const weak = weakLauncher(off);
  folders.push(weak.folder);
  const child = await weak.launcher.launch({ ...order, env: {}, user: AI });
  children.push(child);
  return child;
}

const node = (code: string, more: Partial<LaunchOrder> = {}): Omit<LaunchOrder, 'env' | 'user'> => ({
  program: process.execPath,
  args: ['--no-warnings', '--input-type=module', '-e', code],
  fences: nodeFences({}),
  ...more,
});

const perlOrder = (code: string, more: Partial<LaunchOrder> = {}): Omit<LaunchOrder, 'env' | 'user'> => ({
  program: perl,
  args: ['-e', code],
  fences: {
    network: 'none',
    files: [
      { path: perl, access: 'rox' },
      { path: '/dev/null', access: 'rw' },
      { path: '/usr/share/perl', access: 'ro', optional: true },
      { path: '/usr/share/perl5', access: 'ro', optional: true },
      ...systemLibraries(),
    ],
  },
  ...more,
});

/** The last line, or how it ended. */
async function told(child: Child): Promise<string> {
  const exit: Exit = await child.exited;
  return child.stdout.tail().at(-1) ?? `ended by ${exit.reason} (${exit.signal ?? exit.code})`;
}

const run = async (
  off: readonly LauncherControl[],
  order: Omit<LaunchOrder, 'env' | 'user'>,
): Promise<string> => told(await launch(off, order));

describe.skipIf(!canFence('what a child does to the machine') || !isRoot('what a child does to the machine'))(
  'as openpact-ai, through the launcher',
  () => {
    it('a binary dropped in memory/ is not written; with files open it does not run; without both fences it does', async () => {
      const folder = memory();
      const code = `
        import fs from 'node:fs'; import { spawnSync } from 'node:child_process';
        const file = ${JSON.stringify(path.join(folder, 'tool'))};
        const at = (what, act) => { try { return act(); } catch (error) { console.log(what + ' ' + error.code); process.exit(); } };
        at('write', () => fs.writeFileSync(file, '#!/bin/sh\\necho it ran\\n', { mode: 0o755 }));
        const { error, stdout } = spawnSync(file);
        console.log(error ? 'run ' + error.code : String(stdout).trim());
      `;
      expect(await run([], node(code))).toBe('write EACCES');
      expect(await run(['landlock'], node(code))).toBe('run EPERM');
      expect(await run(['landlock', 'seccomp'], node(code))).toBe('it ran');
    });

    it('filling memory/ and /tmp is refused; with files open the file limit ends it; without both it fills', async () => {
      for (const folder of [memory(), tmpdir()]) {
        const file = path.join(folder, `fills-${process.pid}`);
        const code = `
          import fs from 'node:fs';
          process.on('SIGXFSZ', () => {});
          try {
            const fd = fs.openSync(${JSON.stringify(file)}, 'w');
            for (let i = 0; i < 8; i += 1) fs.writeSync(fd, Buffer.alloc(${MIB}));
            console.log('filled');
          } catch (error) { console.log(error.code); }
        `;
        const order = node(code, { limits: { openFiles: 64, fileBytes: MIB } });
        expect(await run([], order)).toBe('EACCES');
        await run(['landlock'], order);
        expect(statSync(file).size).toBeLessThanOrEqual(MIB);
        rmSync(file);
        expect(await run(['landlock', 'limits'], order)).toBe('filled');
        expect(statSync(file).size).toBe(8 * MIB);
        rmSync(file);
      }
    });

    it('a fork bomb makes no process; without seccomp the limit of the user ends it; without both it goes on', async () => {
      // Every child of the bomb waits for the end of its parent's pipe, so that nothing is left of it.
      const code = `
        pipe(my $in, my $out); my $made = 0;
        for (1 .. 60) {
          my $pid = fork;
          last unless defined $pid;
          if ($pid == 0) { close $out; sysread($in, my $byte, 1); exit 0 }
          $made++;
        }
        print "made $made\\n";
      `;
      // The limit counts all of the user: those of an OpenPact that runs beside this test too.
      const order = perlOrder(code, { limits: { processes: threadsOf(AI.uid) + 20 } });
      expect(await run([], order)).toBe('made 0');
      const limited = await run(['seccomp'], order);
      expect(Number(limited.slice(5))).toBeGreaterThan(0);
      expect(Number(limited.slice(5))).toBeLessThan(20);
      expect(await run(['seccomp', 'limits'], order)).toBe('made 60');
    });

    it('a memory bomb ends at its limit; without it the kernel would end this process first', async () => {
      const code = `
        import fs from 'node:fs';
        const hoard = [];
        try { for (let i = 0; i < 60; i += 1) hoard.push(Buffer.alloc(8 * ${MIB}, 1)); console.log('hoarded'); }
        catch (error) { console.log('refused'); }
      `;
      const order = node(code, { limits: { dataBytes: 800 * MIB } });
      expect(await run([], order)).not.toBe('hoarded');
      expect(await run(['limits'], order)).toBe('hoarded');
      const child = await launch([], node('setInterval(() => {}, 1000)'));
      expect(readFileSync(`/proc/${child.pid}/oom_score_adj`, 'utf8').trim()).toBe('1000');
    });

    it('10,000 open files are refused by the limit; there is no second control', async () => {
      const code = `
        import fs from 'node:fs';
        let open = 0;
        try { for (; open < 10_000; open += 1) fs.openSync('/dev/null'); console.log('opened'); }
        catch (error) { console.log(error.code + (open < 64 ? '' : ' late')); }
      `;
      const order = node(code, { limits: { openFiles: 64 } });
      expect(await run([], order)).toBe('EMFILE');
      // The limit of this process is what is left then.
      expect(await run(['limits'], order)).toMatch(/^(opened|EMFILE late)$/);
    });

    it('a setsid daemon can not be made; made without seccomp it outlives its engine; in its session the next start ends it', async () => {
      const ledgerFolder = memory();
      const file = path.join(ledgerFolder, 'children');
      const code = (leave: string): string => `
        $| = 1;
        use POSIX ();
        my $pid = fork;
        if (!defined $pid) { print "no fork\\n"; exit 0 }
        if ($pid == 0) { ${leave} close STDOUT; close STDERR; sleep 60; exit 0 }
        print "$pid\\n"; sleep 60;
      `;
      expect(await run([], perlOrder(code('POSIX::setsid();')))).toBe('no fork');

      const daemon = async (leave: string): Promise<number> => {
        const child = await launch(['seccomp'], perlOrder(code(leave)));
        createChildLedger(file, (problem) => {
          throw problem;
        }).add(child.pid);
        await until(() => child.stdout.tail().length > 0, 5_000);
        const pid = Number(child.stdout.tail().at(-1));
        strays.push(pid);
        await child.kill();
        return pid;
      };
      const inSession = await daemon('');
      expect(isAlive(inSession)).toBe(true);
      expect((await sweepStrays(file, null)).killed).toEqual([inSession]);
      expect(isAlive(inSession)).toBe(false);

      const escaped = await daemon('POSIX::setsid();');
      expect((await sweepStrays(file, null)).killed).toEqual([]);
      expect(isAlive(escaped)).toBe(true);
    });

    it('a sweep ends nobody else: not another process of the same user, not one that got the number of a dead one', async () => {
      const other = await launch([], node('setInterval(() => {}, 1000)'));
      const file = path.join(memory(), 'children');
      const ledger = createChildLedger(file, (problem) => {
        throw problem;
      });
      const ours = await launch([], node('setInterval(() => {}, 1000)'));
      ledger.add(ours.pid);
      const text = readFileSync(file, 'utf8');
      const reused = `${file}-reused`;
      // As if the number had belonged to a process that started earlier, which is dead.
      writeFileSync(reused, text.replace(/ (\d+)\n$/, ' 1\n'));
      const users = { system: AI, ai: AI, script: AI };
      expect((await sweepStrays(`${file}-of-another`, users)).killed).toEqual([]);
      expect((await sweepStrays(reused, users)).killed).toEqual([]);
      expect((await sweepStrays(file, users)).killed).toEqual([ours.pid]);
      expect(isAlive(other.pid)).toBe(true);
    });
  },
);
