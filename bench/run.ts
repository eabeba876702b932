/** Every figure in one run. Each bench prints a table of its own; nothing is asserted, because machines differ. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const BENCHES = [
  'start.ts',
  'turn.ts',
  'gateway.ts',
  'search.ts',
  'script-runs.ts',
  'answers.ts',
  'pages.ts',
  'audit.ts',
  join('starlark', 'run.ts'),
];

const wanted = process.argv.slice(2);
for (const name of BENCHES) {
  const file = join(import.meta.dirname, name);
  if (!existsSync(file) || (wanted.length > 0 && !wanted.some((part) => name.includes(part)))) continue;
  console.log(`\n== ${name}`);
  const { status } = spawnSync(process.execPath, [file], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
