import { z } from 'zod';
import type { Tool } from '../../core/index.ts';
import { defineTool } from '../define-tool.ts';
import { contentProblem, sizeOf } from '../file-content.ts';
import { bareName, nameInput, SCRIPTS } from './script-argument.ts';

interface WriteArgs {
  readonly name: string;
  readonly source: string;
  readonly message: string | undefined;
}

const input = z.strictObject({
  name: nameInput,
  source: z
    .string()
    .describe(
      'The whole Starlark text. It begins with comment lines such as "# @description: ...", "# @secrets: NAME" and "# @hosts: api.example.com"',
    ),
  message: z.string().max(500).optional().describe('What was changed and why, for the owner'),
});

export const scriptWrite: Tool<WriteArgs> = defineTool({
  name: 'script_write',
  title: 'Propose a script',
  description:
    'Saves a Starlark script as a version that waits for the owner. It does not run before the owner approves it; a changed script is blocked until then. Ask script_status for the decision.',
  effect: 'write',
  input,
  check({ name, source, message }) {
    const problem = contentProblem(source);
    if (problem !== undefined) return { ok: false, problem };
    return { ok: true, args: { name: bareName(name), source, message } };
  },
  target: ({ name }) => ({ target: `scripts/${name}.star`, resource: SCRIPTS }),
  resources: [SCRIPTS],
  describe: ({ name, source }) => `Propose ${sizeOf(source)} as the script ${name}`,
  deadlineMs: 30_000,
  run: (args, { scripts, caller }) => scripts.write(args, caller),
});
