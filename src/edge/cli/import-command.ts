import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '../../core/index.ts';
import { connectControl } from './control-client.ts';
import type { ImportAnswer } from './import-ports.ts';
import { askSecrets, type InputStream } from './password-prompt.ts';
import type { CliCommands, CliConfig, CliFlags } from './ports.ts';
import { printable } from './printable.ts';
import { columns } from './text.ts';

export interface ImportCommandDeps<C extends CliConfig> {
  readonly commands: CliCommands<C>;
  readonly stdin: InputStream;
  readonly stderr: NodeJS.WritableStream;
  readonly print: (flags: CliFlags, value: unknown, lines: readonly string[]) => void;
}

type ImportFlags = CliFlags & {
  readonly dryRun?: boolean;
  readonly acceptWeak?: boolean;
  readonly user?: string;
};

export function describeImport<C extends CliConfig>(command: Command, deps: ImportCommandDeps<C>): void {
  const { commands, stdin, stderr, print } = deps;
  command
    .argument('<folder>', 'its workspace, or the folder secure/data in it')
    .option('--dry-run', 'only say what would happen')
    .option('--user <name>', 'who becomes the owner, where it has several users')
    .option('--accept-weak', 'also import secrets that are short, or words that everybody tries')
    .action(async (folder: string, flags: ImportFlags) => {
      const config = commands.load({ ...flags, paths: [folder] });
      const dryRun = flags.dryRun === true;
      if (!dryRun && (await connectControl(config.dataDir)) !== undefined) {
        throw new AppError({
          family: 'conflict',
          code: 'already_running',
          message: 'An OpenPact runs on this workspace; an import needs one in which nothing runs.',
          fix: 'Stop it, run this again, then start it.',
        });
      }
      const direct = commands.direct(config);
      try {
        const asks = !dryRun && direct.protection() === 'passphrase';
        const [passphrase] = asks ? await askSecrets(stdin, stderr, [{ question: 'Passphrase: ' }]) : [];
        const answer = await direct.import({
          folder: resolve(folder),
          dryRun,
          acceptWeak: flags.acceptWeak === true,
          user: flags.user,
          passphrase,
        });
        print(flags, answer, importLines(answer));
      } finally {
        direct.close();
      }
    });
}

export function importLines(answer: ImportAnswer): readonly string[] {
  const { items, not_imported: rest, advice } = answer;
  const from = printable(answer.from);
  const section = (title: string, state: ImportAnswer['items'][number]['state']): readonly string[] => {
    const rows = items.filter((item) => item.state === state);
    if (rows.length === 0) return [];
    const cells = rows.map(({ kind, name, note }) => [`  ${kind}`, printable(name), printable(note)]);
    return ['', title, ...columns(cells)];
  };
  const any = items.some(({ state }) => state === 'new');
  const head = answer.dry_run
    ? `This is what an import from ${from} would do. Nothing was changed.`
    : any
      ? `Imported from ${from}. Nothing in that folder was changed.`
      : `Nothing new in ${from}; nothing was changed.`;
  return [
    head,
    ...section(answer.dry_run ? 'Would be imported:' : 'Imported:', 'new'),
    ...section('There already, and left as it is:', 'present'),
    ...section('Left out:', 'left_out'),
    ...(rest.length === 0
      ? []
      : ['', 'Not imported:', ...rest.map(({ name, why }) => `  ${printable(name)}: ${printable(why)}`)]),
    ...(advice.length === 0
      ? []
      : ['', 'What to do now:', ...advice.map((text) => `  - ${printable(text)}`)]),
  ];
}
