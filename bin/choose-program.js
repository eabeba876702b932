import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startError } from './start-error.js';

/**
 * What to run: the bundle where it is up to date (or the only thing there), else the source. `start` in a checkout
 * builds first, because it needs the page and should be quick the next time.
 */
export async function chooseProgram({ root, node, verb, environment }) {
  const source = join(root, 'src', 'main.ts');
  const bundle = join(root, 'dist', 'openpact.js');
  if (!existsSync(source)) {
    if (existsSync(bundle)) return bundle;
    throw startError(`The installation is incomplete: ${bundle} is missing.`, 'Install OpenPact again.');
  }
  // Only a checkout pays for this.
  const { sourceStamps } = await import('./source-stamp.js');
  const wanted = sourceStamps(root);
  const built = builtStamps(root);
  const programFits = built.program === wanted.program && existsSync(bundle);
  const starts =
    (verb[0] === 'start' || verb[0] === 'serve') && !verb.includes('--help') && !verb.includes('-h');
  if (!starts) return programFits ? bundle : source;
  const pageFits = built.page === wanted.page && existsSync(join(root, 'dist', 'web', 'index.html'));
  if (programFits && pageFits) return bundle;
  const { buildFirst } = await import('./build-first.js');
  await buildFirst({ root, node, environment, first: !existsSync(join(root, 'dist')) });
  return bundle;
}

function builtStamps(root) {
  try {
    return JSON.parse(readFileSync(join(root, 'dist', 'stamp.json'), 'utf8'));
  } catch {
    // No stamp or a broken one: nothing is up to date.
    return {};
  }
}
