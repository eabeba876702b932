/**
 * Runs the image as the compose files say, with podman and runc in the place of Docker, in a network namespace of its own
 * that this machine reaches over one cable.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

const ROOT = resolve(import.meta.dirname, '..', '..');
export const IMAGE = 'localhost/openpact:ci';
const CACHE = process.env['OPENPACT_IMAGE_CACHE'] ?? '/var/cache/openpact-ci';
const TOOLS = ['podman', 'buildah', 'runc', 'mmdebstrap', 'ip'];
/** Debian's copy of Docker's default profile. */
const SECCOMP = '/usr/share/containers/seccomp.json';

/** Why the image can't be built and run here; undefined where it can. */
export function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root';
  const missing = TOOLS.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}

export function buildImage(): void {
  execFileSync(join(import.meta.dirname, 'build.sh'), [CACHE, IMAGE], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

export interface Service {
  readonly cap_drop: readonly string[];
  readonly cap_add: readonly string[];
  readonly security_opt: readonly string[];
  readonly read_only: boolean;
  readonly tmpfs: readonly string[];
  readonly mem_limit: string;
  readonly memswap_limit: string;
  readonly cpus: number;
  readonly pids_limit: number;
  readonly ulimits: { readonly nofile: number };
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The service of compose.yaml, with what further files change in it. */
export function composeService(...files: readonly string[]): Service {
  return ['compose.yaml', ...files].reduce<Partial<Service>>((service, file) => {
    const text = readFileSync(join(ROOT, 'container', file), 'utf8').replaceAll('!reset ', '');
    const { services } = parse(text) as { services: { openpact: Partial<Service> } };
    return { ...service, ...services.openpact };
  }, {}) as Service;
}

function flagsOf(service: Service): string[] {
  return [
    ...service.cap_drop.map((name) => `--cap-drop=${name}`),
    ...service.cap_add.map((name) => `--cap-add=${name}`),
    ...service.security_opt.map((option) => `--security-opt=${option.replace(/:true$/, '')}`),
    ...(service.read_only ? ['--read-only', '--read-only-tmpfs=false'] : []),
    ...service.tmpfs.map((mount) => `--tmpfs=${mount}`),
    `--memory=${service.mem_limit}`,
    `--memory-swap=${service.memswap_limit}`,
    `--cpus=${service.cpus}`,
    `--pids-limit=${service.pids_limit}`,
    `--ulimit=nofile=${service.ulimits.nofile}:${service.ulimits.nofile}`,
    // Without the right to raise it (CI has none) runc needs this one said as well.
    '--ulimit=nproc=4096:4096',
    ...(service.user === undefined ? [] : [`--user=${service.user}`]),
    ...Object.entries(service.environment ?? {}).map(([name, value]) => `--env=${name}=${value}`),
  ];
}

export interface RunOptions {
  readonly service?: Service;
  /** A named volume, or the path of a folder. */
  readonly workspace: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly seccomp?: string;
}

export interface Container {
  readonly name: string;
  readonly log: () => string;
  readonly exited: Promise<number>;
  /** Runs a command in the container as a user of it. */
  exec(user: string, ...command: readonly string[]): { readonly status: number; readonly out: string };
  /** A request over the cable, under the name that the person typed. */
  call(method: string, path: string, how?: CallOptions): Promise<Reply>;
  ready(): Promise<void>;
  stop(): Promise<{ readonly code: number; readonly ms: number }>;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly token?: string;
  readonly host?: string;
  readonly port?: number;
}

export interface Reply {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

// Two runs side by side on one machine get cables of their own.
const NET = `10.203.${process.pid % 256}`;
const INSIDE = `${NET}.2`;
const CABLE = `op${process.pid}`;
let counter = 0;
const made = { containers: new Set<string>(), volumes: new Set<string>(), networks: new Set<string>() };

const quiet = (file: string, ...args: readonly string[]): number | null =>
  spawnSync(file, args, { stdio: 'ignore' }).status;

export function newVolume(): string {
  const name = `openpact-test-${process.pid}-${(counter += 1)}`;
  execFileSync('podman', ['volume', 'create', name], { stdio: 'ignore' });
  made.volumes.add(name);
  return name;
}

export function cleanUp(): void {
  for (const name of made.containers) quiet('podman', 'rm', '-f', '-t', '0', name);
  for (const name of made.networks) quiet('ip', 'netns', 'delete', name);
  for (const name of made.volumes) quiet('podman', 'volume', 'rm', '-f', name);
}

/** One cable into a namespace of its own. Only one container at a time has it. */
function cable(name: string): string {
  for (const old of made.networks) quiet('ip', 'netns', 'delete', old);
  made.networks.clear();
  // A namespace that is still being taken down holds its end of the old cable.
  quiet('ip', 'link', 'delete', CABLE);
  const run = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });
  run('netns', 'add', name);
  made.networks.add(name);
  run('link', 'add', CABLE, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  run('addr', 'add', `${NET}.1/30`, 'dev', CABLE);
  run('link', 'set', CABLE, 'up');
  run('-n', name, 'addr', 'add', `${INSIDE}/30`, 'dev', 'eth0');
  run('-n', name, 'link', 'set', 'eth0', 'up');
  run('-n', name, 'link', 'set', 'lo', 'up');
  return `/run/netns/${name}`;
}

/** runc needs a parent that is ours to change. */
function cgroup(): string[] {
  const memory = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .find((line) => line.split(':')[1] === 'memory');
  return memory === undefined ? [] : [`--cgroup-parent=${memory.split(':')[2]}/openpact-test`];
}

export function runContainer(options: RunOptions): Container {
  const name = `openpact-test-${process.pid}-${(counter += 1)}`;
  made.containers.add(name);
  const service = options.service ?? composeService();
  const args = [
    '--runtime=runc',
    'run',
    `--name=${name}`,
    '--rm',
    ...cgroup(),
    '--no-healthcheck',
    `--network=ns:${cable(name)}`,
    '--security-opt',
    `seccomp=${options.seccomp ?? SECCOMP}`,
    ...flagsOf(service),
    `--volume=${options.workspace}:/workspace`,
    ...Object.entries(options.env ?? {}).map(([key, value]) => `--env=${key}=${value}`),
    IMAGE,
    ...(options.command ?? []),
  ];
  const child: ChildProcess = spawn('podman', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (part: Buffer) => (log += part.toString()));
  const exited = new Promise<number>((done) =>
    child.once('exit', (code) => {
      made.containers.delete(name);
      done(code ?? 1);
    }),
  );

  const container: Container = {
    name,
    log: () => log,
    exited,
    exec(user, ...command) {
      const ran = spawnSync('podman', ['--runtime=runc', 'exec', '--user', user, name, ...command], {
        encoding: 'utf8',
        timeout: 60_000,
      });
      // podman that is told to end ends with 0, whatever the command does.
      if (ran.error) throw ran.error;
      return { status: ran.status ?? 1, out: ran.stdout + ran.stderr };
    },
    call: (method, path, how = {}) => call(method, path, how),
    async ready() {
      for (let tries = 0; tries < 300; tries += 1) {
        const reply = await container.call('GET', '/ready').catch(() => undefined);
        if (reply?.status === 200) return;
        const ended = await Promise.race([exited, new Promise((wait) => setTimeout(wait, 100))]);
        if (typeof ended === 'number') throw new Error(`the container ended with ${ended}:\n${log}`);
      }
      throw new Error(`the container did not become ready:\n${log}`);
    },
    async stop() {
      const began = performance.now();
      // Ten seconds and then SIGKILL, as Docker does.
      execFileSync('podman', ['stop', '-t', '10', name], { stdio: 'ignore' });
      return { code: await exited, ms: performance.now() - began };
    },
  };
  return container;
}

function call(
  method: string,
  path: string,
  { body, token, host = '127.0.0.1:8888', port = 8888 }: CallOptions,
): Promise<Reply> {
  return new Promise((done, reject) => {
    const headers = {
      host,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    // Each on a connection of its own: a kept one is closed while a test waits for a command.
    const how = { host: INSIDE, port, method, path, headers, timeout: 30_000, agent: false } as const;
    const outgoing = request(how, (answer) => {
      let text = '';
      answer.on('data', (part: Buffer) => (text += part.toString()));
      answer.on('end', () => {
        const isJson = (answer.headers['content-type'] ?? '').includes('json');
        done({
          status: answer.statusCode ?? 0,
          json: isJson ? (JSON.parse(text) as Reply['json']) : { text },
        });
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer came')));
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

export const ADDRESS = INSIDE;

/** Docker's profile as it was before it knew Landlock. */
export function profileWithoutLandlock(folder: string): string {
  const profile = JSON.parse(readFileSync(SECCOMP, 'utf8')) as { syscalls: { names: string[] }[] };
  for (const rule of profile.syscalls)
    rule.names = rule.names.filter((call) => !call.startsWith('landlock_'));
  profile.syscalls = profile.syscalls.filter((rule) => rule.names.length > 0);
  const file = join(folder, 'seccomp-without-landlock.json');
  writeFileSync(file, JSON.stringify(profile));
  return file;
}
