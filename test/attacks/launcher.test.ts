/**
 * What a hostile child tries, with every fence on, with one off (which fence then stands in its way?), and with all off
 * (the attempt works, so these tests can fail). The attempts are those of src/host/process/probe.mjs and probe.pl.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createLauncher, isolationChecks, probeIsolation } from '../../src/host/process/index.ts';
import { startFencedProbe } from '../../src/host/process/isolation-probe.ts';
import {
  canFence,
  isAlive,
  plainNode,
  startPlainProbe,
  until,
} from '../../src/host/process/launch.test-support.ts';
import { systemLibraries } from '../../src/host/process/node-fences.ts';
import { readProcessStatus } from '../../src/host/process/process-status.ts';
import { findTools } from '../../src/host/process/tools.ts';

const source = path.join(import.meta.dirname, '../../src/host/process');
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The launcher's files with one call of fence.pl replaced: that fence says that it stands, and does not. */
function withFenceOff(call: string, pretence: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'openpact-fence-off-'));
  folders.push(folder);
  for (const file of ['fence.pl', 'probe.pl', 'probe.mjs'])
    cpSync(path.join(source, file), path.join(folder, file));
  const fence = path.join(folder, 'fence.pl');
  const text = readFileSync(fence, 'utf8');
  const changed = text.replace(call, pretence);
  if (changed === text) throw new Error(`fence.pl has no ${call}`);
  writeFileSync(fence, changed);
  return folder;
}

const withoutLandlock = (): string => withFenceOff('my $abi = landlock();', 'my $abi = 1;');
const withoutSeccomp = (): string => withFenceOff('my $seccomp = seccomp();', 'my $seccomp = 1;');

/** The look into /proc would find seccomp off; it is switched off too. */
const blindToSeccomp = (pid: number): string =>
  readProcessStatus(pid)
    .replace(/^Seccomp:.*$/m, 'Seccomp:\t2')
    .replace(/^Seccomp_filters:.*\n/m, '');

/** What other users refuse is tried in users.test.ts. */
const fenceChecks = isolationChecks.filter((name) => !name.startsWith('user_'));

const allowed = (checks: Readonly<Record<string, string>>): string[] =>
  fenceChecks.filter((name) => checks[name] === 'allowed');

/** At level 2 there is no second fence behind Landlock for these. Users of their own (level 3) are one. */
const onlyLandlock = ['read_outside', 'list_outside', 'write_outside', 'truncate_outside'];

/** With seccomp off, Landlock still refuses these. */
const alsoLandlock = [
  ...onlyLandlock,
  'parent_environ',
  'parent_memory',
  'signal_parent',
  'tcp_connect',
  'tcp_listen',
  'spawn_process',
  'ptrace',
];

/** No second fence behind seccomp, whoever we are. */
const onlySeccomp = [
  'chmod_outside',
  'udp_socket',
  'unix_connect',
  'netlink_socket',
  'mptcp_socket',
  'fork',
  'pidfd_open',
  'outlive_parent',
  'parent_limits',
  'keyctl',
  'io_uring',
];

/** Needs privilege even without a fence, so that only root can show that it works. */
const privileged = ['raw_socket', 'mount', 'bpf', 'perf_event_open', 'userfaultfd', 'capabilities'];

describe.skipIf(!canFence('attacks on the launcher'))('a hostile child', () => {
  it('gets nothing with every fence on', async () => {
    const report = await probeIsolation();
    expect(report.missing.map(({ what }) => what)).toEqual([
      "The assistant's processes run as the same Linux user as OpenPact itself",
    ]);
    expect(allowed(report.checks)).toEqual([]);
    expect(Object.keys(report.checks).toSorted()).toEqual([...isolationChecks].toSorted());
    expect(report.level).toBe(2);
  });

  it('without Landlock reads and writes files, and is kept from everything else by seccomp', async () => {
    const report = await probeIsolation({ assets: withoutLandlock() });
    expect(report.level).toBe(0);
    expect(report.fences).toMatchObject({ landlock: { ok: false }, seccomp: { ok: true } });
    expect(allowed(report.checks)).toEqual(expect.arrayContaining(onlyLandlock));
  });

  it('without seccomp forks and opens sockets, and is kept from files, ports and signals by Landlock', async () => {
    const assets = withoutSeccomp();
    const start = startFencedProbe(createLauncher({ assets, readStatus: blindToSeccomp }));
    const report = await probeIsolation({ assets, start });
    expect(report.level).toBe(0);
    expect(report.fences).toMatchObject({ landlock: { ok: true }, seccomp: { ok: false } });
    expect(allowed(report.checks)).toEqual(expect.arrayContaining(onlySeccomp));
    expect(allowed(report.checks).filter((name) => alsoLandlock.includes(name))).toEqual([]);
  });

  it('without seccomp is found out and killed, when /proc is looked at', async () => {
    const report = await probeIsolation({ assets: withoutSeccomp() });
    expect(report.level).toBe(0);
    expect(report.missing[0]?.what).toContain('Seccomp is 0 where 2 was ordered');
  });

  it('without any fence gets everything', async () => {
    const report = await probeIsolation({ start: startPlainProbe });
    const needed = process.getuid?.() === 0 ? [] : privileged;
    expect(fenceChecks.filter((name) => report.checks[name] === 'refused' && !needed.includes(name))).toEqual(
      [],
    );
  });

  it('outlives a parent killed with -9 only when it was launched without the chain', async () => {
    for (const fenced of [true, false]) {
      const parent = await plainNode(`
        const { createLauncher, nodeFences } = await import(${JSON.stringify(path.join(source, 'index.ts'))});
        const launcher = createLauncher(${fenced ? '' : '{ tools: null }'});
        const child = await launcher.launch({ program: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'],
          env: {}, fences: { ...nodeFences({}), allowUnfenced: true } });
        console.log(child.pid);
        setInterval(() => {}, 1000);`);
      expect(await until(() => parent.output().endsWith('\n'), 10_000), parent.errors()).toBe(true);
      const pid = Number(parent.output());
      parent.kill();
      await parent.ended;
      const gone = await until(() => !isAlive(pid), fenced ? 1_000 : 100);
      if (!gone) process.kill(pid, 'SIGKILL');
      expect(gone).toBe(fenced);
    }
  });
});

/** Each line: what is tried on a socket, and what the kernel says. */
const socketAttempts = `
  use strict; use warnings; use Socket;
  my ($open, $closed, $arch) = @ARGV;
  sub attempt { my ($name, $ok) = @_; print "$name ", ($ok ? 'allowed' : 'refused'), "\n" }
  sub to { return pack_sockaddr_in($_[0], inet_aton('127.0.0.1')) }
  sub tcp { my ($protocol) = @_; socket(my $s, AF_INET, SOCK_STREAM, $protocol) or return; return $s }
  my $s;
  attempt('tcp', ($s = tcp(6)) && connect($s, to($open)));
  attempt('tcp_other_port', ($s = tcp(6)) && connect($s, to($closed)));
  attempt('mptcp_other_port', ($s = tcp(262)) && connect($s, to($closed)));
  attempt('fast_open_other_port', ($s = tcp(6)) && defined send($s, 'x', 0x20000000, to($closed)));
  attempt('fast_open_option', ($s = tcp(6)) && setsockopt($s, 6, 30, 1));
  attempt('upper_layer_protocol', ($s = tcp(6)) && (setsockopt($s, 6, 31, 'none') || !$!{EPERM}));
  attempt('udp', socket($s, AF_INET, SOCK_DGRAM, 17));
  attempt('listen', ($s = tcp(6)) && listen($s, 1));
  attempt('bind', ($s = tcp(6)) && bind($s, to(0)));
  attempt('unix', socket($s, AF_UNIX, SOCK_STREAM, 0));
`;

describe.skipIf(!canFence('attacks on the TCP fence'))('a child with one TCP port', () => {
  it('reaches that port and finds no way around the fence', async () => {
    const servers = await Promise.all([listen(), listen()]);
    try {
      const [open, closed] = servers.map((server) => (server.address() as net.AddressInfo).port);
      const perl = findTools()!.perl;
      const order = {
        program: perl,
        args: ['-e', socketAttempts, String(open), String(closed)],
        env: {},
        fences: {
          network: { connect: [open!], bind: [] },
          files: [
            { path: perl, access: 'rox' } as const,
            { path: '/dev/null', access: 'ro' } as const,
            { path: '/usr/share/perl', access: 'ro', optional: true } as const,
            ...systemLibraries(),
          ],
        },
      };
      const fenced = await createLauncher().launch(order);
      await fenced.exited;
      const said = fenced.stdout.tail();
      expect(said, fenced.stderr.tail().join('\n')).toHaveLength(10);
      expect(said.filter((line) => line.endsWith('allowed'))).toEqual(['tcp allowed']);

      const plain = await createLauncher({ tools: null }).launch({
        ...order,
        fences: { ...order.fences, allowUnfenced: true },
      });
      await plain.exited;
      expect(plain.stdout.tail().filter((line) => line.endsWith('refused'))).toEqual([]);
    } finally {
      for (const server of servers) server.close();
    }
  });
});

async function listen(): Promise<net.Server> {
  const server = net.createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
