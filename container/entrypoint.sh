#!/bin/sh
# Guarantees: OpenPact runs as openpact-system, never as root, and so does everything that comes after this script, PID 1
# included. It keeps the right to start and end processes of the other two users, and no other right of root.
# Does not: change owners. The image makes /workspace for openpact-system, and a new named volume takes that over.
# An attacker may control: nothing of it; the workspace is only entered as openpact-system.
set -eu

workspace=${WORKSPACE_PATH:-/workspace}
stop() {
  printf 'OpenPact can not start: %s\n%s\n' "$1" "$2" >&2
  exit 78
}

case "${1:-start}" in
  start | serve | config | audit | user | doctor | secrets | vault | script | import | version | --help | -h) set -- node /app/bin/openpact.js "$@" ;;
esac

if [ "$(id -u)" != 0 ]; then
  [ -w "$workspace" ] || stop "$workspace is not writable for the user $(id -u)." \
    "Give it to that user on the host: chown -R $(id -u):$(id -g) <the folder or volume>."
  exec tini -- "$@"
fi

none='--inh-caps=-all --ambient-caps=-all'
drop="--reuid=openpact-system --regid=openpact --clear-groups --no-new-privs"
setpriv $drop $none -- true 2>/dev/null || stop \
  'the container has root but not the capabilities SETUID and SETGID.' \
  'Add "cap_add: [SETUID, SETGID, KILL]" as in compose.yaml, or run it without root: see compose.rootless.yaml.'
setpriv $drop $none -- test -w "$workspace" || stop \
  "$workspace is not writable for openpact-system (user 41001, group 41000)." \
  "Give it to that user on the host: chown -R 41001:41000 <the folder or volume>."

# KILL is in the bounding set or not; without it children of the other users end with their pipes only.
keep=+setuid,+setgid
setpriv --dump | grep -q '^Capability bounding set:.*\bkill\b' && keep="$keep,+kill"
exec setpriv $drop --inh-caps=-all,$keep --ambient-caps=-all,$keep -- tini -- "$@"
