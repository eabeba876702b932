import { z } from 'zod';
import type { Tool } from '../../core/index.ts';
import { defineTool } from '../define-tool.ts';
import { SCRIPTS } from './script-argument.ts';

export const scriptList: Tool<Record<string, never>> = defineTool({
  name: 'script_list',
  title: 'List scripts',
  description:
    'Lists the scripts in scripts/ with description, declared secrets (names only), and whether the owner has approved them.',
  effect: 'read',
  input: z.strictObject({}),
  check: () => ({ ok: true, args: {} }),
  target: () => ({ target: 'scripts/', resource: SCRIPTS }),
  resources: [SCRIPTS],
  describe: () => 'List the scripts',
  deadlineMs: 30_000,
  run: (_args, { scripts }) => scripts.list(),
});
