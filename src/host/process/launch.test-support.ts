import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';
import type { ProbeAnswer, ProbeOrder } from './isolation-probe.ts';
import { nodeFences } from './node-fences.ts';
import { isEnded, readProcessStatus } from './process-status.ts';
import { findTools } from './tools.ts';
import type { Child, Launcher, LaunchOrder } from './types.ts';

/** Whether this machine can fence. Says loudly what is skipped; where nothing may be skipped, fails. */
export function canFence(suite: string): boolean {
  if (findTools() !== null) return true;
  const message = `SKIPPED: ${suite}: needs Linux (x64 or arm64) with setpriv, prlimit and perl`;
  if (process.env['OPENPACT_CI'] === '1') throw new Error(message);
  console.warn(message);
  return false;
}

export function isRoot(suite: string): boolean {
  if (process.getuid?.() === 0) return true;
  const message = `SKIPPED: ${suite}: needs root`;
  if (process.env['OPENPACT_CI'] === '1') throw new Error(message);
  console.warn(message);
  return false;
}

const children: Child[] = [];
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'openpact-launch-'));
  folders.push(folder);
  return folder;
}

/** An order for Node to run this code, with nothing granted beyond what Node needs. */
export function nodeOrder(code: string, more: Partial<LaunchOrder> = {}): LaunchOrder {
  return {
    program: process.execPath,
    args: ['--no-warnings', '--input-type=module', '-e', code],
    env: {},
    fences: nodeFences({}),
    ...more,
  };
}

export async function launchNode(
  launcher: Launcher,
  code: string,
  more: Partial<LaunchOrder> = {},
): Promise<Child> {
  const child = await launcher.launch(nodeOrder(code, more));
  children.push(child);
  return child;
}

/** What the child printed as JSON in its last line. */
export async function answerOf(child: Child): Promise<unknown> {
  const exit = await child.exited;
  const line = child.stdout.tail().at(-1);
  if (line === undefined) throw new Error(`${JSON.stringify(exit)}: ${child.stderr.tail().join('\n')}`);
  return JSON.parse(line) as unknown;
}

/** A dead process that nobody has waited for yet, as an orphan in a container without an init, runs nothing more. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !isEnded(readProcessStatus(pid));
  } catch {
    return false;
  }
}

export async function until(condition: () => boolean, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}

/** Runs code in a plain, unfenced Node of its own, as a parent that a test may kill. */
export function plainNode(code: string, prefix: readonly string[] = []): Promise<PlainProcess> {
  const [file, ...args] = [...prefix, process.execPath, '--no-warnings', '--input-type=module', '-e', code];
  const spawned = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  spawned.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
  spawned.stderr.on('data', (chunk: Buffer) => (errors += String(chunk)));
  const ended = new Promise<void>((resolve) => spawned.once('close', () => resolve()));
  return Promise.resolve({
    kill: () => void spawned.kill('SIGKILL'),
    ended,
    output: () => output,
    errors: () => errors,
  });
}

export interface PlainProcess {
  kill(): void;
  readonly ended: Promise<void>;
  output(): string;
  errors(): string;
}

/** Starts a probe as any program would be started: no fence, our own environment. */
export async function startPlainProbe(order: ProbeOrder): Promise<ProbeAnswer> {
  const spawned = spawn(order.program, [...order.args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  spawned.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
  await new Promise((resolve) => spawned.once('close', resolve));
  return { line: output.trim().split('\n').at(-1) ?? '', landlockAbi: 0 };
}
