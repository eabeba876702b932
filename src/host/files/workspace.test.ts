import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError } from '../../core/index.ts';
import { prepareWorkspace } from './workspace.ts';

let folder: string;
let root: string;
const umask = process.umask();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openpact-ws-'));
  root = join(folder, 'it\'s a "work$pace"');
});
afterEach(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true, force: true });
});

function mode(...parts: string[]): string {
  return (statSync(join(root, ...parts)).mode & 0o7777).toString(8);
}

function refusal(act: () => unknown): AppError {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

function runRepair(error: AppError): void {
  const commands = (error.fix ?? '').split('\n').slice(1).join('\n');
  execFileSync('sh', ['-c', commands]);
}

test('a new workspace has the modes of the charter, whatever the umask', () => {
  process.umask(0o027);
  prepareWorkspace(root);
  expect(mode()).toBe('750');
  expect(mode('secure')).toBe('700');
  expect(mode('secure', 'data')).toBe('700');
  expect(mode('ai-data')).toBe('750');
  expect(mode('ai-data', 'memory')).toBe('2770');
  expect(mode('ai-data', 'scripts')).toBe('750');
  expect(mode('ai-data', 'skills')).toBe('750');
  expect(mode('engine')).toBe('2770');
});

test('files that are made afterwards belong to us alone', () => {
  const paths = prepareWorkspace(root);
  writeFileSync(join(paths.data, 'x'), '');
  expect(mode('secure', 'data', 'x')).toBe('600');
});

test('a second start changes nothing and accepts what the first one made', () => {
  prepareWorkspace(root);
  chmodSync(join(root, 'ai-data'), 0o755);
  expect(() => prepareWorkspace(root)).not.toThrow();
  expect(mode('ai-data')).toBe('755');
});

test('open modes in secure are all named, nothing is repaired silently, and the printed command repairs them', () => {
  const paths = prepareWorkspace(root);
  mkdirSync(join(paths.data, 'deep'));
  writeFileSync(join(paths.data, 'deep', "o'clock"), '');
  writeFileSync(paths.config, 'admin: {}\n');
  chmodSync(paths.config, 0o644);
  chmodSync(paths.data, 0o750);
  chmodSync(join(paths.data, 'deep', "o'clock"), 0o602);
  const error = refusal(() => prepareWorkspace(root));
  expect(error.family).toBe('config');
  expect(error.code).toBe('workspace_modes');
  expect(error.message).toContain(`${paths.config} has mode 644 instead of 600`);
  expect(error.message).toContain(`${paths.data} has mode 750 instead of 700`);
  expect(error.details['paths']).toHaveLength(3);
  expect(mode('secure', 'config.yaml')).toBe('644');
  runRepair(error);
  expect(() => prepareWorkspace(root)).not.toThrow();
  expect(mode('secure', 'config.yaml')).toBe('600');
  expect(mode('secure', 'data')).toBe('700');
});

test('a symbolic link in secure is refused and its target left alone', () => {
  const paths = prepareWorkspace(root);
  const target = join(folder, 'elsewhere');
  writeFileSync(target, 'kept');
  symlinkSync(target, paths.config);
  const error = refusal(() => prepareWorkspace(root));
  expect(error.message).toContain('symbolic link');
  runRepair(error);
  expect(() => prepareWorkspace(root)).not.toThrow();
  expect(readFileSync(target, 'utf8')).toBe('kept');
});

test('a folder of the workspace that is a link is refused', () => {
  mkdirSync(root, { mode: 0o750 });
  mkdirSync(join(folder, 'other'));
  symlinkSync(join(folder, 'other'), join(root, 'secure'));
  expect(refusal(() => prepareWorkspace(root)).code).toBe('workspace_unusable');
});

test('a root that others can write is refused, because they could swap secure', () => {
  prepareWorkspace(root);
  chmodSync(root, 0o770);
  const error = refusal(() => prepareWorkspace(root));
  expect(error.message).toContain('others can write it');
  runRepair(error);
  expect(() => prepareWorkspace(root)).not.toThrow();
});

test('a wrong owner is refused with the command that repairs it', () => {
  const paths = prepareWorkspace(root);
  writeFileSync(join(paths.data, 'theirs'), '');
  const someone = 12_345;
  const error = refusal(() => prepareWorkspace(root, someone));
  expect(error.message).toContain(`belongs to user ${process.geteuid?.()}, not to ${someone}`);
  expect(error.fix).toContain(`chown ${someone} '`);
  if (process.geteuid?.() !== 0) return;
  chownSync(join(paths.data, 'theirs'), someone, someone);
  const real = refusal(() => prepareWorkspace(root));
  expect(real.details['paths']).toEqual([join(paths.data, 'theirs')]);
  runRepair(real);
  expect(() => prepareWorkspace(root)).not.toThrow();
});

test('a path that is a file is refused in words', () => {
  writeFileSync(root, '');
  const error = refusal(() => prepareWorkspace(root));
  expect(error.code).toBe('workspace_unusable');
  expect(error.message).toContain('it is no folder');
});
