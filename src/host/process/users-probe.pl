#!/usr/bin/perl
# Runs as a user of children, behind nothing but users and file modes, and tries what these alone must refuse.
# Prints one line of JSON. A try counts as refused when the kernel answers EPERM or EACCES; every other answer, an error in
# the arguments or a missing file included, means that it got past.
#
# users-probe.pl ARCH PARENT_PID PARENT_UID UID GID SCENE member|stranger
use strict;
use warnings;

my ($arch, $parent, $parent_uid, $uid, $gid, $scene, $kind) = @ARGV;
my $x64 = $arch eq 'x64';
my %nr = (
  ptrace => $x64 ? 101 : 117,
  setresuid => $x64 ? 117 : 147,
  kill => $x64 ? 62 : 129,
);
my %answers;

open(my $handle, '<', '/proc/self/status') or die "status: $!\n";
my %status = map { /^(\w+):\s*(.*?)\s*$/ ? ($1, $2) : () } <$handle>;
close $handle;
my $as_ordered = $status{Uid} eq join("\t", ($uid) x 4) && $status{Gid} eq join("\t", ($gid) x 4) && $status{Groups} eq '';
$answers{user_ids} = $as_ordered ? 'refused' : 'allowed';
my $bare = $status{NoNewPrivs} eq '1' && !grep { $status{$_} !~ /^0+$/ } qw(CapInh CapPrm CapEff CapAmb);
$answers{user_capabilities} = $bare ? 'refused' : 'allowed';

sub attempt {
  my ($name, $act) = @_;
  $! = 0;
  my $done = $act->();
  $answers{$name} = !$done && ($!{EPERM} || $!{EACCES}) ? 'refused' : 'allowed';
}

sub opens {
  my ($mode, $path) = @_;
  return sub { open(my $opened, $mode, $path) };
}

attempt('user_private_read', opens('<', "$scene/private/file"));
attempt('user_private_list', sub { opendir(my $folder, "$scene/private") });
attempt('user_private_write', opens('>>', "$scene/private/file"));
attempt('user_shared_write', opens('>>', "$scene/shared/file"));
attempt('user_shared_create', opens('>', "$scene/shared/planted"));
attempt('user_shared_rename', sub { rename "$scene/shared/folder", "$scene/shared/moved" });
attempt('user_shared_remove', sub { unlink "$scene/shared/file" });
attempt('user_parent_environ', sub {
  open(my $opened, '<', "/proc/$parent/environ") or return 0;
  return sysread($opened, my $bytes, 1);
});
attempt('user_parent_memory', opens('<', "/proc/$parent/mem"));
attempt('user_parent_signal', sub { syscall($nr{kill}, $parent + 0, 0) == 0 });
# PTRACE_SEIZE
attempt('user_parent_trace', sub { syscall($nr{ptrace}, 0x4206, $parent + 0, 0, 0) == 0 });

# What the group is for: an engine may read what is shared and write its memory, a script may neither.
my $reads = opens('<', "$scene/shared/file")->();
my $writes = opens('>', "$scene/shared/memory/$uid")->();
my $fits = $kind eq 'member' ? $reads && $writes : !$reads && !$writes;
$answers{user_group} = $fits ? 'refused' : 'allowed';

# Last, because where it succeeds it changes who tries.
attempt('user_becomes_parent', sub { syscall($nr{setresuid}, $parent_uid + 0, $parent_uid + 0, $parent_uid + 0) == 0 });
attempt('user_becomes_root', sub { syscall($nr{setresuid}, 0, 0, 0) == 0 });

print '{', join(',', map { "\"$_\":\"$answers{$_}\"" } sort keys %answers), "}\n";
