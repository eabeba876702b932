/** Ways out of the launcher that were real once, tried with controls on, with each left out, and with all of them out. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { canFence, isRoot } from '../../src/host/process/launch.test-support.ts';
import { systemLibraries } from '../../src/host/process/node-fences.ts';
import { findTool } from '../../src/host/process/tools.ts';
import { weakLauncher, type LauncherControl } from '../seams/weak-launcher.ts';

const ESCAPE = path.join(import.meta.dirname, '..', 'seams', 'ambient-escape.ts');
const perl = findTool('perl') ?? '';

/** As become-system.ts leaves OpenPact. */
function escape(off: string): string {
  const kept = '-all,+setuid,+setgid,+kill';
  const { stdout, stderr } = spawnSync(
    'setpriv',
    [
      '--reuid=41001',
      '--regid=41000',
      '--clear-groups',
      '--no-new-privs',
      `--inh-caps=${kept}`,
      `--ambient-caps=${kept}`,
      `--bounding-set=${kept}`,
      process.execPath,
      '--no-warnings',
      ESCAPE,
      off,
    ],
    { encoding: 'utf8', cwd: '/', env: { PATH: '/usr/bin:/bin' } },
  );
  if (stdout === '') throw new Error(stderr);
  return stdout.trim();
}

describe.skipIf(!canFence('the ambient capability escape') || !isRoot('the ambient capability escape'))(
  'a child that inherits the capabilities of OpenPact',
  () => {
    it('does not exist: setpriv empties them, so does fence.pl, and seccomp refuses to change users', () => {
      expect(escape('')).toBe('refused');
      expect(escape('setpriv')).toBe('refused');
      expect(escape('capset,seccomp,status')).toBe('refused');
      expect(escape('setpriv,seccomp,status')).toBe('refused');
      expect(escape('setpriv,capset,status')).toBe('refused');
    });

    it('is found by the look at /proc and never runs, when both did not empty them', () => {
      expect(escape('setpriv,capset,seccomp')).toMatch(
        /was not started: the child was killed because .*CapPrm is 0+e0/,
      );
    });

    it('becomes root when all of these are off, and when it is started by a plain change of user', () => {
      expect(escape('setpriv,capset,seccomp,status')).toBe('became root');
      expect(escape('spawn')).toBe('became root');
    });
  },
);

const servers: net.Server[] = [];
const folders: string[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function port(): Promise<number> {
  const server = net.createServer((socket) => socket.destroy());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as net.AddressInfo).port;
}

/** How a child that may connect to one port reaches another one. */
const WAYS = {
  'plain TCP': 'socket($s, AF_INET, SOCK_STREAM, 6) && connect($s, $to)',
  // IPPROTO_MPTCP
  MPTCP: 'socket($s, AF_INET, SOCK_STREAM, 262) && connect($s, $to)',
  // MSG_FASTOPEN
  'TCP Fast Open': 'socket($s, AF_INET, SOCK_STREAM, 6) && defined send($s, "x", 0x20000000, $to)',
} as const;

async function dial(way: keyof typeof WAYS, off: readonly LauncherControl[]): Promise<string> {
  const [allowed, forbidden] = [await port(), await port()];
  const { launcher, folder } = weakLauncher(off);
  folders.push(folder);
  const child = await launcher.launch({
    program: perl,
    args: [
      '-e',
      `use Socket; my $s; my $to = pack_sockaddr_in(${forbidden}, inet_aton("127.0.0.1")); print +(${WAYS[way]}) ? "connected\\n" : $!{EPERM} || $!{EACCES} ? "refused\\n" : "$!\\n";`,
    ],
    env: {},
    fences: {
      network: { connect: [allowed], bind: [] },
      files: [
        { path: perl, access: 'rox' },
        { path: '/dev/null', access: 'rw' },
        { path: '/usr/share/perl', access: 'ro', optional: true },
        { path: '/usr/share/perl5', access: 'ro', optional: true },
        ...systemLibraries(),
      ],
    },
  });
  await child.exited;
  return child.stdout.tail().at(-1) ?? child.stderr.tail().join('\n');
}

describe.skipIf(!canFence('connects past Landlock'))('a child with one TCP port', () => {
  it('reaches no other port: plainly by Landlock, by MPTCP and Fast Open by seccomp', async () => {
    for (const way of Object.keys(WAYS) as (keyof typeof WAYS)[])
      expect([way, await dial(way, [])]).toEqual([way, 'refused']);
    expect(await dial('MPTCP', ['landlock'])).toBe('refused');
    expect(await dial('TCP Fast Open', ['landlock'])).toBe('refused');
  });

  it('without seccomp is refused plainly only: Landlock does not see the other two', async () => {
    expect(await dial('plain TCP', ['seccomp'])).toBe('refused');
    expect(await dial('MPTCP', ['seccomp'])).toBe('connected');
    expect(await dial('TCP Fast Open', ['seccomp'])).toBe('connected');
  });

  it('without both reaches every port', async () => {
    for (const way of Object.keys(WAYS) as (keyof typeof WAYS)[])
      expect([way, await dial(way, ['landlock', 'seccomp'])]).toEqual([way, 'connected']);
  });
});
