/**
 * Which fences hold on this machine: each is tried from inside a child, none is believed.
 *
 * Guarantees: a level is given only for what was refused to a real child just now; a check without an answer counts as
 * allowed. Never throws. Does not: prove a fence against what is not tried here. An attacker may control: nothing.
 */
import { errorText } from '../../core/index.ts';
import {
  startFencedProbe,
  tryEverything,
  type CheckResult,
  type ProbeFindings,
  type StartProbe,
} from './isolation-probe.ts';
import { createLauncher } from './launch.ts';
import type { Tools } from './order.ts';
import type { Users } from './users.ts';
import { startUsersProbe, usersChecks } from './users-probe.ts';
import { findTool, findTools } from './tools.ts';

/** 3: users, Landlock and seccomp; 2: Landlock and seccomp as one user; 1: users only; 0: none. */
export type IsolationLevel = 0 | 1 | 2 | 3;

export interface FenceState {
  readonly ok: boolean;
  readonly detail: string;
}

export interface IsolationReport {
  readonly level: IsolationLevel;
  readonly fences: {
    readonly landlock: FenceState & { readonly abi: number };
    readonly seccomp: FenceState;
    /** No new privileges, and no capability left. */
    readonly privileges: FenceState;
    readonly environment: FenceState;
    /** Whether children run as users of their own. */
    readonly users: FenceState;
  };
  /** What keeps the level from being higher, and what to do. */
  readonly missing: readonly { readonly what: string; readonly fix: string }[];
  readonly checks: Readonly<Record<string, CheckResult>>;
  readonly tookMs: number;
}

/** The checks that each fence answers for. */
const checksOf = {
  landlock: [
    'read_outside',
    'list_outside',
    'write_outside',
    'truncate_outside',
    'parent_environ',
    'parent_memory',
  ],
  seccomp: [
    'chmod_outside',
    'signal_parent',
    'tcp_connect',
    'tcp_listen',
    'udp_socket',
    'unix_connect',
    'raw_socket',
    'vsock_socket',
    'netlink_socket',
    'mptcp_socket',
    'spawn_process',
    'fork',
    'unshare',
    'setns',
    'mount',
    'ptrace',
    'process_vm_readv',
    'pidfd_open',
    'parent_limits',
    'outlive_parent',
    'bpf',
    'perf_event_open',
    'keyctl',
    'userfaultfd',
    'io_uring',
  ],
  privileges: ['new_privileges', 'capabilities'],
  environment: ['foreign_environment'],
  /** By users and file modes alone: nothing else is put around the child that tries these. */
  users: usersChecks,
} as const;

export const isolationChecks: readonly string[] = Object.values(checksOf).flat();

const fixes: Readonly<Record<keyof typeof checksOf, string>> = {
  landlock: 'Run on Linux 5.13 or later with Landlock on, under a container profile that allows it.',
  seccomp: 'Run on Linux with seccomp filters.',
  privileges: 'Install setpriv from util-linux 2.33 or later.',
  environment: 'Report this: a child must see its listed names only.',
  users:
    'Start OpenPact as root, on bare metal or in a container with SETUID, SETGID and KILL: it becomes openpact-system by itself.',
};
const fixAll = 'Run on Linux (x64 or arm64) with Landlock and seccomp, with util-linux and perl installed.';

export interface ProbeDependencies {
  /** The folder of fence.pl, probe.pl and probe.mjs; set it when this module is bundled. */
  readonly assets?: string | undefined;
  /** Null on a machine that can't fence. */
  readonly tools?: Tools | null | undefined;
  /** The users of children, or null where they run as the user of this process. */
  readonly users?: Users | null | undefined;
  /** How a probe is started, by default through the launcher. */
  readonly start?: StartProbe | undefined;
}

export async function probeIsolation(dependencies: ProbeDependencies = {}): Promise<IsolationReport> {
  const startedAt = performance.now();
  const findings = await find(dependencies);
  return judge(findings, Math.round(performance.now() - startedAt));
}

async function find(dependencies: ProbeDependencies): Promise<ProbeFindings> {
  const nothing = { checks: {}, landlockAbi: 0, users: 'none' as const };
  try {
    const tools = dependencies.tools === undefined ? findTools() : dependencies.tools;
    if (tools === null) return { ...nothing, problem: withoutTools() };
    const assets = dependencies.assets ?? import.meta.dirname;
    const start = dependencies.start ?? startFencedProbe(createLauncher({ assets, tools }));
    const users = dependencies.users ?? null;
    const tryUsers = users === null ? undefined : startUsersProbe(users, assets, tools);
    return await tryEverything({ start, assets, perl: tools.perl, users, tryUsers });
  } catch (error) {
    return { ...nothing, problem: errorText(error) };
  }
}

function withoutTools(): string {
  if (process.platform !== 'linux') return `${process.platform} has no fences that we can use`;
  const lacking = ['setpriv', 'prlimit', 'perl'].filter((name) => findTool(name) === undefined);
  return lacking.length === 0
    ? `no fences are known for ${process.arch}`
    : `not installed: ${lacking.join(', ')}`;
}

function judge(findings: ProbeFindings, tookMs: number): IsolationReport {
  const checks: Record<string, CheckResult> = {};
  for (const name of isolationChecks) {
    checks[name] = findings.checks[name] === 'refused' ? 'refused' : 'allowed';
  }
  const state = (fence: keyof typeof checksOf, good: string): FenceState => {
    const open = checksOf[fence].filter((name) => checks[name] === 'allowed');
    if (open.length === 0) return { ok: true, detail: good };
    return { ok: false, detail: findings.problem ?? `not refused: ${open.join(', ')}` };
  };
  const abi = findings.landlockAbi;
  const fences = {
    landlock: { ...state('landlock', `Landlock ABI ${abi}`), abi },
    seccomp: state('seccomp', 'one process, no sockets, no tracing, no namespaces'),
    privileges: state('privileges', 'no capabilities and no way to new ones'),
    environment: state('environment', 'listed names only'),
    users: usersState(findings, state),
  };
  const { landlock, seccomp, privileges, environment, users } = fences;
  const fenced = [landlock, seccomp, privileges, environment].every(({ ok }) => ok);
  const level = fenced ? (users.ok ? 3 : 2) : users.ok ? 1 : 0;
  return { level, fences, missing: missing(fences, findings.problem), checks, tookMs };
}

/** The users' own probe can fail while the others work, and the other way round. */
function usersState(
  findings: ProbeFindings,
  state: (fence: 'users', good: string) => FenceState,
): FenceState {
  if (findings.users === 'none') {
    return { ok: false, detail: "The assistant's processes run as the same Linux user as OpenPact itself" };
  }
  const { ok, detail } = state('users', 'openpact-system, openpact-ai and openpact-script, each apart');
  if (ok) return { ok, detail };
  return { ok, detail: `The Linux users do not keep the assistant apart: ${findings.users ?? detail}` };
}

function missing(fences: IsolationReport['fences'], problem: string | undefined): IsolationReport['missing'] {
  const users = fences.users.ok ? [] : [{ what: fences.users.detail, fix: fixes.users }];
  if (problem !== undefined) return [{ what: `All fences: ${problem}`, fix: fixAll }, ...users];
  const found = (['landlock', 'seccomp', 'privileges', 'environment'] as const)
    .filter((name) => !fences[name].ok)
    .map((name) => ({ what: `${name}: ${fences[name].detail}`, fix: fixes[name] }));
  return [...found, ...users];
}

const levelSentences: Readonly<Record<IsolationLevel, string>> = {
  3: 'Children run as users of their own, behind Landlock and seccomp.',
  2: 'Children run as this user, behind Landlock and seccomp.',
  1: 'Children run as users of their own, but without Landlock and seccomp.',
  0: 'Nothing fences the children in.',
};

/** What a level means, in a sentence. */
export function isolationSentence(level: IsolationLevel): string {
  return levelSentences[level];
}

/** Plain sentences for the log. */
export function describeIsolation(report: IsolationReport): string[] {
  return [
    `Isolation level ${report.level}: ${levelSentences[report.level].toLowerCase().replace('landlock', 'Landlock')}`,
    ...report.missing.map(({ what, fix }) => `Not in force: ${what}. ${fix}`),
  ];
}
