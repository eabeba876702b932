import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partsOf } from '../../src/host/files/child/path-rules.ts';
import { checkPath } from '../../src/tools/file-path.ts';
import {
  ALL_ON,
  BOTH_OFF,
  createFilesBench,
  FENCE_OFF,
  JAIL_OFF,
  outcome,
  SECRET,
  type FilesBench,
} from './files-workbench.ts';

let bench: FilesBench;
beforeAll(() => {
  bench = createFilesBench();
});
afterAll(() => bench.close());

describe('../secure/config.yaml', () => {
  const PATH = '../secure/config.yaml';

  it('is refused by the tool, and by the jail when the tool is passed by', async () => {
    expect(await bench.tool('workspace_read', { path: PATH })).toEqual({
      refused: 'path: ".." is not allowed: paths lead down from the workspace folder only',
    });
    expect(await outcome(bench.files(ALL_ON).read(PATH))).toBe('path_parent');
    expect(await outcome(bench.files(ALL_ON).write(PATH, 'x'))).toBe('path_parent');
    expect(await outcome(bench.files(ALL_ON).list('../secure'))).toBe('path_parent');
  });

  it('is refused by the fence alone when the jail is switched off', async () => {
    const files = bench.files(JAIL_OFF);
    expect(await outcome(files.read('notes/config.yaml'))).toEqual({ text: 'harmless', bytes: 8 });
    expect(await outcome(files.read(PATH))).toBe('file_denied');
    expect(await outcome(files.write(PATH, 'x'))).toBe('file_denied');
    expect(await outcome(files.append('../secure/new', 'x'))).toBe('file_denied');
    expect(await outcome(files.list('../secure'))).toBe('file_denied');
    expect(await outcome(files.read('../ai-data-x/config.yaml'))).toBe('file_denied');
    expect(readFileSync(bench.secret, 'utf8')).toBe(SECRET);
    expect(existsSync(join(bench.root, 'secure/new'))).toBe(false);
  });

  it('is refused by the jail alone when the fence is switched off', async () => {
    expect(await outcome(bench.files(FENCE_OFF).read('notes/config.yaml'))).toEqual({
      text: 'harmless',
      bytes: 8,
    });
    expect(await outcome(bench.files(FENCE_OFF).read(PATH))).toBe('path_parent');
  });

  it('is read when both are switched off: the attack is a real one', async () => {
    expect(await outcome(bench.files(BOTH_OFF).read(PATH))).toMatchObject({ text: SECRET });
  });
});

describe('no spelling leads out', () => {
  const absolute = (): string => bench.secret;
  it.each([
    () => '../secure/config.yaml',
    () => './../secure/config.yaml',
    () => 'notes/../../secure/config.yaml',
    () => 'notes/./../../secure/config.yaml',
    () => '..//secure/config.yaml',
    () => '../ai-data-x/config.yaml',
    () => absolute(),
    () => `/${absolute()}`,
    () => `/proc/self/cwd/../secure/config.yaml`,
    () => '..\\secure\\config.yaml',
    () => '..\0/secure/config.yaml',
    () => '../secure/config.yaml\0.md',
    () => '%2e%2e/secure/config.yaml',
    () => '%2e%2e%2fsecure%2fconfig.yaml',
    () => '..%2fsecure%2fconfig.yaml',
    () => '..%c0%afsecure/config.yaml',
    () => '\uff0e\uff0e/secure/config.yaml',
    () => '\u2025/secure/config.yaml',
    () => '..\uff0fsecure\uff0fconfig.yaml',
    () => '.\u200b./secure/config.yaml',
    () => '..\u202e/secure/config.yaml',
    () => '..;/secure/config.yaml',
    () => '.../secure/config.yaml',
    () => '....//secure/config.yaml',
    () => '~/secure/config.yaml',
    () => '$PWD/../secure/config.yaml',
    () => 'file:///etc/passwd',
    () => `${'notes/'.repeat(100)}${'../'.repeat(101)}secure/config.yaml`,
    () => 'a'.repeat(100_000),
    () => `${'../'.repeat(50_000)}etc/passwd`,
    () => '\ud800/../secure/config.yaml',
  ])('%#', async (spelling) => {
    const path = spelling();
    for (const controls of [ALL_ON, FENCE_OFF]) {
      const answers = [
        await bench.tool('workspace_read', { path }, controls),
        await bench.tool('workspace_list', { path }, controls),
        await bench.tool('memory_read', { file: path }, controls),
        await outcome(bench.files(controls).read(path)),
        await outcome(bench.files(controls).list(path)),
      ];
      expect(JSON.stringify(answers)).not.toContain(SECRET);
      expect(JSON.stringify(answers)).not.toContain('config.yaml","kind"');
      for (const answer of answers) {
        expect(typeof answer === 'string' || 'refused' in (answer as object), JSON.stringify(answer)).toBe(
          true,
        );
      }
    }
  });

  it('and what a tool lets through is one the jail knows as the same path', () => {
    const part = fc.oneof(
      fc.constantFrom('SOUL.md', 'memory', '.', '..', '', '.git', 'MEMORY.md', '\u017foul.md', 'a'),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const checked = checkPath(parts.join('/'));
        if (checked.ok) expect(partsOf(checked.path).join('/')).toBe(checked.path);
      }),
      { numRuns: 1000 },
    );
  });

  it('no path that a machine makes up opens anything but what is below the root', async () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '',
      'notes',
      'secure',
      'config.yaml',
      'ai-data',
      '...',
      '~',
      '\\',
      '\0',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
        const answer = await outcome(bench.files(FENCE_OFF).read(parts.join('/')));
        expect(JSON.stringify(answer)).not.toContain(SECRET);
      }),
      { numRuns: 300 },
    );
  });
});

describe('hidden files', () => {
  it.each(['.git/config', 'notes/.env', '.openpact-write-0', '.ssh', 'notes/...'])(
    '%s are neither read nor written',
    async (path) => {
      for (const answer of [
        await bench.tool('workspace_read', { path }),
        await bench.tool('workspace_write', { path, content: 'x' }),
      ]) {
        expect(answer).toMatchObject({ refused: expect.stringContaining('start with a dot') });
      }
      expect(await outcome(bench.files(ALL_ON).write(path, 'x'))).toBe('path_hidden');
      expect(existsSync(join(bench.aiData, path))).toBe(false);
    },
  );

  it('are created when the jail is off: the fence does not cover what is inside ai-data', async () => {
    expect(await outcome(bench.files(JAIL_OFF).write('.profile', 'x'))).toEqual({ bytes: 1 });
  });
});
