#!/usr/bin/perl
# Runs inside the fences and makes the system calls that Node can't make. Prints one line of JSON, as probe.mjs does.
# A call counts as refused when the kernel answers EPERM, EACCES or ENOSYS; every other answer, an argument error
# included, means that it got past the fence.
#
# probe.pl ARCH PARENT_PID
use strict;
use warnings;

my ($arch, $parent) = @ARGV;
my $x64 = $arch eq 'x64';
my %nr = (
  ptrace => $x64 ? 101 : 117,
  process_vm_readv => $x64 ? 310 : 270,
  unshare => $x64 ? 272 : 97,
  setns => $x64 ? 308 : 268,
  mount => $x64 ? 165 : 40,
  bpf => $x64 ? 321 : 280,
  perf_event_open => $x64 ? 298 : 241,
  keyctl => $x64 ? 250 : 219,
  userfaultfd => $x64 ? 323 : 282,
  socket => $x64 ? 41 : 198,
  clone => $x64 ? 56 : 220,
  prlimit64 => $x64 ? 302 : 261,
  prctl => $x64 ? 157 : 167,
  capget => $x64 ? 125 : 90,
  io_uring_setup => 425,
  pidfd_open => 434,
);
my %answers;

# PR_GET_NO_NEW_PRIVS
$answers{new_privileges} = syscall($nr{prctl}, 39, 0, 0, 0, 0) == 1 ? 'refused' : 'allowed';
my ($caps_header, $caps) = (pack('Ll', 0x20080522, 0), "\0" x 24);
my $caps_read = syscall($nr{capget}, $caps_header, $caps) == 0;
$answers{capabilities} = $caps_read && $caps eq "\0" x 24 ? 'refused' : 'allowed';

sub attempt {
  my ($name, $call, @arguments) = @_;
  $! = 0;
  my $result = syscall($nr{$call}, @arguments);
  $answers{$name} = $result == -1 && ($!{EPERM} || $!{EACCES} || $!{ENOSYS}) ? 'refused' : 'allowed';
  return $result;
}

# PTRACE_SEIZE
attempt('ptrace', 'ptrace', 0x4206, $parent + 0, 0, 0);
attempt('process_vm_readv', 'process_vm_readv', $parent + 0, 0, 0, 0, 0, 0);
attempt('setns', 'setns', -1, 0);
attempt('mount', 'mount', 0, 0, 0, 0, 0);
attempt('bpf', 'bpf', 0, 0, 0);
attempt('perf_event_open', 'perf_event_open', 0, 0, -1, -1, 0);
# KEYCTL_GET_KEYRING_ID of the session keyring
attempt('keyctl', 'keyctl', 0, -3, 0);
attempt('userfaultfd', 'userfaultfd', 1);
attempt('io_uring', 'io_uring_setup', 1, 0);
attempt('pidfd_open', 'pidfd_open', $parent + 0, 0);
attempt('raw_socket', 'socket', 2, 3, 255);
attempt('vsock_socket', 'socket', 40, 1, 0);
attempt('netlink_socket', 'socket', 16, 3, 0);
attempt('mptcp_socket', 'socket', 2, 1, 262);
attempt('parent_limits', 'prlimit64', $parent + 0, 0, 0, 0);
# PR_SET_PDEATHSIG with the signal that is set already
attempt('outlive_parent', 'prctl', 1, 9, 0, 0, 0);
# SIGCHLD, as fork does
my $pid = attempt('fork', 'clone', 17, 0, 0, 0, 0);
exit 0 if $pid == 0;
# CLONE_NEWUSER. Last, because where it succeeds it takes rights away.
attempt('unshare', 'unshare', 0x10000000);

print '{', join(',', map { "\"$_\":\"$answers{$_}\"" } sort keys %answers), "}\n";
