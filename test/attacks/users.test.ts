/** OpenPact started as root: who runs as whom afterwards, what file modes alone refuse, and what no child holds. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { canFence, isRoot } from '../../src/host/process/launch.test-support.ts';
import { field, readProcessStatus } from '../../src/host/process/process-status.ts';
import { PRODUCT } from '../support/product.ts';
import { startProgram, type RunningProgram } from '../support/running-program.ts';

const SYSTEM = { uid: 41_001, gid: 41_000 };
const AI = { uid: 41_002, gid: 41_000 };
const SCRIPT = { uid: 41_003, gid: 41_003 };

const SECRETS = Object.fromEntries(
  [
    'DISCORD_TOKEN',
    'TELEGRAM_BOT_TOKEN',
    'SLACK_BOT_TOKEN',
    'SLACK_APP_TOKEN',
    'GITHUB_TOKEN',
    'ADMIN_JWT_SECRET',
    'OPENPACT_SECRET_X',
    'ANTHROPIC_API_KEY',
    'OPENAI_API_KEY',
    'GOOGLE_API_KEY',
    'GEMINI_API_KEY',
    'OPENROUTER_API_KEY',
  ].map((name) => [name, `${name.toLowerCase()}-Zk4mQ9vX27LsTp8Rb41W`]),
);

/** A shell as another user, with no privilege and nothing else around it: file modes alone. */
function as(user: { uid: number; gid: number }, command: string): { ok: boolean; said: string } {
  const { status, stdout, stderr } = spawnSync(
    'setpriv',
    [
      `--reuid=${user.uid}`,
      `--regid=${user.gid}`,
      '--clear-groups',
      '--no-new-privs',
      '--inh-caps=-all',
      '--ambient-caps=-all',
      '--bounding-set=-all',
      'sh',
      '-c',
      `umask 007; ${command}`,
    ],
    { encoding: 'utf8', cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } },
  );
  return { ok: status === 0, said: stdout + stderr };
}

const DENIED = /Permission denied|Operation not permitted/;

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => {
      try {
        return field(readProcessStatus(each), 'PPid') === String(pid);
      } catch {
        return false;
      }
    })
    .flatMap((each) => [each, ...childrenOf(each)]);
}

describe.skipIf(!canFence('OpenPact as root') || !isRoot('OpenPact as root'))(
  'OpenPact started as root',
  () => {
    let program: RunningProgram;
    let children: number[];
    const path = (...names: string[]): string => join(program.workspace, ...names);

    beforeAll(async () => {
      program = await startProgram({ handedOver: SECRETS });
      // The engine's process comes up behind the page.
      await vi.waitFor(() => {
        children = childrenOf(program.pid);
        expect(children.length).toBeGreaterThanOrEqual(2);
      }, 10_000);
    }, 60_000);
    afterAll(async () => {
      await program.kill();
      program.remove();
    });

    test('is openpact-system, with the three capabilities of the launcher and no more; no process of it is root', () => {
      const own = readProcessStatus(program.pid);
      expect(field(own, 'Uid')).toBe('41001\t41001\t41001\t41001');
      expect(field(own, 'Gid')).toBe('41000\t41000\t41000\t41000');
      expect(field(own, 'Groups')).toBe('');
      expect(field(own, 'NoNewPrivs')).toBe('1');
      // SETUID, SETGID, KILL.
      for (const set of ['CapPrm', 'CapEff', 'CapBnd'])
        expect([set, field(own, set)]).toEqual([set, '00000000000000e0']);
      expect(children.length).toBeGreaterThanOrEqual(2);
      const uids = children.map((pid) => field(readProcessStatus(pid), 'Uid')?.split('\t')[0]);
      expect(new Set(uids)).toEqual(new Set(['41001', '41002']));
      for (const pid of children) {
        for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) {
          expect([pid, set, field(readProcessStatus(pid), set)]).toEqual([pid, set, '0000000000000000']);
        }
      }
    });

    test('is at level 3, in /health too', async () => {
      const { body } = await program.api<{ isolation: { level: number } }>('GET', '/health');
      expect(body.isolation.level).toBe(3);
    });

    test('gives the workspace the modes and owners of the charter', () => {
      const modes = Object.fromEntries(
        [
          '',
          'secure',
          'secure/data',
          'engine',
          'ai-data',
          'ai-data/memory',
          'ai-data/scripts',
          'ai-data/skills',
        ]
          .concat(['ai-data/SOUL.md', 'ai-data/USER.md', 'ai-data/MEMORY.md', 'secure/data/master_key'])
          .map((name) => {
            const { mode, uid, gid } = statSync(path(name));
            return [name, `${(mode & 0o7777).toString(8)} ${uid}:${gid}`];
          }),
      );
      expect(modes).toEqual({
        '': '750 41001:41000',
        secure: '700 41001:41000',
        'secure/data': '700 41001:41000',
        'secure/data/master_key': '600 41001:41000',
        engine: '2770 41001:41000',
        'ai-data': '750 41001:41000',
        'ai-data/memory': '2770 41001:41000',
        'ai-data/scripts': '750 41001:41000',
        'ai-data/skills': '750 41001:41000',
        'ai-data/SOUL.md': '640 41001:41000',
        'ai-data/USER.md': '640 41001:41000',
        'ai-data/MEMORY.md': '660 41001:41000',
      });
    });

    test('by file modes alone openpact-ai reads ai-data/ and writes its memory, and gets nothing else', () => {
      expect(as(AI, `cat ${path('ai-data/SOUL.md')} && ls ${path('ai-data/memory')}`)).toMatchObject({
        ok: true,
      });
      expect(
        as(AI, `echo x > ${path('ai-data/memory/t.md')} && echo x >> ${path('ai-data/MEMORY.md')}`),
      ).toMatchObject({
        ok: true,
      });
      for (const command of [
        `ls ${path('secure')}`,
        `cat ${path('secure/data/master_key')}`,
        `cat ${path('secure/data/openpact.db')}`,
        `mv ${path('ai-data/scripts')} ${path('ai-data/x')}`,
        `mv ${path('ai-data/SOUL.md')} ${path('ai-data/memory/SOUL.md')}`,
        `mv ${path('ai-data/memory')} ${path('ai-data/gone')}`,
        `echo x > ${path('ai-data/SOUL.md')}`,
        `echo x > ${path('ai-data/new.md')}`,
        `rm -f ${path('ai-data/USER.md')}`,
        `mv ${path('secure')} ${path('s')}`,
        `cat /proc/${program.pid}/environ`,
        `cat /proc/${program.pid}/mem`,
        `ls -l /proc/${program.pid}/fd`,
        `kill -0 ${program.pid}`,
        ...children
          .filter((pid) => field(readProcessStatus(pid), 'Uid')?.startsWith('41001'))
          .flatMap((pid) => [`cat /proc/${pid}/environ`, `kill -0 ${pid}`]),
      ]) {
        const { ok, said } = as(AI, command);
        expect([command, ok, DENIED.test(said)]).toEqual([command, false, true]);
      }
    });

    test('by file modes alone openpact-script gets nothing at all', () => {
      for (const command of [
        `ls ${path('')}`,
        `cat ${path('ai-data/SOUL.md')}`,
        `echo x > ${path('ai-data/memory/s.md')}`,
        `ls ${path('secure')}`,
        `kill -0 ${program.pid}`,
        ...children.flatMap((pid) => [`cat /proc/${pid}/environ`, `kill -0 ${pid}`]),
      ]) {
        const { ok, said } = as(SCRIPT, command);
        expect([command, ok, DENIED.test(said)]).toEqual([command, false, true]);
      }
    });

    test('no child holds a secret or the name of one, in its environment or its arguments', () => {
      for (const pid of children) {
        for (const file of ['environ', 'cmdline']) {
          const text = readFileSync(`/proc/${pid}/${file}`, 'latin1');
          for (const [name, value] of Object.entries(SECRETS)) {
            expect([pid, file, name, text.includes(name), text.includes(value)]).toEqual([
              pid,
              file,
              name,
              false,
              false,
            ]);
          }
        }
        const names = readFileSync(`/proc/${pid}/environ`, 'latin1')
          .split('\0')
          .map((entry) => entry.split('=', 1)[0] ?? '')
          .filter((name) => name !== '');
        expect(names.filter((name) => !/^(PATH|HOME|LANG|TZ|TMPDIR|XDG_.*)$/.test(name))).toEqual([]);
      }
      // Nor does the orchestrator show them to others of its user.
      const own = readFileSync(`/proc/${program.pid}/environ`, 'latin1');
      for (const value of Object.values(SECRETS)) expect(own).not.toContain(value);
    });

    test('ends with all its children within a moment when it is killed with -9', async () => {
      const own = childrenOf(program.pid);
      expect(own.length).toBeGreaterThan(0);
      process.kill(program.pid, 'SIGKILL');
      const gone = (pid: number): boolean => {
        try {
          return /^[ZX]/.test(field(readProcessStatus(pid), 'State') ?? 'X');
        } catch {
          return true;
        }
      };
      const end = performance.now() + 2_000;
      while (!own.every(gone) && performance.now() < end) await new Promise((wait) => setTimeout(wait, 5));
      expect(own.filter((pid) => !gone(pid))).toEqual([]);
    });

    test('the system user could not be kept from its own files: modes protect from the other two', () => {
      expect(as(SYSTEM, `cat ${path('secure/data/master_key')}`).ok).toBe(true);
    });
  },
);

describe.skipIf(!isRoot('a start as root that can not work'))(
  'a start as root is refused, with what to do,',
  () => {
    const startAs = (
      prefix: readonly string[],
      workspace: string,
    ): { status: number | null; answer: unknown } => {
      const [file, ...args] = [
        ...prefix,
        process.execPath,
        PRODUCT,
        'start',
        '--json',
        '--port',
        '0',
        '--workspace',
        workspace,
      ];
      const { status, stdout, stderr } = spawnSync(file, args, {
        encoding: 'utf8',
        timeout: 60_000,
        env: { PATH: process.env['PATH'] },
      });
      if (!stdout.startsWith('{')) throw new Error(`${status} ${stdout} ${stderr}`);
      return { status, answer: JSON.parse(stdout.split('\n')[0] ?? '') };
    };
    let folder: string;
    beforeAll(() => {
      folder = spawnSync('mktemp', ['-d'], { encoding: 'utf8' }).stdout.trim();
      spawnSync('chmod', ['755', folder]);
    });
    afterAll(() => void spawnSync('rm', ['-rf', folder]));

    test('without the capabilities to change users', () => {
      const { status, answer } = startAs(
        ['setpriv', '--bounding-set=-all,+kill,+setgid', '--inh-caps=-all'],
        join(folder, 'a'),
      );
      expect(status).toBe(78);
      expect(answer).toMatchObject({
        error: 'capabilities_missing',
        missing: ['SETUID'],
        fix: expect.stringContaining('cap_add') as string,
      });
    });

    test('with the three alone on a volume that belongs to somebody else', () => {
      const volume = join(folder, 'b');
      mkdirSync(volume, { mode: 0o755 });
      const { status, answer } = startAs(
        ['setpriv', '--bounding-set=-all,+setuid,+setgid,+kill', '--inh-caps=-all'],
        volume,
      );
      expect(status).toBe(78);
      expect(JSON.stringify(answer)).toContain(volume);
      expect(answer).toMatchObject({ fix: expect.stringMatching(/.{10}/) as string });
    });

    test('below a folder that only root may enter', () => {
      const closed = join(folder, 'closed');
      mkdirSync(closed, { mode: 0o700 });
      const { status, answer } = startAs([], join(closed, 'ws'));
      expect(status).toBe(78);
      expect(answer).toMatchObject({
        error: 'workspace_unreachable',
        folder: closed,
        fix: expect.stringContaining(`chmod o+x ${closed}`) as string,
      });
    });

    test('in a folder with other things in it, which keep their owner', () => {
      const home = join(folder, 'home');
      mkdirSync(join(home, 'letters'), { recursive: true, mode: 0o755 });
      const { status, answer } = startAs([], home);
      expect(status).toBe(78);
      expect(answer).toMatchObject({ error: 'workspace_unusable' });
      expect(statSync(home).uid).toBe(0);
    });
  },
);
