import { describe, expect, it } from 'vitest';
import { assemble } from './bpf.ts';
import { decide, type Answer } from './bpf-interpreter.test-support.ts';
import { auditArchitecture, placeholders, seccompFilter, type SeccompProfile } from './seccomp.ts';
import { newestKnownSyscall, syscallNames, syscallNumber, type SyscallName } from './syscalls.ts';

type Arguments = readonly (number | bigint)[];
type Case = readonly [call: SyscallName, args: Arguments, answer: Answer];

const own = placeholders.ownPid;
const programPath = (BigInt(placeholders.programPathHigh) << 32n) | BigInt(placeholders.programPathLow);

const simplyRefused: readonly SyscallName[] = [
  ...([
    'fork',
    'vfork',
    'execveat',
    'ptrace',
    'process_vm_readv',
    'process_vm_writev',
    'process_madvise',
  ] as const),
  ...([
    'process_mrelease',
    'kcmp',
    'pidfd_open',
    'pidfd_getfd',
    'pidfd_send_signal',
    'get_robust_list',
  ] as const),
  ...(['tkill', 'setpriority', 'ioprio_set', 'migrate_pages', 'move_pages', 'setuid', 'setgid'] as const),
  ...([
    'setreuid',
    'setregid',
    'setresuid',
    'setresgid',
    'setgroups',
    'setfsuid',
    'setfsgid',
    'capset',
  ] as const),
  ...([
    'setsid',
    'setpgid',
    'seccomp',
    'personality',
    'shmget',
    'shmat',
    'shmctl',
    'shmdt',
    'msgget',
  ] as const),
  ...([
    'msgsnd',
    'msgrcv',
    'msgctl',
    'semget',
    'semop',
    'semctl',
    'semtimedop',
    'mq_open',
    'mq_unlink',
  ] as const),
  ...(['unshare', 'setns', 'mount', 'umount2', 'pivot_root', 'chroot', 'open_tree', 'move_mount'] as const),
  ...(['fsopen', 'fsconfig', 'fsmount', 'fspick', 'mount_setattr', 'bpf', 'perf_event_open'] as const),
  ...(['userfaultfd', 'add_key', 'request_key', 'keyctl', 'kexec_load', 'kexec_file_load'] as const),
  ...([
    'init_module',
    'finit_module',
    'delete_module',
    'create_module',
    'reboot',
    'swapon',
    'swapoff',
  ] as const),
  ...(['acct', 'syslog', 'settimeofday', 'clock_settime', 'adjtimex', 'clock_adjtime'] as const),
  ...(['sethostname', 'setdomainname', 'vhangup', 'quotactl', 'quotactl_fd', 'lookup_dcookie'] as const),
  ...(['nfsservctl', 'iopl', 'ioperm', 'modify_ldt', 'uselib', 'ustat', 'sysfs', '_sysctl'] as const),
  ...(['name_to_handle_at', 'open_by_handle_at', 'chmod', 'fchmod', 'fchmodat', 'fchmodat2'] as const),
  ...(['chown', 'lchown', 'fchown', 'fchownat', 'setxattr', 'lsetxattr', 'fsetxattr'] as const),
  ...(['removexattr', 'lremovexattr', 'fremovexattr', 'utime', 'utimes', 'futimesat'] as const),
  ...(['utimensat', 'mknod', 'mknodat', 'truncate', 'fanotify_init', 'fanotify_mark'] as const),
  ...(['inotify_init', 'inotify_init1', 'inotify_add_watch'] as const),
];

const common: readonly Case[] = [
  ...simplyRefused.map((call): Case => [call, [], 'EPERM']),
  ['clone3', [], 'ENOSYS'],
  ['io_uring_setup', [], 'ENOSYS'],
  ['io_uring_enter', [], 'ENOSYS'],
  ['io_uring_register', [], 'ENOSYS'],
  // pthread_create, fork, vfork, a thread in a new user namespace, an empty clone
  ['clone', [0x3d0f00], 'allow'],
  ['clone', [0x01200011], 'EPERM'],
  ['clone', [0x4111], 'EPERM'],
  ['clone', [0x10000000 | 0x3d0f00], 'EPERM'],
  ['clone', [0], 'EPERM'],
  ['execve', [programPath], 'allow'],
  ['execve', [programPath + 1n], 'killProcess'],
  ['execve', [BigInt(placeholders.programPathLow)], 'killProcess'],
  ...(['kill', 'tgkill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo'] as const).flatMap((call): Case[] => [
    [call, [own, 0, 9], 'allow'],
    [call, [own + 100, 0, 9], 'EPERM'],
    [call, [0, 0, 9], 'EPERM'],
    [call, [-1, 0, 9], 'EPERM'],
    [call, [-own, 0, 9], 'EPERM'],
  ]),
  ...(
    ['prlimit64', 'sched_setaffinity', 'sched_setscheduler', 'sched_setparam', 'sched_setattr'] as const
  ).flatMap((call): Case[] => [
    [call, [0], 'allow'],
    [call, [own], 'allow'],
    [call, [own - 1000], 'EPERM'],
  ]),
  // PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_MM, PR_SET_CHILD_SUBREAPER; PR_SET_NAME
  ['prctl', [1], 'EPERM'],
  ['prctl', [22], 'EPERM'],
  ['prctl', [35], 'EPERM'],
  ['prctl', [36], 'EPERM'],
  ['prctl', [15], 'allow'],
  // TIOCSTI, also with rubbish in the high half that the kernel ignores; TIOCLINUX; TCGETS
  ['ioctl', [0, 0x5412], 'EPERM'],
  ['ioctl', [0, 0xff00005412n], 'EPERM'],
  ['ioctl', [0, 0x541c], 'EPERM'],
  ['ioctl', [0, 0x5401], 'allow'],
  ['socketpair', [1], 'allow'],
  ['socketpair', [30], 'EPERM'],
  ['write', [1], 'allow'],
  ['getpid', [], 'allow'],
];

const tcpCommon: readonly Case[] = [
  ['socket', [2, 1, 0], 'allow'],
  ['socket', [2, 0x80801, 6], 'allow'],
  ['socket', [10, 1, 6], 'allow'],
  // UDP, raw, MPTCP, SCTP
  ['socket', [2, 2, 0], 'EPERM'],
  ['socket', [10, 2, 17], 'EPERM'],
  ['socket', [2, 3, 255], 'EPERM'],
  ['socket', [2, 1, 262], 'EPERM'],
  ['socket', [10, 1, 262], 'EPERM'],
  ['socket', [2, 1, 132], 'EPERM'],
  // unix, netlink, packet, AF_ALG, vsock, SMC
  ...[1, 16, 17, 38, 40, 43].map((family): Case => ['socket', [family, 1, 0], 'EAFNOSUPPORT']),
  // MSG_FASTOPEN, MSG_NOSIGNAL
  ['sendto', [3, 0, 0, 0x20000000], 'EPERM'],
  ['sendto', [3, 0, 0, 0x4000], 'allow'],
  ['sendmsg', [3, 0, 0x20004000], 'EPERM'],
  ['sendmsg', [3, 0, 0x4000], 'allow'],
  ['sendmmsg', [3, 0, 1, 0x20000000], 'EPERM'],
  ['sendmmsg', [3, 0, 1, 0], 'allow'],
  // TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_ULP, TCP_NODELAY; SO_RCVBUF has another level
  ['setsockopt', [3, 6, 23], 'EPERM'],
  ['setsockopt', [3, 6, 30], 'EPERM'],
  ['setsockopt', [3, 6, 31], 'EPERM'],
  ['setsockopt', [3, 6, 1], 'allow'],
  ['setsockopt', [3, 1, 23], 'allow'],
  ['connect', [], 'allow'],
];

const listening = ['bind', 'listen', 'accept', 'accept4'] as const;

const profiles: Readonly<Record<SeccompProfile, readonly Case[]>> = {
  pipes: [
    ...common,
    ...[1, 2, 10, 16, 17, 40].map((family): Case => ['socket', [family, 1, 0], 'EPERM']),
    ['connect', [], 'EPERM'],
    ...listening.map((call): Case => [call, [], 'EPERM']),
    ...(['sendto', 'sendmsg', 'sendmmsg', 'setsockopt'] as const).map((call): Case => [call, [], 'allow']),
  ],
  'tcp-client': [...common, ...tcpCommon, ...listening.map((call): Case => [call, [], 'EPERM'])],
  tcp: [...common, ...tcpCommon, ...listening.map((call): Case => [call, [], 'allow'])],
};

describe.each(['x64', 'arm64'] as const)('the seccomp filter for %s', (architecture) => {
  describe.each(Object.keys(profiles) as SeccompProfile[])('with the profile %s', (profile) => {
    const filter = seccompFilter(architecture, profile);

    it('answers every case as written down', () => {
      for (const [call, args, answer] of profiles[profile]) {
        const number = syscallNumber(architecture, call);
        if (number === null) continue;
        expect([call, args, decide(filter, { architecture, number, args })]).toEqual([call, args, answer]);
      }
    });

    it('has a case for every call in the tables', () => {
      const tested = new Set(profiles[profile].map(([call]) => call));
      expect(syscallNames.filter((name) => !tested.has(name))).toEqual([]);
    });

    it('has no instruction that the cases do not reach', () => {
      const visited = new Set<number>();
      for (const [call, args] of profiles[profile]) {
        const number = syscallNumber(architecture, call);
        if (number !== null) decide(filter, { architecture, number, args }, visited);
      }
      decide(filter, { architecture: 0x40000003, number: 1 }, visited);
      decide(filter, { architecture, number: 0x40000001 }, visited);
      decide(filter, { architecture, number: newestKnownSyscall + 1 }, visited);
      const all = Array.from({ length: filter.length / 8 }, (_, index) => index);
      expect(all.filter((index) => !visited.has(index))).toEqual([]);
    });

    it('ends a child that calls as another architecture', () => {
      const other = architecture === 'x64' ? 'arm64' : 'x64';
      const i386 = 0x40000003;
      for (const wrong of [auditArchitecture[other], i386, 0]) {
        expect(decide(filter, { architecture: wrong, number: 1 })).toBe('killProcess');
      }
    });

    it('does not know calls that are newer than its tables', () => {
      for (const number of [newestKnownSyscall + 1, 600, 0x3fffffff]) {
        expect(decide(filter, { architecture, number })).toBe('ENOSYS');
      }
      expect(decide(filter, { architecture, number: newestKnownSyscall })).toBe('allow');
    });
  });
});

describe('the seccomp filter for x64', () => {
  it('ends a child that calls as x32', () => {
    const filter = seccompFilter('x64', 'pipes');
    for (const number of [0x40000000, 0x40000001, 0x7fffffff, 0xffffffff]) {
      expect(decide(filter, { architecture: 'x64', number })).toBe('killProcess');
    }
  });
});

describe('the tables', () => {
  it('name no number twice', () => {
    for (const architecture of ['x64', 'arm64'] as const) {
      const numbers = syscallNames.map((name) => syscallNumber(architecture, name)).filter((n) => n !== null);
      expect(new Set(numbers).size).toBe(numbers.length);
    }
  });
});

describe('the assembler', () => {
  it('refuses a label that is missing, stands twice, lies behind or is out of reach', () => {
    const answer = { op: 'return', value: 0 } as const;
    const jump = { op: 'if-equal', value: 1, yes: 'there' } as const;
    const there = { op: 'label', name: 'there' } as const;
    expect(() => assemble([jump, answer])).toThrow('no label there');
    expect(() => assemble([there, answer, there, answer])).toThrow('stands twice');
    expect(() => assemble([there, answer, jump, answer])).toThrow('out of reach');
    expect(() => assemble([jump, ...Array.from({ length: 256 }, () => answer), there, answer])).toThrow(
      'out of reach',
    );
  });
});
