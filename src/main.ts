/** The product's composition root: the real parts, the surroundings of this process, the command line. */
import { readSurroundings } from './config/index.ts';
import { createCommands } from './compose/commands.ts';
import { withLastWords } from './compose/last-words.ts';
import { layoutOf } from './compose/layout.ts';
import { productParts } from './compose/parts.ts';
import { version } from './compose/version.ts';
import { runCli } from './edge/cli/index.ts';

const surroundings = readSurroundings(process.argv.slice(2));
const { argv } = surroundings;
const { stdin, stdout, stderr } = process;

const parts = withLastWords(productParts, process);
const commands = createCommands({
  layout: layoutOf(import.meta.dirname, version),
  parts,
  surroundings,
  folder: process.cwd(),
  stdout,
});
process.exitCode = await runCli({ argv, stdin, stdout, stderr, commands });
// Nothing may hold the process once its work is done.
process.exit();
