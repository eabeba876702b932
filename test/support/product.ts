import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '..', '..');
/** `npm test` builds bundles first and tries those, which start three times as fast; a single test file tries the sources. */
const bundled = process.env['OPENPACT_TEST_BUNDLE'] === '1';
/** What `openpact` is. */
export const PRODUCT = bundled ? join(ROOT, 'dist', 'openpact.js') : join(ROOT, 'src', 'main.ts');
/** The same with controls that can be left out. */
export const SEAMS = bundled
  ? join(ROOT, 'test-results', 'seams', 'main.mjs')
  : join(ROOT, 'test', 'seams', 'main.ts');
/** Looks into a workspace in which nothing runs. */
export const VAULT_LOOK = bundled
  ? join(ROOT, 'test-results', 'seams', 'vault-look.mjs')
  : join(ROOT, 'test', 'support', 'vault-look.ts');
/**
 * Arguments of Node in front of a program, for one whose login passwords need not cost what they cost (see there). Not by
 * its path: the user that OpenPact becomes may not get there.
 */
export const QUICK_PASSWORDS: readonly string[] = [
  '--import',
  `data:text/javascript,${encodeURIComponent(readFileSync(join(ROOT, 'test', 'seams', 'quick-passwords.mjs'), 'utf8'))}`,
];
