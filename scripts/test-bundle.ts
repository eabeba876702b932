/** The second composition root as one file, for the attack tests: a start from source costs two seconds of work more. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const ROOT = join(import.meta.dirname, '..');

/** As deep below the root as the sources, so that it finds what stands in other folders. In no package. */
export async function buildSeams(): Promise<void> {
  const folder = join(ROOT, 'test-results', 'seams');
  mkdirSync(folder, { recursive: true });
  const bundle = await rolldown({
    cwd: ROOT,
    input: join(ROOT, 'test', 'seams', 'main.ts'),
    platform: 'node',
    external: [/^node:/, 'bufferutil', 'utf-8-validate'],
    onLog: () => undefined,
  });
  await bundle.write({ dir: folder, format: 'esm', codeSplitting: false, entryFileNames: 'main.mjs' });
  await bundle.close();
}
