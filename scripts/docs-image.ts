/** The picture of the README, taken in the end-to-end run of the first start: `node scripts/docs-image.ts`. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const TAKEN = join(ROOT, 'test-results', 'screens', 'chat-approval.png');
const SHOWN = join(ROOT, 'docs', 'images', 'approval.png');

// A picture of an earlier run must not pass for a new one.
rmSync(TAKEN, { force: true });
const { status } = spawnSync(
  process.execPath,
  [join(ROOT, 'scripts', 'test.ts'), 'test/e2e/first-run.test.ts'],
  { cwd: ROOT, stdio: 'inherit' },
);
if (status !== 0) process.exit(status ?? 1);
copyFileSync(TAKEN, SHOWN);
console.log(`${SHOWN} is new. Look at it.`);
