/**
 * The second composition root. It is in no package and nothing in the product imports it: here single controls can be left
 * out, so that the attack tests can show that each one is there for a reason. Usage: as src/main.ts, with
 * `--off=NAME,...`, `--agent=FILE` and `--internet=FILE` in front.
 */
import { join, resolve } from 'node:path';
import { readSurroundings } from '../../src/config/index.ts';
import { createCommands } from '../../src/compose/commands.ts';
import { withLastWords } from '../../src/compose/last-words.ts';
import { layoutOf } from '../../src/compose/layout.ts';
import { runCli } from '../../src/edge/cli/index.ts';
import { isSeam, weakened, type Seam } from './weakened.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const BUNDLED = import.meta.filename.endsWith('.mjs');
const all = process.argv.slice(2);
const option = (name: string): string | undefined =>
  all.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const off: Seam[] = [];
for (const name of (option('off') ?? '').split(',').filter((text) => text !== '')) {
  if (!isSeam(name)) throw new Error(`there is no control ${name}`);
  off.push(name);
}
const surroundings = readSurroundings(all.filter((arg) => !/^--(off|agent|internet)=/.test(arg)));
const { stdin, stdout, stderr } = process;
// A bug whose message holds this text, when the test asks for it.
const message = process.env['SEAM_BUG'];
if (message !== undefined) {
  process.on('SIGUSR2', () => {
    throw new Error(message);
  });
}
const commands = createCommands({
  layout: layoutOf(join(ROOT, BUNDLED ? 'dist' : 'src'), '0.0.0-seams'),
  parts: withLastWords(weakened(off, option('agent'), option('internet')), process),
  surroundings,
  folder: process.cwd(),
  stdout,
});
process.exitCode = await runCli({ argv: surroundings.argv, stdin, stdout, stderr, commands });
process.exit();
