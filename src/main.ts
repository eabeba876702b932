/** The product's composition root: the real parts, the surroundings of this process, the command line. */
import { readSurroundings } from './config/index.ts';
import { createCommands } from './compose/commands.ts';
import { layoutOf } from './compose/layout.ts';
import { productParts } from './compose/parts.ts';
import { version } from './compose/version.ts';
import { runCli } from './edge/cli/index.ts';

const surroundings = readSurroundings(process.argv.slice(2));
const { argv } = surroundings;
const { stdin, stdout, stderr } = process;

// What nobody caught is a bug: the state is not to be trusted any more, and everything is made to survive a sudden end.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    stderr.write(
      `OpenPact ended because of an error of its own: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exit(1);
  });
}

const commands = createCommands({
  layout: layoutOf(import.meta.dirname, version),
  parts: productParts,
  surroundings,
  folder: process.cwd(),
  stdout,
});
process.exitCode = await runCli({ argv, stdin, stdout, stderr, commands });
// Nothing may hold the process once its work is done.
process.exit();
