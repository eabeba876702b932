import { z } from 'zod';
import type { Json, Tool } from '../../core/index.ts';
import { defineTool } from '../define-tool.ts';
import { bareName, nameInput, RUNS } from './script-argument.ts';

interface RunArgs {
  readonly name: string;
  readonly function: string | undefined;
  readonly args: readonly Json[] | undefined;
  readonly kwargs: { readonly [name: string]: Json } | undefined;
}

const input = z.strictObject({
  name: nameInput,
  function: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('Function to call; left out: main(), or the variable result'),
  args: z.array(z.json()).max(100).optional().describe('Arguments of the function, in order'),
  kwargs: z.record(z.string().max(100), z.json()).optional().describe('Arguments of the function by name'),
});

export const scriptRun: Tool<RunArgs> = defineTool({
  name: 'script_run',
  title: 'Run a script',
  description:
    'Runs a script that the owner has approved and gives its value. A script that is new or was changed answers with the reason why it does not run.',
  effect: 'write',
  input,
  check: ({ name, args, kwargs, ...rest }) => ({
    ok: true,
    args: { name: bareName(name), function: rest.function, args, kwargs },
  }),
  target: ({ name }) => ({ target: `scripts/${name}.star`, resource: RUNS }),
  resources: [RUNS],
  describe: ({ name, function: fn }) => `Run the script ${name}${fn === undefined ? '' : `, function ${fn}`}`,
  deadlineMs: 330_000,
  run: (args, { scripts, caller, signal }) => scripts.run(args, caller, signal),
});
