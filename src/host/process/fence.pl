#!/usr/bin/perl
# Puts up Landlock and seccomp around this process, waits for the parent's word, then becomes the program.
#
# Guarantees: the program runs only if every fence that was ordered stands; otherwise exit 125, with one line on stderr
# and on the status pipe that names what failed. All capability sets are empty, no_new_privs is set, the parent is alive.
# The environment is exactly what the parent sent over the status pipe.
#
# Does not: change users or limits (setpriv and prlimit did before), or clean what the caller ordered: a rule for `/`
# fences nothing.
#
# An attacker may control: nothing here. Not one untrusted instruction has run yet; arguments come from launch.ts.
#
# Needs perl-base alone (Essential on Debian) and no privilege.
#
# fence.pl --arch=x64|arm64 --parent=PID --status=FD --umask=OCTAL [--allow-missing]
#   [--ro=PATH|--rox=PATH|--rw=PATH|--rwx=PATH]... [--ro-try=PATH ...]... [--connect=PORT]... [--bind=PORT]... [--need-net]
#   --seccomp=HEX -- PROGRAM ARGS...
use strict;
use warnings;

my %numbers = (
  x64 => { prctl => 157, seccomp => 317, capset => 126, execve => 59 },
  arm64 => { prctl => 167, seccomp => 277, capset => 91, execve => 221 },
);
# Landlock's numbers are the same everywhere.
my ($LANDLOCK_CREATE, $LANDLOCK_ADD, $LANDLOCK_RESTRICT) = (444, 445, 446);

my ($EXECUTE, $WRITE_FILE, $READ_FILE, $READ_DIR) = (1, 2, 4, 8);
my ($REMOVE_DIR, $REMOVE_FILE, $MAKE_DIR, $MAKE_REG) = (1 << 4, 1 << 5, 1 << 7, 1 << 8);
my ($REFER, $TRUNCATE, $IOCTL_DEV) = (1 << 13, 1 << 14, 1 << 15);
my $FIRST_ABI_RIGHTS = (1 << 13) - 1;
my $FILE_RIGHTS = $EXECUTE | $WRITE_FILE | $READ_FILE | $TRUNCATE | $IOCTL_DEV;
my $read = $READ_FILE | $READ_DIR;
# No symlinks, sockets, FIFOs or devices: others who read the folder would trip over them.
my $write = $WRITE_FILE | $REMOVE_DIR | $REMOVE_FILE | $MAKE_DIR | $MAKE_REG | $REFER | $TRUNCATE;
my %access = (ro => $read, rox => $read | $EXECUTE, rw => $read | $write, rwx => $read | $write | $EXECUTE);
my ($BIND_TCP, $CONNECT_TCP) = (1, 2);
my ($SCOPE_ABSTRACT_UNIX, $SCOPE_SIGNAL) = (1, 2);

my $status;
my ($nr, $parent, $filter, $need_net, $allow_missing, @files, @ports, @notes);

while (defined(my $option = shift @ARGV)) {
  last if $option eq '--';
  if ($option eq '--need-net') { $need_net = 1; next }
  if ($option eq '--allow-missing') { $allow_missing = 1; next }
  $option =~ s/=(.*)\z//s or fail("unknown option $option");
  my $value = $1;
  if ($option =~ /^--(ro|rox|rw|rwx)(-try)?$/) { push @files, [$access{$1}, $value, defined $2] }
  elsif ($option eq '--connect') { push @ports, [$CONNECT_TCP, port($value)] }
  elsif ($option eq '--bind') { push @ports, [$BIND_TCP, port($value)] }
  elsif ($option eq '--seccomp') { $value =~ /^(?:[0-9a-f]{16})+$/ or fail('the seccomp filter is malformed'); $filter = pack('H*', $value) }
  elsif ($option eq '--arch') { $nr = $numbers{$value} or fail("fences are not known for the architecture $value") }
  elsif ($option eq '--umask') { umask oct $value }
  elsif ($option eq '--parent') { $parent = $value }
  elsif ($option eq '--status') {
    open($status, '+<&=', $value) or fail("status pipe: $!");
    # F_SETFD, FD_CLOEXEC: its end tells the parent that the program has taken over.
    defined fcntl($status, 2, 1) or fail("status pipe: $!");
  }
  else { fail("unknown option $option") }
}
@ARGV or fail('no program');
defined $filter or fail('no seccomp filter was ordered');
defined $parent && defined $status && defined $nr or fail('--arch, --parent and --status are needed');

# The parent may have died before setpriv asked for the parent-death signal.
getppid() == $parent or fail('the parent is gone');

# PR_SET_NO_NEW_PRIVS
syscall($nr->{prctl}, 38, 1, 0, 0, 0) == 0 or fail("no_new_privs: $!");

# setpriv can't empty the bounding set without SETPCAP, so root would keep capabilities through exec.
my $caps_header = pack('Ll', 0x20080522, 0);
my $no_caps = pack('L6', (0) x 6);
syscall($nr->{capset}, $caps_header, $no_caps) == 0 or fail("emptying the capability sets: $!");

# When memory runs out, the kernel ends this process and not the one that we work for. A raised value stays raised.
expendable();

my $abi = landlock();

# Built before the filter, which must know where the path lies.
my @argv = map { "$_\0" } @ARGV;
my $path = $argv[0] . '';
my $argv = pack('p*', @argv) . pack('Q', 0);
my $path_address = unpack('Q', pack('p', $path));

my $seccomp = seccomp();

syswrite($status, join('', map { "$_\n" } @notes, "ready landlock=$abi seccomp=$seccomp")) or fail("status pipe: $!");

# The parent has looked at us and sends the environment: its length in bytes, a newline, NUL-ended NAME=value.
my $answer = '';
my $length;
until (defined $length && length($answer) >= $length) {
  my $got = sysread($status, $answer, 65536, length $answer);
  $got or fail('the parent gave no word to start');
  if (!defined $length && $answer =~ s/^(\d+)\n//) { $length = $1 }
}
my @env = map { "$_\0" } split /\0/, $answer;
my $env = pack('p*', @env) . pack('Q', 0);

syscall($nr->{execve}, $path_address, $argv, $env);
fail("starting $ARGV[0]: $!" . ($!{EACCES} ? ' (do the file rules let it and its loader be executed?)' : ''));

sub expendable {
  my $file = '/proc/self/oom_score_adj';
  open(my $score, '+<', $file) or fail("$file: $!");
  syswrite($score, "1000\n") or fail("$file: $!");
  sysseek($score, 0, 0);
  sysread($score, my $is, 16);
  close $score;
  $is == 1000 or fail("$file is $is");
}

sub landlock {
  # LANDLOCK_CREATE_RULESET_VERSION
  my $abi = syscall($LANDLOCK_CREATE, 0, 0, 1);
  if ($abi < 1) {
    missing("Landlock is not available: $!");
    return 0;
  }
  my $rights = $FIRST_ABI_RIGHTS;
  $rights |= $REFER if $abi >= 2;
  $rights |= $TRUNCATE if $abi >= 3;
  $rights |= $IOCTL_DEV if $abi >= 5;
  if ($abi < 4) {
    my $lack = "Landlock ABI $abi has no TCP rules (needs 4)";
    $need_net ? missing($lack) : push @notes, "note $lack; seccomp refuses every socket instead";
  }
  push @notes, "note Landlock ABI $abi has no truncate rule (needs 3); seccomp refuses truncate by path instead" if $abi < 3;
  push @notes, "note Landlock ABI $abi has no signal scope (needs 6); seccomp refuses signals to others instead" if $abi < 6;

  my $net = $abi >= 4 ? $BIND_TCP | $CONNECT_TCP : 0;
  my $scope = $abi >= 6 ? $SCOPE_ABSTRACT_UNIX | $SCOPE_SIGNAL : 0;
  my $attributes = pack('QQQ', $rights, $net, $scope);
  my $size = $abi >= 6 ? 24 : $abi >= 4 ? 16 : 8;
  my $ruleset = syscall($LANDLOCK_CREATE, $attributes, $size + 0, 0);
  $ruleset >= 0 or fail("Landlock ruleset: $!");

  for my $rule (@files) {
    my ($allowed, $file, $optional) = @$rule;
    # O_PATH | O_CLOEXEC
    if (!sysopen(my $handle, $file, 0x200000 | 0x80000)) {
      next if $optional && ($!{ENOENT} || $!{ENOTDIR});
      fail("file rule for $file: $!");
    } else {
      my $mask = $allowed & $rights;
      $mask &= $FILE_RIGHTS unless -d $handle;
      my $beneath = pack('Ql', $mask, fileno $handle);
      syscall($LANDLOCK_ADD, $ruleset, 1, $beneath, 0) == 0 or fail("file rule for $file: $!");
    }
  }
  if ($net) {
    for my $rule (@ports) {
      my ($allowed, $port) = @$rule;
      my $attribute = pack('QQ', $allowed, $port);
      syscall($LANDLOCK_ADD, $ruleset, 2, $attribute, 0) == 0 or fail("rule for TCP port $port: $!");
    }
  }
  syscall($LANDLOCK_RESTRICT, $ruleset, 0) == 0 or fail("Landlock restrict: $!");
  return $abi;
}

sub seccomp {
  # launch.ts left placeholders for what is known only here. See placeholders in seccomp.ts.
  my %values = (
    0x4f500001 => $$,
    0x4f500002 => $path_address & 0xffffffff,
    0x4f500003 => $path_address >> 32,
  );
  my %filled;
  my @instructions = unpack('(a8)*', $filter);
  for my $instruction (@instructions) {
    my ($code, $yes, $no, $operand) = unpack('SCCL', $instruction);
    # BPF_JMP | BPF_JEQ | BPF_K
    next unless $code == 0x15 && exists $values{$operand};
    $filled{$operand}++;
    $instruction = pack('SCCL', $code, $yes, $no, $values{$operand});
  }
  keys %filled == keys %values or fail('the seccomp filter lacks a placeholder');
  my $filled_filter = join '', @instructions;
  my $program = pack('Sx6p', scalar @instructions, $filled_filter);
  # SECCOMP_SET_MODE_FILTER
  return 1 if syscall($nr->{seccomp}, 1, 0, $program) == 0;
  missing("seccomp is not available: $!");
  return 0;
}

sub port {
  my ($value) = @_;
  $value =~ /^\d{1,5}$/ && $value > 0 && $value < 65536 or fail("$value is no TCP port");
  return $value + 0;
}

# What this kernel hasn't got, as against what went wrong.
sub missing {
  my ($what) = @_;
  if ($allow_missing) { push @notes, "note $what" }
  else { fail($what, 'missing') }
}

sub fail {
  my ($what, $kind) = @_;
  $kind ||= 'failed';
  $what =~ s/\s+/ /g;
  print STDERR "fence: $what\n";
  syswrite($status, "$kind $what\n") if $status;
  exit 125;
}
