import { z } from 'zod';
import type { Tool } from '../../core/index.ts';
import { defineTool } from '../define-tool.ts';
import { checkPath, targetOf } from '../file-path.ts';

interface ListArgs {
  readonly path: string;
}

const input = z.strictObject({
  path: z
    .string()
    .default('')
    .describe('Folder to list, relative to the workspace folder; left out: the workspace folder itself'),
});

export const workspaceList: Tool<ListArgs> = defineTool({
  name: 'workspace_list',
  title: 'List a folder',
  description:
    'Lists the files and folders in a folder of the workspace, by name, at most 1,000. Hidden ones are left out.',
  effect: 'read',
  input,
  check({ path }) {
    const checked = checkPath(path);
    return checked.ok ? { ok: true, args: { path: checked.path } } : checked;
  },
  target: ({ path }) => targetOf(path),
  describe: ({ path }) => `List ${path === '' ? 'the workspace folder' : path}`,
  deadlineMs: 15_000,
  async run({ path }, { files, signal }) {
    const { entries, truncated } = await files.list(path, signal);
    return { path, entries: entries.map((entry) => ({ ...entry })), truncated };
  },
});
