import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError } from '../../core/index.ts';
import { takeInstanceLock } from './instance-lock.ts';

let folder: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openpact-lock-'));
  path = join(folder, 'lock.db');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Another process that holds the lock. */
async function holder(): Promise<ChildProcess> {
  const program = `
    import { takeInstanceLock } from ${JSON.stringify(join(import.meta.dirname, 'instance-lock.ts'))};
    const lock = takeInstanceLock(process.argv[1]);
    setInterval(() => lock, 1000);
    console.log('held');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout ?? child, 'data');
  return child;
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'none';
}

test('a second process is refused and told who runs', async () => {
  const other = await holder();
  const refused = codeOf(() => takeInstanceLock(path));
  expect(refused).toContain('already_running');
  expect(refused).toContain(`process ${other.pid}`);
});

test('kill -9 of the holder frees the lock', async () => {
  const other = await holder();
  other.kill('SIGKILL');
  await once(other, 'exit');
  const lock = takeInstanceLock(path);
  expect(codeOf(() => takeInstanceLock(path))).toContain('already_running');
  lock.release();
});

test('a released lock can be taken again', () => {
  takeInstanceLock(path).release();
  const lock = takeInstanceLock(path);
  lock.release();
  lock.release();
});

test('a file that is no lock is refused with what to do', () => {
  writeFileSync(
    path,
    'this is a text and no database, and it is long enough to be looked at as one'.repeat(20),
  );
  expect(codeOf(() => takeInstanceLock(path))).toContain('lock_unusable');
});
