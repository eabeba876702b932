import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sourceStamps } from '../../../bin/source-stamp.js';

// The real bin/openpact.js in a folder of its own, with small programs in place of the product.

const REPOSITORY = join(import.meta.dirname, '..', '..', '..');
const SECRET = 'sk-this-must-not-be-seen-anywhere';

let root: string;
const started: ChildProcess[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'openpact-bin-'));
  cpSync(join(REPOSITORY, 'bin'), join(root, 'bin'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

/** Reads its environment as the product does, tells about it, then does `rest`. */
function program(rest: string): string {
  return `
    import { readSurroundings } from ${JSON.stringify(join(REPOSITORY, 'src/config/env.ts'))};
    import { askedToStop } from ${JSON.stringify(join(REPOSITORY, 'src/edge/cli/asked-to-stop.ts'))};
    const surroundings = readSurroundings(process.argv.slice(2));
    const say = (facts) => console.log(JSON.stringify(facts));
    ${rest}
  `;
}

function bundle(rest: string): void {
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(join(root, 'dist', 'openpact.js'), program(rest));
}

interface Started {
  readonly child: ChildProcess;
  readonly lines: () => Promise<Record<string, unknown>>;
  readonly ended: Promise<{ code: number | null; signal: string | null; out: string; err: string }>;
}

function start(argv: readonly string[] = ['start'], environment: Record<string, string> = {}): Started {
  // Root does not start these programs, but becomes another user first: that is tried in test/attacks.
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  if (user.uid !== undefined) spawnSync('chown', ['-Rh', '65534:65534', root]);
  const child = spawn(process.execPath, [join(root, 'bin', 'openpact.js'), ...argv], {
    ...user,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let out = '';
  let err = '';
  const waiting: (() => void)[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    for (const wake of waiting.splice(0)) wake();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = new Promise<Awaited<Started['ended']>>((resolve) => {
    child.on('close', (code, signal) => {
      for (const wake of waiting.splice(0)) wake();
      resolve({ code, signal, out, err });
    });
  });
  let read = 0;
  return {
    child,
    ended,
    async lines() {
      for (;;) {
        const line = out.split('\n').slice(0, -1)[read];
        if (line !== undefined) {
          read += 1;
          return JSON.parse(line) as Record<string, unknown>;
        }
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended: ${err}`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}

function environOf(pid: unknown): string {
  return readFileSync(`/proc/${String(pid)}/environ`, 'utf8');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // Nobody of that number.
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('the product gets the whole environment, and no environ of the two processes shows any of it', async () => {
  bundle(`
    import { fstatSync } from 'node:fs';
    // Something else may have the number by now, but no pipe or socket.
    let pipeOpen = false;
    try { const stats = fstatSync(4); pipeOpen = stats.isFIFO() || stats.isSocket(); } catch { /* closed: as it should be */ }
    say({ ...surroundings, pid: process.pid, own: process.env, pipeOpen });
    setInterval(() => {}, 1000);
    // As the product does: it goes with its starter.
    process.on('disconnect', () => process.exit());
  `);
  const given = {
    OPENAI_API_KEY: SECRET,
    OPENPACT_SECRET_A: `${SECRET} "ü\n`,
    HOME: '/home/someone',
    LC_ALL: 'C',
    LC_SNEAKY_lower: SECRET,
    NODE_EXTRA_CA_CERTS: '/nowhere',
    NO_COLOR: '1',
  };
  const { child, lines } = start(['start', '--port', '1'], given);
  const told = await lines();
  expect(told['argv']).toEqual(['start', '--port', '1']);
  expect(told['environment']).toMatchObject(given);
  expect(told['handedOver']).toBe(true);
  expect(told['wiped']).toBe(true);
  expect(environOf(child.pid).replaceAll('\0', '')).toBe('');
  const names = environOf(told['pid'])
    .split('\0')
    .map((entry) => entry.split('=', 1)[0])
    .filter((name) => name !== '' && !name?.startsWith('NODE_CHANNEL_'));
  expect(new Set(names)).toEqual(new Set(['HOME', 'LC_ALL', 'NO_COLOR', 'PATH']));
  expect(JSON.stringify(told['own'])).not.toContain(SECRET);
  expect(told['pipeOpen']).toBe(false);
});

test('an exit code comes back, and a signal that ended the product becomes 128 and its number', async () => {
  bundle('process.exit(78);');
  expect((await start().ended).code).toBe(78);
  bundle("process.kill(process.pid, 'SIGKILL');");
  expect((await start().ended).code).toBe(137);
});

test('a command that is done ends, although the channel to the starter is open', async () => {
  bundle('say({ done: true });');
  expect(await start(['version']).ended).toMatchObject({ code: 0, out: '{"done":true}\n' });
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s is passed on, and the product ends in order',
  async (signal) => {
    bundle(`
    const asked = askedToStop(60_000);
    setInterval(() => {}, 1000);
    say({ ready: true });
    say({ by: await asked });
    process.exit(3);
  `);
    const { child, lines, ended } = start();
    await lines();
    child.kill(signal);
    expect(await ended).toMatchObject({
      code: 3,
      out: expect.stringContaining(`{"by":"${signal}"}`) as string,
    });
  },
);

test('Ctrl-C that reaches both processes is one ask; a later second one ends the product at once', async () => {
  bundle(`
    const asked = askedToStop(60_000);
    say({ pid: process.pid });
    setInterval(() => {}, 1000);
    say({ by: await asked });
    setTimeout(() => say({ still: 'here' }), 300);
  `);
  const { child, lines, ended } = start();
  const { pid } = await lines();
  process.kill(Number(pid), 'SIGINT');
  child.kill('SIGINT');
  expect(await lines()).toEqual({ by: 'SIGINT' });
  expect(await lines()).toEqual({ still: 'here' });
  await new Promise((resolve) => setTimeout(resolve, 400));
  child.kill('SIGINT');
  expect((await ended).code).toBe(1);
});

test('a product that does not end by itself is ended after its deadline', async () => {
  bundle(`
    setInterval(() => {}, 1000);
    const asked = askedToStop(100);
    say({ ready: true });
    await asked;
    await new Promise(() => {});
  `);
  const { child, lines, ended } = start();
  await lines();
  child.kill('SIGTERM');
  expect((await ended).code).toBe(1);
});

test('when the starter is killed the product stops by itself', async () => {
  bundle(`
    setInterval(() => {}, 1000);
    const asked = askedToStop(60_000);
    say({ pid: process.pid });
    const by = await asked;
    process.exit(by === 'disconnect' ? 0 : 1);
  `);
  const { child, lines } = start();
  const { pid } = await lines();
  child.kill('SIGKILL');
  await gone(Number(pid));
  expect(isAlive(Number(pid))).toBe(false);
});

test('an installation without a bundle says so', async () => {
  const { code, err } = await start().ended;
  expect(code).toBe(1);
  expect(err).toContain('The installation is incomplete');
  expect(err).toContain('What to do: Install OpenPact again.');
});

/** A checkout whose build is a few lines of ours. */
function checkout(build: string): void {
  mkdirSync(join(root, 'src'));
  mkdirSync(join(root, 'web'));
  mkdirSync(join(root, 'scripts'));
  writeFileSync(join(root, 'src', 'main.ts'), program("say({ from: 'source' as string });"));
  writeFileSync(join(root, 'scripts', 'build.ts'), build);
}

function developmentPackages(): void {
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  for (const name of ['vite', 'rolldown']) {
    symlinkSync(join(REPOSITORY, 'node_modules', name), join(root, 'node_modules', name));
  }
}

/** A build that writes what the real one writes; the stamps come from the real function. */
const BUILD = `
  import { mkdirSync, writeFileSync } from 'node:fs';
  import { join } from 'node:path';
  import { sourceStamps } from '../bin/source-stamp.js';
  const root = join(import.meta.dirname, '..');
  mkdirSync(join(root, 'dist', 'web'), { recursive: true });
  writeFileSync(join(root, 'dist', 'web', 'index.html'), '');
  writeFileSync(join(root, 'dist', 'openpact.js'), 'console.log(JSON.stringify({ from: "bundle", key: process.env.OPENAI_API_KEY }))');
  writeFileSync(join(root, 'dist', 'stamp.json'), JSON.stringify(sourceStamps(root)));
`;

test('start in a checkout builds when something has changed, and only then', async () => {
  checkout(BUILD);
  developmentPackages();
  const first = await start(['start'], { OPENAI_API_KEY: SECRET }).ended;
  expect(first).toMatchObject({ code: 0, out: '{"from":"bundle"}\n' });
  expect(first.err).toMatch(
    /^Building the page and the program \(first start, about \d+ s\)\.\.\.\nBuilt in \d+\.\d s\.\n$/,
  );
  expect(await start().ended).toMatchObject({ out: '{"from":"bundle"}\n', err: '' });
  writeFileSync(join(root, 'src', 'other.test.ts'), '// a test changes nothing');
  expect((await start().ended).err).toBe('');
  writeFileSync(join(root, 'src', 'other.ts'), '// a source does');
  expect((await start().ended).err).toContain('something changed');
});

test('a command in a checkout that is not built runs from the source, without building', async () => {
  checkout('throw new Error("must not be built");');
  expect(await start(['version']).ended).toMatchObject({ code: 0, out: '{"from":"source"}\n', err: '' });
  expect(await start(['start', '--help']).ended).toMatchObject({ code: 0, err: '' });
});

test('a build that fails shows its words and nothing is started', async () => {
  checkout('console.error("the reason\\nin two lines"); process.exitCode = 1;');
  developmentPackages();
  const { code, out, err } = await start().ended;
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain(
    '  the reason\n  in two lines\nThe build failed; its words stand above.\nWhat to do: ',
  );
});

test('missing development packages are named before anything is built', async () => {
  checkout(BUILD);
  const { code, err } = await start().ended;
  expect(code).toBe(1);
  expect(err).toContain('vite and rolldown are not installed');
  expect(err).not.toContain('Building');
});

test('the stamp of a side changes with its sources alone', () => {
  checkout('');
  const write = (...path: string[]): void => writeFileSync(join(root, ...path), String(Math.random()));
  const before = sourceStamps(root);
  write('web', 'page.tsx');
  const page = sourceStamps(root);
  expect([page.program === before.program, page.page === before.page]).toEqual([true, false]);
  write('src', 'server.ts');
  const program = sourceStamps(root);
  expect([program.program === page.program, program.page === page.page]).toEqual([false, true]);
  write('src', 'server.test.ts');
  write('web', 'page.test.tsx');
  expect(sourceStamps(root)).toEqual(program);
});
