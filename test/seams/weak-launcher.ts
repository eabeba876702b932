/** The real launcher with single controls taken out, each so that it says that it stands. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLauncher, type Launcher } from '../../src/host/process/index.ts';
import { readProcessStatus } from '../../src/host/process/process-status.ts';
import { findTools } from '../../src/host/process/tools.ts';

const SOURCE = path.join(import.meta.dirname, '../../src/host/process');

/** What fence.pl does, and what stands in its place when it is off. */
const CALLS = {
  landlock: ['my $abi = landlock();', 'my $abi = 1;'],
  seccomp: ['my $seccomp = seccomp();', 'my $seccomp = 1;'],
  capset: ['syscall($nr->{capset}, $caps_header, $no_caps) == 0 or', '0 and'],
} as const;

/** `status`: the look at /proc. `setpriv`: emptying the inheritable and ambient sets. `limits`: all rlimits. */
export type LauncherControl = keyof typeof CALLS | 'status' | 'setpriv' | 'limits';

/** `folder` is a new one; the caller removes it. */
export function weakLauncher(off: readonly LauncherControl[]): {
  readonly launcher: Launcher;
  readonly folder: string;
} {
  const folder = mkdtempSync(path.join(tmpdir(), 'openpact-weak-'));
  chmodSync(folder, 0o755);
  cpSync(path.join(SOURCE, 'fence.pl'), path.join(folder, 'fence.pl'));
  const fence = path.join(folder, 'fence.pl');
  let text = readFileSync(fence, 'utf8');
  for (const [name, [call, pretence]] of Object.entries(CALLS)) {
    if (!off.includes(name as LauncherControl)) continue;
    if (!text.includes(call)) throw new Error(`fence.pl has no ${call}`);
    text = text.replace(call, pretence);
  }
  writeFileSync(fence, text);
  const tools = findTools();
  if (tools === null) throw new Error('this machine can not fence');
  const link = (name: string, script: string): string => {
    const file = path.join(folder, 'bin', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/bash\n${script}\n`, { mode: 0o755 });
    chmodSync(file, 0o755);
    return file;
  };
  const withoutSets = `args=(); for arg in "$@"; do case "$arg" in --inh-caps=*|--ambient-caps=*|--bounding-set=*) ;; *) args+=("$arg") ;; esac; done; exec ${tools.setpriv} "\${args[@]}"`;
  const readStatus = (pid: number): string => {
    const status = readProcessStatus(pid);
    // Without seccomp the look at /proc would end the child at once.
    const seccomp = status.replace(/^Seccomp:.*$/m, 'Seccomp:\t2').replace(/^Seccomp_filters:.*\n/m, '');
    return off.includes('status') ? seccomp.replace(/^(Cap\w+):.*$/gm, '$1:\t0000000000000000') : seccomp;
  };
  const launcher = createLauncher({
    assets: folder,
    tools: {
      ...tools,
      ...(off.includes('setpriv') ? { setpriv: link('setpriv', withoutSets) } : {}),
      ...(off.includes('limits')
        ? { prlimit: link('prlimit', 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"') }
        : {}),
    },
    ...(off.includes('status') || off.includes('seccomp') ? { readStatus } : {}),
  });
  return { launcher, folder };
}
