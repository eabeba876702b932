import { isReadOnly, modeOf, modesBelow, textOrNothing } from '../../host/files/machine-facts.ts';
import type { Bench } from './bench.ts';
import { judged, notHere, offByConfig, type Check, type CheckGroup, type Finding } from './control.ts';

const ENTRY_POINT = '/usr/local/bin/openpact-entrypoint';
const NO_CONTAINER = `It does not run in the image of OpenPact (there is no ${ENTRY_POINT})`;
const COMPOSE = 'For the controls of a container start it with container/compose.yaml.';

/** In ours: what another container does is not ours to promise. */
function inContainer(): boolean {
  return modeOf(ENTRY_POINT) !== undefined;
}

const status = (pid: number | 'self'): string => textOrNothing(`/proc/${pid}/status`) ?? '';
const field = (text: string, name: string): string | undefined =>
  new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim();

const modes: Check = {
  ids: ['S-56'],
  title: 'owners and modes',
  run({ own, paths }) {
    const there = modeOf(own.secure) !== undefined;
    const { secure, aiData, memory, root } = there ? own : paths;
    const me = process.geteuid?.();
    if (me === undefined) return notHere('This system has no owners and modes.');
    const wrong: string[] = [];
    for (const { path, mode, uid } of modesBelow(secure)) {
      if ((mode & 0o077) !== 0) wrong.push(`${path} has mode ${mode.toString(8)}`);
      if (uid !== me) wrong.push(`${path} belongs to user ${uid}`);
    }
    for (const [path, wanted] of [
      [aiData, 0o750],
      [memory, 0o2770],
    ] as const) {
      const mode = modeOf(path)?.mode;
      if (mode !== wanted)
        wrong.push(`${path} has mode ${mode?.toString(8) ?? 'none'} instead of ${wanted.toString(8)}`);
    }
    if (((modeOf(root)?.mode ?? 0) & 0o022) !== 0) wrong.push(`others can write ${root}`);
    const which = there ? root : `a new workspace (there is none in ${own.root} yet)`;
    return judged(
      `Looked at owner and mode of everything that matters in ${which}`,
      wrong.slice(0, 5),
      'Set them right with chmod and chown; see docs/least-privilege.md.',
    );
  },
};

const noRoot: Check = {
  ids: ['S-23'],
  title: 'no process is root',
  run() {
    if (process.geteuid === undefined) return notHere('This system has no root.');
    const self = field(status('self'), 'Uid') ?? String(process.geteuid());
    const first = inContainer() ? field(status(1), 'Uid') : undefined;
    return judged(
      `Read the user ids of this process (${self.split(/\s+/)[0]})${first === undefined ? '' : ` and of the first one in the container (${first.split(/\s+/)[0]})`}`,
      [
        self.split(/\s+/).includes('0') && 'this process is root',
        first?.split(/\s+/).includes('0') === true && 'the first process is root',
      ],
      'Start it through the entry point of the image, or with "openpact", which leaves root by itself.',
    );
  },
};

const users: Check = {
  ids: ['S-18', 'S-19', 'S-24', 'S-57', 'S-58'],
  title: 'users of their own',
  async run({ isolation, users: found, wanted, machine }): Promise<Finding> {
    const { ok, detail } = isolation.fences.users;
    const asked = Object.entries(isolation.checks).filter(([name]) => name.startsWith('user_'));
    const missing = isolation.missing.find(({ what }) => what === detail);
    if (ok && found !== null) {
      return judged(
        `Started programs as the users ${found.ai.uid} and ${found.script.uid}, without any other fence: ${asked.length} attempts on files and processes of user ${found.system.uid} were refused`,
        asked.filter(([, result]) => result !== 'refused').map(([name]) => `${name} was allowed`),
      );
    }
    const how = `${detail}.`;
    const possible = found !== null || (await machine).fences.users.ok;
    if (possible || wanted.security.minIsolation === 3) return { state: 'failed', how, fix: missing?.fix };
    return notHere(how, missing?.fix);
  },
};

const readOnlyRoot: Check = {
  ids: ['S-52', 'S-71'],
  title: 'read-only file system',
  run({ layout }) {
    const places = ['/', '/etc', '/usr/bin', layout.processAssets];
    const writable = places.filter((path) => isReadOnly(path) !== true);
    const how = `Asked the kernel whether it takes writes to ${places.join(', ')}: ${writable.length === 0 ? 'to none' : writable.join(', ')}`;
    if (writable.length === 0) return judged(how, []);
    if (!inContainer()) return notHere(`${how}. ${NO_CONTAINER}.`);
    return offByConfig(`${how}: the container was started without read_only.`);
  },
};

/** CAP_KILL, CAP_SETGID, CAP_SETUID. */
const KEPT = 0xe0n;

const capabilities: Check = {
  ids: ['S-53'],
  title: 'Linux capabilities',
  run({ isolation }) {
    const held = field(status('self'), 'CapPrm');
    if (held === undefined) return notHere('This system has no Linux capabilities.');
    const bits = BigInt(`0x${held}`);
    return judged(
      `Read the capabilities of this process (${held}) and of a child (none)`,
      [
        (bits & ~KEPT) !== 0n && 'it holds more than SETUID, SETGID and KILL',
        isolation.level >= 2 && isolation.checks['capabilities'] !== 'refused' && 'a child holds some',
      ],
      'Start the container with cap_drop: [ALL] and cap_add: [SETUID, SETGID, KILL].',
    );
  },
};

const limits: Check = {
  ids: ['S-54'],
  title: 'limits of the container',
  run() {
    // Without a limit the kernel says a number beyond any machine.
    const memory = process.constrainedMemory();
    const limited = memory > 0 && memory < 2 ** 50;
    const quota =
      textOrNothing('/sys/fs/cgroup/cpu.max') ?? textOrNothing('/sys/fs/cgroup/cpu/cpu.cfs_quota_us');
    const cpu = quota !== undefined && !/^(max|-1)/.test(quota);
    const how = `Asked the kernel for the limits of this group of processes: memory ${limited ? `${Math.round(memory / 2 ** 20)} MiB` : 'unlimited'}, processor ${cpu ? 'limited' : 'unlimited'}`;
    if (limited && cpu) return judged(how, []);
    if (!inContainer()) return notHere(`${how}. ${NO_CONTAINER}.`);
    return offByConfig(`${how}: the container was started without them.`);
  },
};

const container: Check = {
  ids: ['S-55', 'S-90'],
  title: 'container',
  run() {
    if (!inContainer()) return notHere(`${NO_CONTAINER}.`, COMPOSE);
    const pid = field(status('self'), 'NSpid') ?? '';
    const first = field(status(1), 'Name');
    return judged(
      `Found the image of OpenPact, with a process table of its own whose first process is ${first ?? 'unknown'}`,
      [
        first !== 'tini' && 'that is not the one of the image',
        pid.split(/\s+/).length > 1 && 'processes outside of it can be seen',
      ],
    );
  },
};

const order: Check = {
  ids: ['S-61'],
  title: 'permissions before privileges',
  run({ own }: Bench) {
    if (!inContainer()) return notHere(`${NO_CONTAINER}.`);
    const first = field(status(1), 'Uid')?.split(/\s+/)[0];
    const owner = modeOf(own.root)?.uid;
    return judged(
      `The first process is user ${first ?? 'unknown'}, the workspace belongs to user ${owner ?? 'nobody'}`,
      [
        first === '0' && 'privileges were not dropped',
        owner !== process.geteuid?.() && 'it is not the one that OpenPact runs as',
      ],
    );
  },
};

export const machineChecks: CheckGroup = {
  name: 'Machine',
  checks: [modes, users, noRoot, capabilities, container, order, readOnlyRoot, limits],
};
