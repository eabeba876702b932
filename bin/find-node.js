import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { startError } from './start-error.js';

/** The oldest Node that runs TypeScript without a flag and without a warning. */
const OLDEST = [24, 12];

/** The Node to run on: this one, or the one that came with the installation. */
export function findNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return process.execPath;
  const bundled = bundledNode();
  if (bundled !== null) return bundled;
  throw startError(
    `OpenPact needs Node ${OLDEST.join('.')} or newer; this is ${process.versions.node}.`,
    process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)
      ? 'Run "npm install" again without --omit=optional: it brings a fitting Node along.'
      : `Install Node 24 from https://nodejs.org. There is none to bring along for ${process.platform}-${process.arch}.`,
  );
}

function bundledNode() {
  try {
    const home = dirname(createRequire(import.meta.url).resolve(`node-linux-${process.arch}/package.json`));
    const node = join(home, 'bin', 'node');
    return existsSync(node) ? node : null;
  } catch {
    // Not installed: an optional dependency of other platforms.
    return null;
  }
}
