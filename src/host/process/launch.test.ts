import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../core/index.ts';
import { createLauncher } from './launch.ts';
import {
  answerOf,
  canFence,
  isAlive,
  isRoot,
  launchNode,
  nodeOrder,
  plainNode,
  temporaryFolder,
  until,
} from './launch.test-support.ts';
import { nodeFences } from './node-fences.ts';
import { field, readProcessStatus } from './process-status.ts';
import { findTools } from './tools.ts';
import type { LaunchOrder } from './types.ts';

const launcher = createLauncher();
const index = path.join(import.meta.dirname, 'index.ts');
const forever = 'setInterval(() => {}, 1000)';

async function refusal(launching: Promise<unknown>): Promise<AppError> {
  try {
    await launching;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was launched');
}

describe('an order', () => {
  const refused: [string, Partial<LaunchOrder>][] = [
    ['an environment name that is not on the list', { env: { SECRET_TOKEN: 'x' } }],
    ['an environment value with a NUL byte', { env: { HOME: 'a\0b' } }],
    ['an environment name that is none', { env: { 'A=B': 'x' }, allowEnv: ['A=B'] }],
    ['a program that is found by name', { program: 'node' }],
    ['a relative file rule', { fences: { network: 'none', files: [{ path: 'etc', access: 'ro' }] } }],
    ['a port that is none', { fences: { network: { connect: [70_000], bind: [] }, files: [] } }],
    ['too few open files for Node', { limits: { openFiles: 20 } }],
    ['a limit that is no number', { limits: { cpuSeconds: Number.NaN } }],
    ['a ready pipe that does not exist', { fds: ['from-child'], readyFd: 4 }],
    ['a ready pipe that only we write to', { fds: ['to-child'], readyFd: 3 }],
  ];
  it.each(refused)('with %s is refused', async (_what, more) => {
    const error = await refusal(launcher.launch(nodeOrder(forever, more)));
    expect(error.code).toBe('launch_refused');
  });
});

describe.skipIf(!canFence('launching'))('a launched child', () => {
  it('sees the listed environment and nothing else', async () => {
    const env = { HOME: '/nowhere', LANG: 'C.UTF-8', XDG_DATA_HOME: '/x', EXTRA: 'a=b\nc', EMPTY: '' };
    const child = await launchNode(launcher, 'console.log(JSON.stringify(process.env))', {
      env,
      allowEnv: ['EXTRA', 'EMPTY'],
    });
    expect(await answerOf(child)).toEqual(env);
  });

  it('has its extra pipes from fd 3 on, and no other open file', async () => {
    const code = `
      import fs from 'node:fs';
      import net from 'node:net';
      const open = [];
      for (let fd = 0; fd < 64; fd += 1) {
        try { const stat = fs.fstatSync(fd); if (stat.isSocket()) open.push(fd); } catch { /* not open: as it should be */ }
      }
      const input = new net.Socket({ fd: 3 });
      const output = new net.Socket({ fd: 4 });
      input.on('data', (data) => output.write(String(data).toUpperCase()));
      input.on('end', () => { output.end(); console.log(JSON.stringify(open)); process.exit(0); });`;
    const child = await launchNode(launcher, code, { fds: ['to-child', 'from-child'] });
    const [toChild, fromChild] = child.fds;
    toChild?.write('hello');
    const said = await new Promise((resolve) => fromChild?.once('data', (data) => resolve(String(data))));
    expect(said).toBe('HELLO');
    toChild?.end();
    expect(await answerOf(child)).toEqual([1, 2, 3, 4]);
  });

  it('gets arguments, working folder and umask as ordered, and an empty stdin', async () => {
    const folder = temporaryFolder();
    const code = `
      import fs from 'node:fs';
      fs.writeFileSync('made', '');
      const mode = (fs.statSync('made').mode & 0o777).toString(8);
      console.log(JSON.stringify([process.cwd(), mode, fs.readFileSync(0, 'utf8'), process.argv.at(-1)]));`;
    const order = nodeOrder(code, { cwd: folder, umask: 0o027, fences: nodeFences({ write: [folder] }) });
    const child = await launcher.launch({ ...order, args: [...order.args, 'a "b"\n$c'] });
    expect(await answerOf(child)).toEqual([folder, '640', '', 'a "b"\n$c']);
  });

  it('is one process with no privilege and a filter, by what the kernel says', async () => {
    const child = await launchNode(launcher, forever);
    const status = readProcessStatus(child.pid);
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) expect(field(status, name)).toMatch(/^0+$/);
    expect(field(status, 'NoNewPrivs')).toBe('1');
    expect(field(status, 'Seccomp')).toBe('2');
    expect(field(status, 'PPid')).toBe(String(process.pid));
    expect(child.fence).toMatchObject({ fenced: true });
    expect(readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').split('\0')[0]).toBe(process.execPath);
  });

  it('is gone within 100 ms of kill(), also when it is in a busy loop', async () => {
    const child = await launchNode(launcher, 'process.stdout.write("go\\n"); for (;;);');
    await new Promise((resolve) => child.stdout.onLine(resolve));
    const killedAt = performance.now();
    expect(await child.kill()).toEqual({ code: null, signal: 'SIGKILL', reason: 'killed' });
    expect(performance.now() - killedAt).toBeLessThan(100);
    expect(isAlive(child.pid)).toBe(false);
    expect(await child.kill()).toMatchObject({ reason: 'killed' });
  });

  it('may end in order when stopped, and is killed after the grace when it does not', async () => {
    const code = (handler: string): string =>
      `process.on('SIGTERM', () => { ${handler} }); ${forever}; console.log('go')`;
    const orderly = await launchNode(launcher, code('process.exit(7)'));
    await new Promise((resolve) => orderly.stdout.onLine(resolve));
    expect(await orderly.stop(5_000)).toEqual({ code: 7, signal: null, reason: 'stopped' });
    const stubborn = await launchNode(launcher, code(''));
    await new Promise((resolve) => stubborn.stdout.onLine(resolve));
    expect(await stubborn.stop(50)).toEqual({ code: null, signal: 'SIGKILL', reason: 'stopped' });
  });

  it('dies with its parent, also when the parent is killed with -9', async () => {
    const parent = await plainNode(`
      const { createLauncher, nodeFences } = await import(${JSON.stringify(index)});
      const child = await createLauncher().launch({
        program: process.execPath, args: ['-e', ${JSON.stringify(forever)}], env: {}, fences: nodeFences({}) });
      console.log(child.pid);
      ${forever}`);
    expect(await until(() => parent.output().endsWith('\n'), 10_000), parent.errors()).toBe(true);
    const pid = Number(parent.output());
    expect(isAlive(pid)).toBe(true);
    parent.kill();
    await parent.ended;
    expect(await until(() => !isAlive(pid), 1_000)).toBe(true);
  });

  it('can not turn into another program', async () => {
    const child = await launchNode(launcher, 'process.execve(process.execPath, ["node", "-v"], {})');
    expect(await child.exited).toMatchObject({ signal: 'SIGSYS', reason: 'forbidden_call' });
  });

  it('ends at its CPU limit and at its file size limit', async () => {
    const busy = await launchNode(launcher, 'for (;;);', { limits: { cpuSeconds: 1 } });
    const folder = temporaryFolder();
    const code = `process.removeAllListeners('SIGXFSZ');
      (await import('node:fs')).writeFileSync('big', Buffer.alloc(200_000)); ${forever}`;
    const large = await launchNode(launcher, code, {
      cwd: folder,
      fences: nodeFences({ write: [folder] }),
      limits: { fileBytes: 100_000 },
    });
    const exits = await Promise.all([busy.exited, large.exited]);
    expect(exits[0].reason).toBe('cpu_limit');
    expect(exits[1].reason).not.toBe('killed');
    expect(readFileSync(path.join(folder, 'big')).length).toBe(100_000);
  });

  it('has a limited number of open files', async () => {
    const code = `import fs from 'node:fs';
      let count = 0;
      try { for (;;) { fs.openSync('/dev/null'); count += 1; } } catch (error) {
        console.log(JSON.stringify([error.code, count < 128])); }`;
    const child = await launchNode(launcher, code, { limits: { openFiles: 128 } });
    expect(await answerOf(child)).toEqual(['EMFILE', true]);
  });

  it('costs no memory with a flood of output, and is never blocked by it', async () => {
    const code = `for (let i = 0; i < 200; i += 1) process.stdout.write('x'.repeat(100_000) + '\\n');
      process.stdout.write('', () => process.exit(3));`;
    const child = await launchNode(launcher, code);
    expect(await child.exited).toMatchObject({ code: 3 });
    expect(child.stdout.droppedBytes).toBeGreaterThan(15_000_000);
    expect(child.stdout.tail().join('').length).toBeLessThan(500_000);
  });
});

describe.skipIf(!canFence('readiness'))('launching with a ready pipe', () => {
  it('resolves on the first byte and leaves it in the stream', async () => {
    const code = `setTimeout(() => (async () => (await import('node:fs')).writeSync(3, 'ready'))(), 50); ${forever}`;
    const child = await launchNode(launcher, code, { fds: ['from-child'], readyFd: 3 });
    const first = await new Promise((resolve) => child.fds[0]?.once('data', (data) => resolve(String(data))));
    expect(first).toBe('ready');
  });

  it('kills what is not ready in time', async () => {
    let seen = 0;
    const watching = createLauncher({ readStatus: (pid) => readProcessStatus(note(pid)) });
    const note = (pid: number): number => (pid === process.pid ? pid : (seen = pid));
    const order = nodeOrder(forever, { fds: ['from-child'], readyFd: 3, deadlineMs: 300 });
    const error = await refusal(watching.launch(order));
    expect(error.code).toBe('launch_deadline');
    expect(seen).toBeGreaterThan(0);
    expect(isAlive(seen)).toBe(false);
  });

  it('tells the last words of what ended before', async () => {
    const code = 'console.error("no bundle"); process.exit(4)';
    const error = await refusal(launcher.launch(nodeOrder(code, { fds: ['from-child'], readyFd: 3 })));
    expect(error.code).toBe('launch_failed');
    expect(error.message).toMatch(/exit 4.*no bundle/);
  });
});

describe.skipIf(!canFence('fence failures'))('a launch fails closed', () => {
  it('with exit 125 and the name of what failed', async () => {
    const fences = nodeFences({ read: ['/nowhere/at/all'] });
    const error = await refusal(launcher.launch(nodeOrder(forever, { fences })));
    expect(error).toMatchObject({ code: 'fence_failed', family: 'config', details: { exit_code: 125 } });
    expect(error.message).toContain('file rule for /nowhere/at/all: No such file or directory');
    expect(error.fix).toBeTruthy();
  });

  it('but not for a missing path that is optional', async () => {
    const fences = nodeFences({});
    const files = [...fences.files, { path: '/nowhere/at/all', access: 'ro', optional: true } as const];
    const child = await launchNode(launcher, 'console.log(1)', { fences: { ...fences, files } });
    expect(await answerOf(child)).toBe(1);
  });

  it('when no rule lets the program be executed', async () => {
    const fences = { network: 'none', files: [] } as const;
    const error = await refusal(launcher.launch(nodeOrder(forever, { fences })));
    expect(error.code).toBe('fence_failed');
    expect(error.message).toContain('Permission denied');
  });

  it('when a link of the chain is missing', async () => {
    const tools = { ...findTools()!, perl: '/nowhere/perl' };
    const error = await refusal(createLauncher({ tools }).launch(nodeOrder(forever)));
    expect(error.code).toBe('fence_failed');
    expect(error.message).toContain('/nowhere/perl');
  });

  it.each([
    ['NoNewPrivs', '0', 1],
    ['Seccomp', '0', 1],
    ['Seccomp_filters', '0', 1],
    ['CapEff', '0000000000000080', 1],
    ['CapBnd', '0000000000000080', 1],
    ['Uid', '1\t1\t1\t1', 1],
    ['Groups', '1 2 3', 1],
    ['PPid', '1', 1],
    ['CapEff', '0000000000000080', 2],
    ['Seccomp', '0', 2],
  ])('killing a child whose %s is %s at look %i', async (name, value, look) => {
    let looks = 0;
    let childPid = 0;
    const deviating = createLauncher({
      readStatus(pid) {
        const status = readProcessStatus(pid);
        // The bounding set counts where the parent could empty it, that is with SETPCAP.
        const setpcap = 'CapEff:\t0000000000000100';
        if (pid === process.pid) return name === 'CapBnd' ? status.replace(/^CapEff:.*$/m, setpcap) : status;
        childPid = pid;
        looks += 1;
        return looks < look ? status : status.replace(new RegExp(`^${name}:.*$`, 'm'), `${name}:\t${value}`);
      },
    });
    const error = await refusal(deviating.launch(nodeOrder(forever)));
    expect(error.code).toBe('fence_failed');
    expect(error.message).toContain(`${name} is ${value.trim()}`);
    expect(looks).toBe(look);
    expect(isAlive(childPid)).toBe(false);
  });

  it('before the program runs its first instruction', async () => {
    const folder = temporaryFolder();
    const deviating = createLauncher({
      readStatus: (pid) => readProcessStatus(pid).replace('NoNewPrivs:\t1', 'NoNewPrivs:\t0'),
    });
    const code = `(await import('node:fs')).writeFileSync('ran', ''); ${forever}`;
    const fences = nodeFences({ write: [folder] });
    await refusal(deviating.launch(nodeOrder(code, { cwd: folder, fences })));
    expect(() => readFileSync(path.join(folder, 'ran'))).toThrow('ENOENT');
  });
});

describe('a machine without the means', () => {
  const bare = createLauncher({ tools: null });

  it('starts nothing', async () => {
    const error = await refusal(bare.launch(nodeOrder(forever)));
    expect(error.code).toBe('fence_failed');
    expect(error.fix).toContain('setpriv');
  });

  it('starts what may run unfenced, plainly and still with its own environment', async () => {
    const fences = { ...nodeFences({}), allowUnfenced: true };
    const code = 'console.log(JSON.stringify(Object.keys(process.env).filter((n) => !n.startsWith("__CF"))))';
    const child = await launchNode(bare, code, { fences, env: { HOME: '/x' } });
    expect(child.fence.fenced).toBe(false);
    expect(await answerOf(child)).toEqual(['HOME']);
  });
});

describe.skipIf(process.platform === 'win32')('an unfenced child', () => {
  it('takes what it started along when it is killed', async () => {
    const code = `import { spawn } from 'node:child_process';
      console.log(spawn(process.execPath, ['-e', ${JSON.stringify(forever)}], { stdio: 'ignore' }).pid); ${forever}`;
    const fences = { ...nodeFences({}), allowUnfenced: true };
    const child = await launchNode(createLauncher({ tools: null }), code, { fences });
    const grandchild = Number(await new Promise((resolve) => child.stdout.onLine(resolve)));
    expect(isAlive(grandchild)).toBe(true);
    await child.kill();
    expect(await until(() => !isAlive(grandchild), 1_000)).toBe(true);
  });
});

describe.skipIf(!canFence('users') || !isRoot('users'))('users', () => {
  it('are switched when ordered, with no group left over', async () => {
    const user = { uid: 41_002, gid: 41_000 };
    const child = await launchNode(launcher, `${forever}; console.log('go')`, { user });
    const status = readProcessStatus(child.pid);
    expect(field(status, 'Uid')).toBe('41002\t41002\t41002\t41002');
    expect(field(status, 'Gid')).toBe('41000\t41000\t41000\t41000');
    expect(field(status, 'Groups')).toBe('');
    expect(await child.kill()).toMatchObject({ signal: 'SIGKILL' });
  });

  it('need no privilege to launch as themselves', async () => {
    const plain = [
      '--reuid=41001',
      '--regid=41000',
      '--clear-groups',
      '--inh-caps=-all',
      '--bounding-set=-all',
    ];
    const parent = await plainNode(
      `
      const { createLauncher, nodeFences } = await import(${JSON.stringify(index)});
      const child = await createLauncher().launch({ program: process.execPath,
        args: ['-p', 'process.getuid()'], env: {}, fences: nodeFences({}) });
      await child.exited;
      console.log(child.stdout.tail()[0], child.fence.fenced);`,
      [findTools()!.setpriv, ...plain, '--'],
    );
    await parent.ended;
    expect(parent.output(), parent.errors()).toBe('41001 true\n');
  });
});
