/** Runs one Starlark program with budgets on and reports the CPU time of this whole process, start-up included. */
import { readFileSync } from 'node:fs';
import { compileProgram, standardModules, Thread } from '../../src/sandbox/starlark/index.ts';

/** Far above what the programs need: the accounting is what costs, not the limit. */
const LIMITS = { steps: 1_000_000_000, memory: 2 ** 40 };

const file = process.argv[2] ?? '';
const lines: string[] = [];
const program = compileProgram(readFileSync(file, 'utf8'), { name: file, predeclared: standardModules(0) });
program.run(new Thread({ limits: LIMITS, print: (line) => lines.push(line) }));
const { user, system } = process.cpuUsage();
process.stdout.write(JSON.stringify({ output: lines.join('\n'), cpu: (user + system) / 1e6 }));
