/**
 * What the tests start besides the product, as one file each, for `npm test`: a start from source costs two seconds of
 * work more.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const ROOT = join(import.meta.dirname, '..');
/** The bundle's name and the file that it starts from. */
const PROGRAMS: Readonly<Record<string, string>> = {
  // The second composition root, of the attack tests.
  'main.mjs': 'test/seams/main.ts',
  'vault-look.mjs': 'test/support/vault-look.ts',
};

/** As deep below the root as the sources, so that they find what stands in other folders. In no package. */
export async function buildSeams(): Promise<void> {
  const folder = join(ROOT, 'test-results', 'seams');
  mkdirSync(folder, { recursive: true });
  for (const [name, entry] of Object.entries(PROGRAMS)) {
    const bundle = await rolldown({
      cwd: ROOT,
      input: join(ROOT, entry),
      platform: 'node',
      external: [/^node:/, 'bufferutil', 'utf-8-validate'],
      onLog: () => undefined,
    });
    await bundle.write({ dir: folder, format: 'esm', codeSplitting: false, entryFileNames: name });
    await bundle.close();
  }
}
