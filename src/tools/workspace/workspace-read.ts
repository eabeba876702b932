import { z } from 'zod';
import type { Tool } from '../../core/index.ts';
import { defineTool } from '../define-tool.ts';
import { checkPath, targetOf } from '../file-path.ts';

interface ReadArgs {
  readonly path: string;
}

const input = z.strictObject({
  path: z.string().describe('File to read, relative to the workspace folder, such as notes/todo.md'),
});

export const workspaceRead: Tool<ReadArgs> = defineTool({
  name: 'workspace_read',
  title: 'Read a file',
  description:
    'Reads a text file of the workspace folder (UTF-8, at most 1 MiB). Hidden files and links are not accessible.',
  effect: 'read',
  input,
  check({ path }) {
    const checked = checkPath(path);
    if (checked.ok && checked.path === '') return { ok: false, problem: 'path: name a file, not the folder itself' };
    return checked.ok ? { ok: true, args: { path: checked.path } } : checked;
  },
  target: ({ path }) => targetOf(path),
  describe: ({ path }) => `Read ${path}`,
  deadlineMs: 15_000,
  async run({ path }, { files, signal }) {
    const { text, bytes } = await files.read(path, signal);
    return { path, bytes, content: text };
  },
});
