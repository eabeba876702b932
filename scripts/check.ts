/** Format, type-aware lint, types of server and page, dead code: all of them run, then it says what is wrong. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const bin = (name: string): string => join(ROOT, 'node_modules', '.bin', name);

const steps: readonly {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}[] = [
  { name: 'format', command: bin('oxfmt'), args: ['--check', '.'] },
  { name: 'lint', command: bin('oxlint'), args: ['--type-aware', '--deny-warnings'] },
  { name: 'types of the server', command: bin('tsc'), args: ['-p', '.'] },
  { name: 'types of the page', command: bin('tsc'), args: ['-p', 'web'] },
  { name: 'dead code', command: bin('knip'), args: [] },
];

const failed: string[] = [];
for (const { name, command, args } of steps) {
  if (!existsSync(command)) {
    console.error(`${name}: ${command} is missing. Run npm install with the development packages.`);
    failed.push(name);
    continue;
  }
  const started = performance.now();
  const { status } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' });
  console.log(
    `${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`,
  );
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`not clean: ${failed.join(', ')}`);
  process.exit(1);
}
