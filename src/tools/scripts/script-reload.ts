import { z } from 'zod';
import type { Tool } from '../../core/index.ts';
import { defineTool } from '../define-tool.ts';
import { SCRIPTS } from './script-argument.ts';

export const scriptReload: Tool<Record<string, never>> = defineTool({
  name: 'script_reload',
  title: 'Look at the scripts again',
  description:
    'Reads every file in scripts/ again. What changed becomes a version that waits for the owner; approvals stay as they are.',
  effect: 'read',
  input: z.strictObject({}),
  check: () => ({ ok: true, args: {} }),
  target: () => ({ target: 'scripts/', resource: SCRIPTS }),
  resources: [SCRIPTS],
  describe: () => 'Look at the scripts again',
  deadlineMs: 60_000,
  run: (_args, { scripts }) => scripts.reload(),
});
