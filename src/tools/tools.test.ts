import { describe, expect, it } from 'vitest';
import { noScripts, OWNER } from '../../test/fakes/workbench.ts';
import { AppError, type AnyTool, type FilePowers, type ToolContext } from '../core/index.ts';
import { createTools } from './index.ts';

const tools = new Map(createTools().map((tool) => [tool.name, tool]));
const tool = (name: string): AnyTool => {
  const found = tools.get(name);
  if (!found) throw new Error(name);
  return found;
};

/** Files in a map, with the refusal of a missing one. */
function contextWith(files: Map<string, string>): ToolContext {
  const powers: FilePowers = {
    async read(path) {
      const text = files.get(path);
      if (text === undefined) throw new AppError({ family: 'missing', code: 'file_missing', message: path });
      return { text, bytes: text.length };
    },
    async write(path, text) {
      files.set(path, text);
      return { bytes: text.length };
    },
    async append(path, text) {
      const whole = (files.get(path) ?? '') + text;
      files.set(path, whole);
      return { bytes: whole.length };
    },
    list: async () => ({
      entries: [{ name: 'a', kind: 'file', bytes: 1, modified: '2026-01-01T00:00:00.000Z' }],
      truncated: false,
    }),
  };
  return {
    files: powers,
    clock: { now: () => 0 },
    scripts: noScripts,
    caller: { principal: OWNER, origin: 'page' },
    signal: new AbortController().signal,
  };
}

async function run(name: string, args: unknown, files = new Map<string, string>()): Promise<unknown> {
  const parsed = tool(name).parse(args);
  if (!parsed.ok) throw new Error(parsed.problem);
  return tool(name).run(parsed.args, contextWith(files));
}

const problemOf = (name: string, args: unknown): string => {
  const parsed = tool(name).parse(args);
  return parsed.ok ? 'accepted' : parsed.problem;
};

describe('every tool', () => {
  it('stands in the list once, by name', () => {
    const names = createTools().map((one) => one.name);
    expect(names).toEqual([
      'memory_read',
      'memory_write',
      'script_exec',
      'script_list',
      'script_reload',
      'script_run',
      'script_status',
      'script_write',
      'workspace_list',
      'workspace_read',
      'workspace_write',
    ]);
  });

  it.each([...tools.keys()])('%s shows a closed schema and enforces the same', (name) => {
    expect(tool(name).schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      additionalProperties: false,
    });
    for (const broken of [
      null,
      'text',
      [],
      7,
      { path: 1, file: 1 },
      { unknown: 'x', path: 'a', content: '' },
    ]) {
      expect(tool(name).parse(broken).ok, JSON.stringify(broken)).toBe(false);
    }
  });
});

describe('workspace tools', () => {
  it('read, write and list by the plain form of the path, which policy sees too', async () => {
    const files = new Map<string, string>();
    expect(await run('workspace_write', { path: './notes//a.md', content: 'hi' }, files)).toEqual({
      path: 'notes/a.md',
      bytes: 2,
    });
    expect(await run('workspace_read', { path: 'notes/./a.md' }, files)).toEqual({
      path: 'notes/a.md',
      bytes: 2,
      content: 'hi',
    });
    expect(await run('workspace_list', {})).toMatchObject({
      path: '',
      truncated: false,
      entries: [{ name: 'a' }],
    });
    const parsed = tool('workspace_write').parse({ path: './/soul.md', content: 'x' });
    expect(parsed.ok && tool('workspace_write').target(parsed.args)).toEqual({
      target: 'soul.md',
      resource: 'identity',
    });
  });

  it('say what a write will do, with the bytes that will stand on the disk', () => {
    for (const [content, size] of [
      ['ä€', '5 bytes'],
      ['x', '1 byte'],
      ['', '0 bytes'],
    ]) {
      const parsed = tool('workspace_write').parse({ path: 'a.md', content });
      expect(parsed.ok && tool('workspace_write').describe(parsed.args)).toBe(
        `Write ${size} to a.md (a new file, or its whole content is replaced)`,
      );
    }
  });

  it('refuse the folder itself, a path that ends in a slash, and content that is no text or too long', () => {
    expect(problemOf('workspace_read', { path: './' })).toContain('name a file');
    expect(problemOf('workspace_write', { path: 'SOUL.md/', content: '' })).toContain('name a file');
    expect(problemOf('workspace_write', { path: 'a', content: 'a\0' })).toContain('NUL');
    expect(problemOf('workspace_write', { path: 'a', content: '\ud83d' })).toContain('half of a character');
    expect(problemOf('workspace_write', { path: 'a', content: 'é'.repeat(524_289) })).toContain(
      '1048578 bytes',
    );
    expect(problemOf('workspace_write', { path: 'a', content: 'é'.repeat(524_288) })).toBe('accepted');
  });
});

describe('memory tools', () => {
  it('use MEMORY.md unless told otherwise, and append whole lines', async () => {
    const files = new Map<string, string>();
    await run('memory_write', { content: 'one', append: true }, files);
    await run('memory_write', { content: 'two\n', append: true }, files);
    expect(await run('memory_read', {}, files)).toEqual({
      file: 'MEMORY.md',
      exists: true,
      bytes: 8,
      content: 'one\ntwo\n',
    });
    await run('memory_write', { content: 'new' }, files);
    expect(files.get('MEMORY.md')).toBe('new');
  });

  it('tell that a day has no notes instead of failing', async () => {
    expect(await run('memory_read', { file: 'memory/2026-01-31.md' })).toEqual({
      file: 'memory/2026-01-31.md',
      exists: false,
      bytes: 0,
      content: '',
    });
  });

  it.each([
    ['MEMORY.md', 'memory', 'MEMORY.md'],
    ['./MEMORY.md', 'memory', 'MEMORY.md'],
    ['memory/2024-02-29.md', 'memory', 'memory/2024-02-29.md'],
    ['2026-12-31.md', 'memory', 'memory/2026-12-31.md'],
    ['SOUL.md', 'identity', 'SOUL.md'],
    ['USER.md', 'identity', 'USER.md'],
  ])('may name %s, which is %s', (file, resource, target) => {
    const parsed = tool('memory_write').parse({ content: 'x', file });
    expect(parsed.ok && tool('memory_write').target(parsed.args)).toEqual({ target, resource });
  });

  it.each([
    '',
    'notes.md',
    'memory.md',
    'soul.md',
    'memory/2025-02-29.md',
    'memory/2026-13-01.md',
    'memory/2026-1-1.md',
    'memory/0000-00-00.md',
    'memory/../SOUL.md',
    'memory/2026-01-01.md/',
    'memory//2026-01-01.md',
    '/MEMORY.md',
    'MEMORY.md\n',
    '2026-01-01.md\n',
    'memory/x.md',
    'scripts/2026-01-01.md',
  ])('may not name %j', (file) => {
    expect(problemOf('memory_write', { content: 'x', file })).toMatch(/^file: /);
    expect(problemOf('memory_read', { file })).toMatch(/^file: /);
  });
});
