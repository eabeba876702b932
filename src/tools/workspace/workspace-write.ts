import { z } from 'zod';
import type { Tool } from '../../core/index.ts';
import { defineTool } from '../define-tool.ts';
import { contentProblem, sizeOf } from '../file-content.ts';
import { checkPath, targetOf } from '../file-path.ts';

interface WriteArgs {
  readonly path: string;
  readonly content: string;
}

const input = z.strictObject({
  path: z.string().describe('File to write, relative to the workspace folder, such as notes/todo.md'),
  content: z.string().describe('The whole new content of the file'),
});

export const workspaceWrite: Tool<WriteArgs> = defineTool({
  name: 'workspace_write',
  title: 'Write a file',
  description:
    'Writes a text file of the workspace folder: makes it and its folders, or replaces its whole content. At most 1 MiB.',
  effect: 'write',
  input,
  check({ path, content }) {
    const checked = checkPath(path);
    if (!checked.ok) return checked;
    if (checked.path === '' || path.endsWith('/')) return { ok: false, problem: 'path: name a file, not a folder' };
    const problem = contentProblem(content);
    return problem === undefined
      ? { ok: true, args: { path: checked.path, content } }
      : { ok: false, problem };
  },
  target: ({ path }) => targetOf(path),
  describe: ({ path, content }) =>
    `Write ${sizeOf(content)} to ${path} (a new file, or its whole content is replaced)`,
  deadlineMs: 15_000,
  async run({ path, content }, { files, signal }) {
    const { bytes } = await files.write(path, content, signal);
    return { path, bytes };
  },
});
