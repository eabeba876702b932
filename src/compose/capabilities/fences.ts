import type { Capability } from '../../edge/admin/api.ts';
import type { IsolationReport } from '../../host/process/index.ts';

type Fence = Capability['fences'][number];

/** What enforces the answers, in words, and whether it is in force on this machine. */
export interface Fences {
  readonly approval: Fence;
  readonly insideAiData: readonly Fence[];
  /** What was tried from inside a fenced process when OpenPact started. */
  tried(what: string, checks: readonly string[]): Fence;
}

export function fencesOf(report: IsolationReport): Fences {
  const tried = (what: string, checks: readonly string[]): Fence => {
    const open = checks.filter((name) => report.checks[name] !== 'refused');
    return open.length === 0
      ? {
          text: `The kernel refuses ${what}: ${checks.length} of ${checks.length} tries were refused when OpenPact started.`,
          holds: true,
        }
      : {
          text: `The kernel does not refuse ${what}: ${open.length} of ${checks.length} tries were not refused when OpenPact started.`,
          holds: false,
        };
  };
  return {
    tried,
    approval: { text: 'A call runs only with the exact arguments that you approved, once.', holds: true },
    insideAiData: [
      {
        text: 'The path rule of the tool and the process that opens files refuse what is not in ai-data/.',
        holds: true,
      },
      tried('that process files elsewhere', OUTSIDE),
    ],
  };
}

export const OUTSIDE = ['read_outside', 'list_outside', 'write_outside', 'truncate_outside'] as const;
export const CONNECTIONS = [
  'tcp_connect',
  'tcp_listen',
  'udp_socket',
  'unix_connect',
  'raw_socket',
  'vsock_socket',
  'netlink_socket',
  'mptcp_socket',
] as const;
export const PROGRAMS = ['spawn_process', 'fork'] as const;
export const OTHERS = [
  'parent_environ',
  'parent_memory',
  'signal_parent',
  'ptrace',
  'process_vm_readv',
  'pidfd_open',
  'parent_limits',
] as const;
export const SECRETS = ['foreign_environment', 'parent_environ', 'parent_memory', 'read_outside'] as const;
