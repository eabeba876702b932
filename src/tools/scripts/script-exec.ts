import { z } from 'zod';
import type { Tool } from '../../core/index.ts';
import { defineTool } from '../define-tool.ts';
import { contentProblem, sizeOf } from '../file-content.ts';
import { RUNS } from './script-argument.ts';

interface ExecArgs {
  readonly code: string;
}

const input = z.strictObject({
  code: z
    .string()
    .max(256 * 1024)
    .describe('Starlark code; its value is main(), or the variable result'),
});

export const scriptExec: Tool<ExecArgs> = defineTool({
  name: 'script_exec',
  title: 'Compute something',
  description:
    'Runs Starlark code that only computes: it has no secrets and reaches no host. For anything else propose a script with script_write.',
  effect: 'write',
  input,
  check({ code }) {
    const problem = contentProblem(code);
    return problem === undefined ? { ok: true, args: { code } } : { ok: false, problem };
  },
  target: () => ({ target: 'code', resource: RUNS }),
  resources: [RUNS],
  describe: ({ code }) => `Compute something with ${sizeOf(code)} of code, without secrets and hosts`,
  deadlineMs: 330_000,
  run: ({ code }, { scripts, caller, signal }) => scripts.exec(code, caller, signal),
});
