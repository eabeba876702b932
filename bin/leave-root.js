// Guarantees: a starter that was started as root does not stay root. Where this Node can (22.15 and newer) the product takes
// its place, puts the workspace in order and starts the starter again as `openpact-system`, in this very process. An older
// Node starts a newer one to do that, and becomes the same user itself.
// Does not: decide anything else; src/compose/root-start.ts does. Other systems than Linux have no such user.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

export function isRoot() {
  return process.platform === 'linux' && process.getuid() === 0;
}

/** Does not return where this process is replaced. */
export function leaveRoot({ node, program, starter, argv }) {
  if (process.execve !== undefined) {
    process.execve(node, [node, '--max-semi-space-size=4', program, `--starter=${starter}`, ...argv], {
      ...process.env,
    });
  }
  const child = spawn(node, [starter, ...argv], { stdio: 'inherit' });
  child.on('spawn', becomeSystem);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

/** The same ids as in src/host/process/users.ts: signals reach the other one only as the same user. */
function becomeSystem() {
  process.setgroups([]);
  process.setgid(Number(account('/etc/group') ?? 41_000));
  process.setuid(Number(account('/etc/passwd') ?? 41_001));
}

function account(file) {
  const name = file === '/etc/group' ? 'openpact' : 'openpact-system';
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`));
  return line?.split(':')[2];
}
