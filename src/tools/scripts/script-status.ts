import { z } from 'zod';
import type { Tool } from '../../core/index.ts';
import { defineTool } from '../define-tool.ts';
import { bareName, nameInput, SCRIPTS } from './script-argument.ts';

interface StatusArgs {
  readonly name: string;
  readonly waitMs: number;
}

const MOST_WAIT = 240;

const input = z.strictObject({
  name: nameInput,
  wait_seconds: z
    .number()
    .int()
    .min(0)
    .max(MOST_WAIT)
    .default(0)
    .describe('Wait so long for the owner to decide on the newest version; 0: answer at once'),
});

export const scriptStatus: Tool<StatusArgs> = defineTool({
  name: 'script_status',
  title: 'State of a script',
  description:
    'Says whether a script is approved, pending, rejected (with the reason) or disabled, and what it may do. Can wait for the decision of the owner.',
  effect: 'read',
  input,
  check: ({ name, wait_seconds: wait }) => ({
    ok: true,
    args: { name: bareName(name), waitMs: wait * 1000 },
  }),
  target: ({ name }) => ({ target: `scripts/${name}.star`, resource: SCRIPTS }),
  resources: [SCRIPTS],
  describe: ({ name }) => `Look at the state of the script ${name}`,
  deadlineMs: MOST_WAIT * 1000 + 15_000,
  run: ({ name, waitMs }, { scripts, signal }) => scripts.status(name, waitMs, signal),
});
