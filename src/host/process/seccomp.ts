/**
 * The seccomp filters of untrusted children.
 *
 * Guarantees, whatever runs in the child, native code included: no new process (threads only), no second program
 * image, no socket (`pipes`) or TCP sockets alone (`tcp`), no namespace, mount, tracing, kernel keyring, BPF, io_uring
 * or module call, no signal and no scheduling or limit change to another process, no change of modes, owners, times or
 * extended attributes (Landlock does not watch those), no way out of the parent-death signal. Another architecture's
 * calls and x32 end the child; calls newer than our tables do not exist for it.
 *
 * Does not: look behind pointers (paths, addresses: that is Landlock's part), hide that a path exists (stat), bound
 * memory or time (limits do), or protect from a hole in the calls that remain.
 *
 * An attacker may control: every call and every argument in the child, but not the filter.
 */
import { assemble, type Statement } from './bpf.ts';
import { newestKnownSyscall, syscallNumber, type Architecture, type SyscallName } from './syscalls.ts';

/** `tcp` may listen, `tcp-client` may not (listening without bind is past Landlock's hook). */
export type SeccompProfile = 'pipes' | 'tcp-client' | 'tcp';

/** seccomp's answers. */
export const answers = {
  allow: 0x7fff0000,
  killProcess: 0x80000000,
  EPERM: 0x00050000 | 1,
  ENOSYS: 0x00050000 | 38,
  EAFNOSUPPORT: 0x00050000 | 97,
} as const;

/**
 * Values known only in the child just before exec: fence.pl puts its own pid (the pid never changes afterwards) and
 * the address of the program's path in their place, and refuses a filter that has not got them.
 */
export const placeholders = {
  ownPid: 0x4f500001,
  programPathLow: 0x4f500002,
  programPathHigh: 0x4f500003,
} as const;

export const auditArchitecture = { x64: 0xc000003e, arm64: 0xc00000b7 } as const satisfies Record<
  Architecture,
  number
>;

// struct seccomp_data: int nr; u32 arch; u64 instruction_pointer; u64 args[6]
const atNumber = 0;
const atArchitecture = 4;
const low = (argument: number): number => 16 + 8 * argument;
const high = (argument: number): number => low(argument) + 4;

const x32Bit = 0x40000000;

interface Rule {
  readonly call: SyscallName;
  /** The verdict when this call is made. Falls through to "allow". Labels are the rule's own. */
  readonly body: readonly Statement[];
}

const always = (answer: number, ...calls: SyscallName[]): Rule[] =>
  calls.map((call) => ({ call, body: [{ op: 'return', value: answer }] }));

const refuse = (...calls: SyscallName[]): Rule[] => always(answers.EPERM, ...calls);

/** Allowed only when the argument, as a 32-bit number, is one of `values`. */
function onlyWhen(argument: number, values: readonly number[], ...calls: SyscallName[]): Rule[] {
  return calls.map((call) => ({
    call,
    body: [
      { op: 'load', offset: low(argument) },
      ...values.map((value): Statement => ({ op: 'if-equal', value, yes: 'allowed' })),
      { op: 'return', value: answers.EPERM },
      { op: 'label', name: 'allowed' },
    ],
  }));
}

/** Refused when the argument is one of `values`. */
function exceptWhen(argument: number, values: readonly number[], call: SyscallName): Rule {
  return {
    call,
    body: [
      { op: 'load', offset: low(argument) },
      ...values.map((value): Statement => ({ op: 'if-equal', value, yes: 'refused' })),
      { op: 'return', value: answers.allow },
      { op: 'label', name: 'refused' },
      { op: 'return', value: answers.EPERM },
    ],
  };
}

function exceptWithBit(argument: number, bits: number, call: SyscallName): Rule {
  return {
    call,
    body: [
      { op: 'load', offset: low(argument) },
      { op: 'if-any-bit', value: bits, no: 'allowed' },
      { op: 'return', value: answers.EPERM },
      { op: 'label', name: 'allowed' },
    ],
  };
}

const cloneThread = 0x00010000;
// NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
const cloneNamespaces = 0x7e020000;

/** One process for ever: threads only, and the one exec is that of the launcher. */
const oneProcess: readonly Rule[] = [
  ...refuse('fork', 'vfork', 'execveat'),
  // glibc falls back to clone, whose flags can be read here; clone3 hides them behind a pointer.
  ...always(answers.ENOSYS, 'clone3'),
  {
    call: 'clone',
    body: [
      { op: 'load', offset: low(0) },
      { op: 'if-any-bit', value: cloneNamespaces, yes: 'refused' },
      { op: 'if-any-bit', value: cloneThread, yes: 'allowed' },
      { op: 'label', name: 'refused' },
      { op: 'return', value: answers.EPERM },
      { op: 'label', name: 'allowed' },
    ],
  },
  // The path must lie where the launcher put it, in an address space that is gone after the exec. A guess costs the
  // child its life, so that it can't search for the address.
  {
    call: 'execve',
    body: [
      { op: 'load', offset: low(0) },
      { op: 'if-equal', value: placeholders.programPathLow, no: 'refused' },
      { op: 'load', offset: high(0) },
      { op: 'if-equal', value: placeholders.programPathHigh, yes: 'allowed' },
      { op: 'label', name: 'refused' },
      { op: 'return', value: answers.killProcess },
      { op: 'label', name: 'allowed' },
    ],
  },
];

const setPdeathsig = 1;
const setSeccomp = 22;
const setMm = 35;
const setChildSubreaper = 36;

/** Nothing is done to another process, and nothing undoes what the launcher did to this one. */
const keepToItself: readonly Rule[] = [
  ...refuse('ptrace', 'process_vm_readv', 'process_vm_writev', 'process_madvise', 'process_mrelease', 'kcmp'),
  ...refuse('pidfd_open', 'pidfd_getfd', 'pidfd_send_signal', 'get_robust_list', 'tkill'),
  ...onlyWhen(0, [placeholders.ownPid], 'kill', 'tgkill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo'),
  // Of the same user, other processes' limits and scheduling could be changed: a CPU limit of 1 s kills.
  ...onlyWhen(0, [0, placeholders.ownPid], 'prlimit64', 'sched_setaffinity', 'sched_setscheduler'),
  ...onlyWhen(0, [0, placeholders.ownPid], 'sched_setparam', 'sched_setattr'),
  ...refuse('setpriority', 'ioprio_set', 'migrate_pages', 'move_pages'),
  ...refuse('setuid', 'setgid', 'setreuid', 'setregid', 'setresuid', 'setresgid', 'setgroups'),
  ...refuse('setfsuid', 'setfsgid', 'capset', 'setsid', 'setpgid', 'seccomp', 'personality'),
  exceptWhen(0, [setPdeathsig, setSeccomp, setMm, setChildSubreaper], 'prctl'),
  // Shared memory, semaphores and queues of the same user.
  ...refuse('shmget', 'shmat', 'shmctl', 'shmdt', 'msgget', 'msgsnd', 'msgrcv', 'msgctl'),
  ...refuse('semget', 'semop', 'semctl', 'semtimedop', 'mq_open', 'mq_unlink'),
];

const tiocsti = 0x5412;
const tioclinux = 0x541c;

const kernel: readonly Rule[] = [
  ...refuse('unshare', 'setns', 'mount', 'umount2', 'pivot_root', 'chroot', 'open_tree', 'move_mount'),
  ...refuse('fsopen', 'fsconfig', 'fsmount', 'fspick', 'mount_setattr'),
  ...refuse('bpf', 'perf_event_open', 'userfaultfd', 'add_key', 'request_key', 'keyctl'),
  ...always(answers.ENOSYS, 'io_uring_setup', 'io_uring_enter', 'io_uring_register'),
  ...refuse('kexec_load', 'kexec_file_load', 'init_module', 'finit_module', 'delete_module', 'create_module'),
  ...refuse('reboot', 'swapon', 'swapoff', 'acct', 'syslog', 'settimeofday', 'clock_settime', 'adjtimex'),
  ...refuse('clock_adjtime', 'sethostname', 'setdomainname', 'vhangup', 'quotactl', 'quotactl_fd'),
  ...refuse('lookup_dcookie', 'nfsservctl', 'iopl', 'ioperm', 'modify_ldt', 'uselib', 'ustat', 'sysfs'),
  ...refuse('_sysctl', 'name_to_handle_at', 'open_by_handle_at'),
  exceptWhen(1, [tiocsti, tioclinux], 'ioctl'),
];

/** What Landlock does not watch: of the same user, a child could otherwise open up or lock any file. */
const fileAttributes: readonly Rule[] = [
  ...refuse('chmod', 'fchmod', 'fchmodat', 'fchmodat2', 'chown', 'lchown', 'fchown', 'fchownat'),
  ...refuse('setxattr', 'lsetxattr', 'fsetxattr', 'removexattr', 'lremovexattr', 'fremovexattr'),
  ...refuse('utime', 'utimes', 'futimesat', 'utimensat', 'mknod', 'mknodat'),
  // By path, Landlock watches it only from ABI 3 on; ftruncate on an open file stays.
  ...refuse('truncate'),
  ...refuse('fanotify_init', 'fanotify_mark', 'inotify_init', 'inotify_init1', 'inotify_add_watch'),
];

const afUnix = 1;
const afInet = 2;
const afInet6 = 10;

const noSockets: readonly Rule[] = [
  ...refuse('socket', 'connect', 'bind', 'listen', 'accept', 'accept4'),
  ...onlyWhen(0, [afUnix], 'socketpair'),
];

const sockStream = 1;
const ipprotoTcp = 6;
const msgFastOpen = 0x20000000;
const tcpFastOpen = 23;
const tcpFastOpenConnect = 30;
const tcpUlp = 31;

/**
 * TCP alone, because Landlock's port rules cover nothing else: not MPTCP, SMC (also by TCP_ULP), UDP, raw or vsock.
 * Fast Open connects past Landlock's hook.
 */
const tcpSockets: readonly Rule[] = [
  {
    call: 'socket',
    body: [
      { op: 'load', offset: low(0) },
      { op: 'if-equal', value: afInet, yes: 'inet' },
      { op: 'if-equal', value: afInet6, yes: 'inet' },
      { op: 'return', value: answers.EAFNOSUPPORT },
      { op: 'label', name: 'inet' },
      { op: 'load', offset: low(1) },
      { op: 'and', mask: 0xf },
      { op: 'if-equal', value: sockStream, no: 'refused' },
      { op: 'load', offset: low(2) },
      { op: 'if-equal', value: 0, yes: 'allowed' },
      { op: 'if-equal', value: ipprotoTcp, yes: 'allowed' },
      { op: 'label', name: 'refused' },
      { op: 'return', value: answers.EPERM },
      { op: 'label', name: 'allowed' },
    ],
  },
  ...onlyWhen(0, [afUnix], 'socketpair'),
  exceptWithBit(3, msgFastOpen, 'sendto'),
  exceptWithBit(2, msgFastOpen, 'sendmsg'),
  exceptWithBit(3, msgFastOpen, 'sendmmsg'),
  {
    call: 'setsockopt',
    body: [
      { op: 'load', offset: low(1) },
      { op: 'if-equal', value: ipprotoTcp, no: 'allowed' },
      { op: 'load', offset: low(2) },
      { op: 'if-equal', value: tcpFastOpen, yes: 'refused' },
      { op: 'if-equal', value: tcpFastOpenConnect, yes: 'refused' },
      { op: 'if-equal', value: tcpUlp, no: 'allowed' },
      { op: 'label', name: 'refused' },
      { op: 'return', value: answers.EPERM },
      { op: 'label', name: 'allowed' },
    ],
  },
];

const common = [...oneProcess, ...keepToItself, ...kernel, ...fileAttributes];

const profiles: Readonly<Record<SeccompProfile, readonly Rule[]>> = {
  pipes: [...common, ...noSockets],
  'tcp-client': [...common, ...tcpSockets, ...refuse('bind', 'listen', 'accept', 'accept4')],
  tcp: [...common, ...tcpSockets],
};

/** The filter as `struct sock_filter[]`, with placeholders that fence.pl fills. */
export function seccompFilter(architecture: Architecture, profile: SeccompProfile): Buffer {
  const statements: Statement[] = [
    { op: 'load', offset: atArchitecture },
    { op: 'if-equal', value: auditArchitecture[architecture], yes: 'our architecture' },
    { op: 'return', value: answers.killProcess },
    { op: 'label', name: 'our architecture' },
    { op: 'load', offset: atNumber },
  ];
  if (architecture === 'x64') {
    statements.push(
      { op: 'if-at-least', value: x32Bit, no: 'not x32' },
      { op: 'return', value: answers.killProcess },
      { op: 'label', name: 'not x32' },
    );
  }
  statements.push(
    { op: 'if-at-least', value: newestKnownSyscall + 1, no: 'known' },
    { op: 'return', value: answers.ENOSYS },
    { op: 'label', name: 'known' },
  );
  for (const rule of profiles[profile]) {
    const number = syscallNumber(architecture, rule.call);
    if (number === null) continue;
    statements.push(
      { op: 'if-equal', value: number, no: `after ${rule.call}` },
      ...rule.body.map((statement) => own(rule.call, statement)),
      ...(rule.body.at(-1)?.op === 'return' ? [] : [{ op: 'return', value: answers.allow } as const]),
      { op: 'label', name: `after ${rule.call}` },
    );
  }
  statements.push({ op: 'return', value: answers.allow });
  return assemble(statements);
}

/** Gives a rule's labels its call's name, so that rules can't jump into each other. */
function own(call: string, statement: Statement): Statement {
  switch (statement.op) {
    case 'label':
      return { ...statement, name: `${call}: ${statement.name}` };
    case 'if-equal':
    case 'if-at-least':
    case 'if-any-bit':
      return {
        ...statement,
        ...(statement.yes === undefined ? {} : { yes: `${call}: ${statement.yes}` }),
        ...(statement.no === undefined ? {} : { no: `${call}: ${statement.no}` }),
      };
    case 'load':
    case 'and':
    case 'return':
      return statement;
  }
}
