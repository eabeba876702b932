import { AppError } from '../../core/index.ts';
import { seccompFilter, type SeccompProfile } from './seccomp.ts';
import type { Architecture } from './syscalls.ts';
import type { Fences, LaunchOrder, Limits, UserIds } from './types.ts';

/** Where the programs of the launch chain stand. */
export interface Tools {
  readonly setpriv: string;
  readonly prlimit: string;
  readonly perl: string;
}

const alwaysAllowedNames = new Set(['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR']);
const mostArgumentBytes = 64 * 1024;
const leastOpenFiles = 64;

function refuseOrder(message: string): never {
  throw new AppError({ family: 'config', code: 'launch_refused', message });
}

/** An order that we would not carry out is a mistake of ours, found before anything starts. */
export function checkOrder(order: LaunchOrder): void {
  if (!order.program.startsWith('/')) refuseOrder(`The program ${order.program} is not an absolute path.`);
  const texts = [order.program, ...order.args, order.cwd ?? '/'];
  if (texts.some((text) => text.includes('\0'))) refuseOrder('An argument holds a NUL byte.');
  if (texts.join('').length > mostArgumentBytes) refuseOrder('The arguments are longer than 64 KiB.');
  checkEnvironment(order);
  for (const { path } of order.fences.files) {
    if (!path.startsWith('/') || path.includes('\0'))
      refuseOrder(`The file rule ${path} is not an absolute path.`);
  }
  checkPorts(order.fences);
  checkNumbers(order);
  const count = order.fds?.length ?? 0;
  if (order.readyFd !== undefined) {
    const direction = order.fds?.[order.readyFd - 3];
    if (direction === undefined || direction === 'to-child')
      refuseOrder(`fd ${order.readyFd} can't say ready.`);
  }
  if (count > 16) refuseOrder('More than 16 pipes.');
}

function checkEnvironment(order: LaunchOrder): void {
  const extra = new Set(order.allowEnv);
  for (const [name, value] of Object.entries(order.env)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      refuseOrder(`${JSON.stringify(name)} is no environment name.`);
    if (value.includes('\0')) refuseOrder(`The value of ${name} holds a NUL byte.`);
    if (!alwaysAllowedNames.has(name) && !name.startsWith('XDG_') && !extra.has(name)) {
      refuseOrder(`The environment name ${name} is not on the child's list.`);
    }
  }
}

function checkPorts({ network }: Fences): void {
  if (network === 'none') return;
  for (const port of [...network.connect, ...network.bind]) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) refuseOrder(`${port} is no TCP port.`);
  }
}

function checkNumbers({ limits = {}, user, umask }: LaunchOrder): void {
  const numbers = { ...limits, ...user, umask };
  for (const [name, value] of Object.entries(numbers)) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0))
      refuseOrder(`${name} is no whole number.`);
  }
  if (limits.openFiles !== undefined && limits.openFiles < leastOpenFiles) {
    refuseOrder(`openFiles is below ${leastOpenFiles}, where Node crashes.`);
  }
}

export interface ChainFacts {
  readonly tools: Tools;
  readonly fencePath: string;
  readonly architecture: Architecture;
  readonly parentPid: number;
  /** The number of the status pipe in the child. */
  readonly statusFd: number;
}

/** setpriv → prlimit → fence.pl → the program, all as one process. */
export function chain(order: LaunchOrder, facts: ChainFacts): { file: string; args: string[] } {
  const { tools } = facts;
  const args = [
    ...setprivArguments(order.user),
    '--',
    tools.prlimit,
    ...prlimitArguments(order.limits ?? {}),
    '--',
    tools.perl,
    facts.fencePath,
    ...fenceArguments(order, facts),
    '--',
    order.program,
    ...order.args,
  ];
  return { file: tools.setpriv, args };
}

/** The first link of the chain: another user where ordered, and no privilege in any set. */
export function setprivArguments(user: UserIds | undefined): string[] {
  return [
    ...(user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']),
    '--no-new-privs',
    '--inh-caps=-all',
    '--ambient-caps=-all',
    '--bounding-set=-all',
    '--pdeathsig=KILL',
  ];
}

function prlimitArguments(limits: Limits): string[] {
  const args = ['--core=0', `--nofile=${limits.openFiles ?? 256}`];
  if (limits.addressSpaceBytes !== undefined) args.push(`--as=${limits.addressSpaceBytes}`);
  if (limits.dataBytes !== undefined) args.push(`--data=${limits.dataBytes}`);
  // First SIGXCPU, which names the reason; a second later SIGKILL, which can't be caught.
  if (limits.cpuSeconds !== undefined) args.push(`--cpu=${limits.cpuSeconds}:${limits.cpuSeconds + 1}`);
  if (limits.processes !== undefined) args.push(`--nproc=${limits.processes}`);
  if (limits.fileBytes !== undefined) args.push(`--fsize=${limits.fileBytes}`);
  return args;
}

function fenceArguments({ fences, umask = 0o077 }: LaunchOrder, facts: ChainFacts): string[] {
  const { network } = fences;
  return [
    `--arch=${facts.architecture}`,
    `--parent=${facts.parentPid}`,
    `--status=${facts.statusFd}`,
    `--umask=${umask.toString(8)}`,
    ...fences.files.map((rule) => `--${rule.access}${rule.optional === true ? '-try' : ''}=${rule.path}`),
    ...(network === 'none'
      ? []
      : [
          '--need-net',
          ...network.connect.map((port) => `--connect=${port}`),
          ...network.bind.map((port) => `--bind=${port}`),
        ]),
    ...(fences.allowUnfenced === true ? ['--allow-missing'] : []),
    `--seccomp=${seccompFilter(facts.architecture, profileOf(fences)).toString('hex')}`,
  ];
}

function profileOf({ network }: Fences): SeccompProfile {
  if (network === 'none') return 'pipes';
  return network.bind.length === 0 ? 'tcp-client' : 'tcp';
}
