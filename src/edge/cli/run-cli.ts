import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { AppError, errorText } from '../../core/index.ts';
import { filterOf, withAuditFilters, type AuditFilterFlags } from './audit-filter-flags.ts';
import { connectControl } from './control-client.ts';
import { describeImport } from './import-command.ts';
import { askNewPassword, askSecrets, type InputStream } from './password-prompt.ts';
import { EXIT, type CliCommands, type CliConfig, type CliFlags, type ControlHandlers } from './ports.ts';
import { printable } from './printable.ts';
import { describeScriptTest } from './script-test.ts';
import { auditLines, settingLines, verdictLine } from './text.ts';

export interface CliDeps<C extends CliConfig> {
  /** Without the program's own name. */
  readonly argv: readonly string[];
  readonly stdin: InputStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly commands: CliCommands<C>;
}

/** Carries out one command line. Never rejects; resolves to the exit code (L-03). */
export async function runCli<C extends CliConfig>(deps: CliDeps<C>): Promise<number> {
  const { stdout, stderr } = deps;
  // A reader that has seen enough (`| head`) is no error of ours.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  const json = deps.argv.includes('--json');
  let code: number = EXIT.ok;
  const program = describeCommands(deps, (exit) => (code = exit));
  try {
    await program.parseAsync([...deps.argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version were asked for, and commander has printed them; everything else is a wrong command line.
      if (error.exitCode === 0) return EXIT.ok;
      if (json) stdout.write(`${JSON.stringify({ error: 'usage', message: plainUsage(error) })}\n`);
      return EXIT.usage;
    }
    return reportFailure(error, json, deps);
  }
}

function reportFailure(error: unknown, json: boolean, { stdout, stderr }: CliDeps<CliConfig>): number {
  const known = error instanceof AppError;
  const code = known ? error.code : 'internal';
  const message = known ? error.message : `An error of our own: ${errorText(error)}`;
  const fix = known ? error.fix : undefined;
  if (json) {
    stdout.write(`${JSON.stringify({ error: code, message, fix, ...(known ? error.details : {}) })}\n`);
  } else {
    stderr.write(`${printable(message, 'keep')}\n`);
    if (fix !== undefined) stderr.write(`What to do: ${printable(fix, 'keep')}\n`);
  }
  if (!known && error instanceof Error && !json) stderr.write(`${error.stack ?? ''}\n`);
  if (code === 'isolation_too_low') return EXIT.isolation;
  return known && error.family === 'config' ? EXIT.config : EXIT.failed;
}

function describeCommands<C extends CliConfig>(deps: CliDeps<C>, exit: (code: number) => void): Command {
  const { commands, stdout, stderr } = deps;
  const program = new Command('openpact')
    .description('Run your own AI assistant without having to trust it.')
    .version(commands.version, '-V, --version')
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .exitOverride()
    .showHelpAfterError('What to do: look at "openpact --help".');

  const common = (command: Command): Command =>
    command
      .option('--workspace <folder>', 'the workspace')
      .option('--config <file>', 'the configuration, instead of secure/config.yaml of the workspace')
      .option('--json', 'answer in JSON');
  /** One JSON value or some lines of text on stdout. */
  const print = (flags: CliFlags, value: unknown, lines: readonly string[]): void => {
    stdout.write(flags.json === true ? `${JSON.stringify(value)}\n` : `${lines.join('\n')}\n`);
  };
  /** The running instance, else the workspace itself. */
  const act = async <T>(
    flags: CliFlags,
    does: (handlers: Pick<ControlHandlers, 'auditVerify' | 'auditList' | 'resetPassword'>) => Promise<T>,
  ): Promise<T> => {
    const config = commands.load(flags);
    const running = await connectControl(config.dataDir);
    if (running !== undefined) return does(running);
    const direct = commands.direct(config);
    try {
      return await does(direct);
    } finally {
      direct.close();
    }
  };

  common(program.command('start').alias('serve').description('start the assistant and its page'))
    .option('--port <number>', 'port of the page', wholeNumber(0, 65_535))
    .action(async (flags: CliFlags) => exit(await commands.start(commands.load(flags), flags)));

  common(
    program
      .command('doctor')
      .description('try every control now, on a trial of its own, and say which holds'),
  ).action(async (flags: CliFlags) => exit(await commands.doctor(commands.load(flags), flags)));

  common(program.command('version').description('print the version, and that of a running instance')).action(
    async (flags: CliFlags) => {
      const running = await runningVersion(commands, flags);
      const lines = [`OpenPact ${commands.version}`];
      if (running !== null) lines.push(`Running: ${running.version}, process ${running.pid}`);
      print(flags, { version: commands.version, running }, lines);
    },
  );

  const config = program.command('config').description('look at the configuration');
  common(config.command('check').description('find every problem')).action((flags: CliFlags) => {
    const { notices } = commands.load(flags);
    print(flags, { ok: true, notices }, [
      ...notices.map((text) => printable(text)),
      'The configuration is valid.',
    ]);
  });
  common(config.command('show').description('print what is in force, with where it comes from')).action(
    async (flags: CliFlags) => {
      const loaded = commands.load(flags);
      const running = await connectControl(loaded.dataDir);
      const settings = running === undefined ? loaded.settings() : (await running.configShow()).settings;
      print(flags, { running: running !== undefined, settings }, [
        ...(running === undefined ? [] : ['In force in the running instance:']),
        ...settingLines(settings),
      ]);
    },
  );

  const audit = program.command('audit').description('look at the audit log');
  common(audit.command('verify').description('check that nothing was changed or removed')).action(
    async (flags: CliFlags) => {
      const verdict = await act(flags, (handlers) => handlers.auditVerify());
      print(flags, verdict, [verdictLine(verdict)]);
      if (!verdict.ok) exit(EXIT.failed);
    },
  );
  withAuditFilters(common(audit.command('list').description('print the newest entries')))
    .option('--limit <number>', 'how many', wholeNumber(1, 10_000), 50)
    .action(async (flags: CliFlags & AuditFilterFlags & { readonly limit: number }) => {
      const query = { ...filterOf(flags), limit: flags.limit };
      const { entries } = await act(flags, (handlers) => handlers.auditList(query));
      print(flags, { entries }, auditLines(entries));
    });

  describeScriptTest(program, { stdout, stderr, run: (request) => commands.scriptTest(request) });

  describeImport(
    common(
      program
        .command('import')
        .description('take over users, secrets, scripts and schedules of the original OpenPact'),
    ),
    { commands, stdin: deps.stdin, stderr, print },
  );

  const user = program.command('user').description('manage the users of the page');
  common(user.command('reset-password').description('set a new password and end all logins of the user'))
    .option('--username <name>', 'whose; not needed when there is one user')
    .action(async (flags: CliFlags & { readonly username?: string }) => {
      const done = await act(flags, async (handlers) => {
        const password = await askNewPassword(deps.stdin, stderr);
        return handlers.resetPassword({ username: flags.username, password });
      });
      const logins = done.ended_logins === 1 ? 'one login was' : `${done.ended_logins} logins were`;
      print(flags, done, [`The password of ${printable(done.username)} was changed; ${logins} ended.`]);
    });

  const vault = program.command('vault').description('the vault of secrets');
  const running = async (flags: CliFlags): Promise<ControlHandlers> => {
    const found = await connectControl(commands.load(flags).dataDir);
    if (found !== undefined) return found;
    throw new AppError({
      family: 'missing',
      code: 'not_running',
      message: 'No OpenPact runs on this workspace.',
      fix: 'Start it first: openpact start.',
    });
  };
  common(vault.command('status').description('whether it is sealed, and where its key comes from')).action(
    async (flags: CliFlags) => {
      const state = await (await running(flags)).vaultStatus();
      print(flags, state, [
        `The vault is ${state.sealed ? 'sealed' : 'open'}; its key ${PROTECTIONS[state.protection]}.`,
      ]);
    },
  );
  common(vault.command('unlock').description('open the vault of a running instance')).action(
    async (flags: CliFlags) => {
      const instance = await running(flags);
      if ((await instance.vaultStatus()).sealed) {
        const [passphrase = ''] = await askSecrets(deps.stdin, stderr, [{ question: 'Passphrase: ' }]);
        await instance.vaultUnlock({ passphrase });
      }
      print(flags, { sealed: false }, ['The vault is open.']);
    },
  );

  common(
    vault.command('lock').description('end what runs and forget the key, until somebody unlocks it'),
  ).action(async (flags: CliFlags) => {
    print(flags, await (await running(flags)).vaultLock(), ['The vault is sealed.']);
  });

  const secrets = program.command('secrets').description('manage stored secrets');
  common(secrets.command('rekey').description('seal everything stored under a new master key'))
    .option('--to <place>', 'file or passphrase: what the new key stands under', oneOf('file', 'passphrase'))
    .option('--new-key-file <file>', 'the new key, where the present one comes from outside')
    .action(
      async (flags: CliFlags & { readonly to?: 'file' | 'passphrase'; readonly newKeyFile?: string }) => {
        const config = commands.load(flags);
        if ((await connectControl(config.dataDir)) !== undefined) {
          throw new AppError({
            family: 'conflict',
            code: 'already_running',
            message: 'An OpenPact runs on this workspace; the key can be changed only where nothing runs.',
            fix: 'Stop it, run this again, then start it.',
          });
        }
        const direct = commands.direct(config);
        try {
          const present = direct.protection();
          const to = flags.to ?? (present === 'passphrase' ? 'passphrase' : 'file');
          const outside = flags.newKeyFile === undefined ? {} : { newKeyFile: resolve(flags.newKeyFile) };
          const wanted = [
            ...(present === 'passphrase' ? [{ question: 'Present passphrase: ' }] : []),
            ...(to === 'passphrase' && present !== 'external'
              ? [{ question: 'New passphrase: ', twice: true }]
              : []),
          ];
          const answers = wanted.length === 0 ? [] : [...(await askSecrets(deps.stdin, stderr, wanted))];
          const passphrase = present === 'passphrase' ? answers.shift() : undefined;
          const done = await direct.rekey({ to, passphrase, newPassphrase: answers.shift(), ...outside });
          const records = done.resealed === 1 ? 'One record was' : `${done.resealed} records were`;
          print(flags, done, [
            `${records} sealed under a new key; it ${PROTECTIONS[done.protection]}.`,
            ...(done.damaged === 0 ? [] : [`${done.damaged} did not open and were left as they were.`]),
            ...(done.protection === 'external'
              ? ['Name the new file in OPENPACT_MASTER_KEY_FILE from now on.']
              : []),
            'Backups from before still open with the key from before.',
          ]);
        } finally {
          direct.close();
        }
      },
    );
  return program;
}

const PROTECTIONS = {
  key_file: 'stands in secure/data/master_key',
  external: 'comes from outside',
  passphrase: 'is under a passphrase',
} as const;

function oneOf(...values: readonly string[]): (text: string) => string {
  return (text) => {
    if (values.includes(text)) return text;
    throw new InvalidArgumentError(`It must be ${values.join(' or ')}.`);
  };
}

async function runningVersion<C extends CliConfig>(
  commands: CliCommands<C>,
  flags: CliFlags,
): Promise<{ readonly version: string; readonly pid: number } | null> {
  try {
    return (await (await connectControl(commands.load(flags).dataDir))?.version()) ?? null;
  } catch (error) {
    // A broken configuration or a hanging instance must not keep anybody from learning the version.
    if (error instanceof AppError) return null;
    throw error;
  }
}

function wholeNumber(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    if (value >= from && value <= to) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${from} to ${to}.`);
  };
}

function plainUsage(error: CommanderError): string {
  return error.message.replace(/^error: /, '');
}
