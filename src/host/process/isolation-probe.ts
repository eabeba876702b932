/** The scene with something to steal, and the two probes that are let at it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { errorText } from '../../core/index.ts';
import { nodeFences, systemLibraries } from './node-fences.ts';
import type { Fences, Launcher, UserIds } from './types.ts';
import type { Users } from './users.ts';
import { usersChecks, type TryUsers } from './users-probe.ts';

export type CheckResult = 'refused' | 'allowed';

/** How a probe is started. The tests also start it without fences. */
export type StartProbe = (order: ProbeOrder) => Promise<ProbeAnswer>;

export interface ProbeOrder {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly fences: Fences;
  readonly user?: UserIds | undefined;
}

export interface ProbeAnswer {
  /** A JSON object of checks. */
  readonly line: string;
  readonly landlockAbi: number;
}

export interface ProbeFindings {
  readonly checks: Readonly<Record<string, CheckResult>>;
  readonly landlockAbi: number;
  /** Why there are no answers, or not all. */
  readonly problem: string | undefined;
  /** Why the users' own probe gave no answers; `none` where there are no users to try. */
  readonly users: string | undefined;
}

const probeEnvironment = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' };
const deadlineMs = 5_000;

export interface Attempts {
  readonly start: StartProbe;
  readonly assets: string;
  readonly perl: string;
  /** Null: children run as the user of this process. */
  readonly users: Users | null;
  readonly tryUsers: TryUsers | undefined;
}

export async function tryEverything(attempts: Attempts): Promise<ProbeFindings> {
  const { start, assets, perl, users, tryUsers } = attempts;
  const folder = await mkdtemp(path.join(tmpdir(), 'openpact-probe-'));
  const servers: net.Server[] = [];
  try {
    const outsideFolder = path.join(folder, 'outside');
    const outsideFile = path.join(outsideFolder, 'file');
    const unixPath = path.join(folder, 'socket');
    await mkdir(outsideFolder);
    await writeFile(outsideFile, 'not for the probe');
    const tcp = await listen(servers, { host: '127.0.0.1', port: 0 });
    await listen(servers, { path: unixPath });
    const scene = {
      parentPid: process.pid,
      outsideFile,
      outsideFolder,
      unixPath,
      tcpPort: (tcp.address() as net.AddressInfo).port,
      environment: Object.keys(probeEnvironment),
    };
    const results = await Promise.allSettled([
      start({ ...nodeProbe(assets, JSON.stringify(scene)), user: users?.ai }),
      start({ ...perlProbe(assets, perl), user: users?.ai }),
    ]);
    const checks: Record<string, CheckResult> = {};
    let landlockAbi = 0;
    let problem: string | undefined;
    for (const result of results) {
      if (result.status === 'rejected') problem ??= errorText(result.reason);
      else {
        Object.assign(checks, readChecks(result.value.line));
        landlockAbi = result.value.landlockAbi;
      }
    }
    return { checks, landlockAbi, problem, users: await usersAnswers(tryUsers, checks) };
  } finally {
    for (const server of servers) server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Adds the answers to `checks`; returns why there are none. */
async function usersAnswers(
  tryUsers: TryUsers | undefined,
  checks: Record<string, CheckResult>,
): Promise<string | undefined> {
  if (tryUsers === undefined) return 'none';
  try {
    for (const line of await tryUsers()) {
      const answers = readChecks(line);
      // A missing answer of one user is not made good by another.
      for (const name of usersChecks) {
        if (checks[name] !== 'allowed') checks[name] = answers[name] ?? 'allowed';
      }
    }
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

function nodeProbe(assets: string, scene: string): ProbeOrder {
  const script = path.join(assets, 'probe.mjs');
  return {
    program: process.execPath,
    args: ['--no-warnings', script, scene],
    env: probeEnvironment,
    fences: nodeFences({ read: [script] }),
  };
}

function perlProbe(assets: string, perl: string): ProbeOrder {
  const script = path.join(assets, 'probe.pl');
  return {
    program: perl,
    args: [script, process.arch, String(process.pid)],
    env: probeEnvironment,
    fences: {
      network: 'none',
      files: [
        { path: perl, access: 'rox' },
        { path: script, access: 'ro' },
        { path: '/usr/share/perl', access: 'ro', optional: true },
        { path: '/usr/share/perl5', access: 'ro', optional: true },
        ...systemLibraries(),
      ],
    },
  };
}

export function startFencedProbe(launcher: Launcher): StartProbe {
  return async (order) => {
    const output = { lineBytes: 64 * 1024 };
    const child = await launcher.launch({ ...order, output, deadlineMs });
    const timer = setTimeout(() => void child.kill(), deadlineMs);
    const exit = await child.exited;
    clearTimeout(timer);
    const line = child.stdout.tail().at(-1);
    if (exit.code === 0 && line !== undefined) return { line, landlockAbi: child.fence.landlockAbi };
    const words = child.stderr.tail().slice(-3).join(' | ');
    throw new Error(`a probe ended early (${exit.signal ?? `exit ${exit.code}`}) ${words}`.trim());
  };
}

function readChecks(line: string): Record<string, CheckResult> {
  const checks: Record<string, CheckResult> = {};
  for (const [name, answer] of Object.entries(JSON.parse(line) as Record<string, unknown>)) {
    checks[name] = answer === 'refused' ? 'refused' : 'allowed';
  }
  return checks;
}

async function listen(servers: net.Server[], where: net.ListenOptions): Promise<net.Server> {
  const server = net.createServer((socket) => socket.destroy());
  servers.push(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, resolve);
  });
  return server;
}
