import {
  askedToStop,
  EXIT,
  startBanner,
  wantsColor,
  type CliCommands,
  type CliConfig,
  type DirectHandlers,
} from '../edge/cli/index.ts';
import { describeConfig, loadConfig, type LoadedConfig, type Surroundings } from '../config/index.ts';
import { newestRows, verifyChain } from '../guard/audit/index.ts';
import { createIdentity } from '../guard/identity/index.ts';
import { parsePassphraseBox } from '../guard/secrets/index.ts';
import { createPrivateFile } from '../host/files/index.ts';
import { workspacePaths } from '../host/files/workspace-paths.ts';
import { createAuditStore } from '../host/storage/index.ts';
import { createLoginStore } from '../host/storage/login-store.ts';
import { createUsersStore } from '../host/storage/users-store.ts';
import { isolationSentence } from '../host/process/index.ts';
import { auditView } from './audit-port.ts';
import { controlHandlers } from './control.ts';
import { doctorAnswer, examine } from './doctor/doctor.ts';
import { doctorScreen } from './doctor/screen.ts';
import { importOriginal } from './import-command.ts';
import { openAuditReadOnly, openFoundation } from './foundation.ts';
import type { Layout } from './layout.ts';
import type { Parts } from './parts.ts';
import { rekeyWorkspace } from './rekey-command.ts';
import { startProgram } from './program.ts';
import { leaveRoot } from './root-start.ts';
import { testScript } from './script-test.ts';

const SEALED =
  'The vault is sealed, so nothing runs yet: enter its passphrase on the page, or run "openpact vault unlock".';

export interface CommandsDeps {
  readonly layout: Layout;
  readonly parts: Parts;
  readonly surroundings: Surroundings;
  /** Relative paths are relative to this. */
  readonly folder: string;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

interface Loaded extends CliConfig {
  readonly loaded: LoadedConfig;
}

/** How long a stop may take before the process ends all the same, in milliseconds. */
const STOP_DEADLINE_MS = 10_000;

/** What the verbs of the command line do. */
export function createCommands(deps: CommandsDeps): CliCommands<Loaded> {
  const { layout, parts, folder, stdout } = deps;
  const { surroundings } = deps;
  const { environment } = surroundings;
  return {
    version: layout.version,
    load(flags) {
      const options = { flags, environment, surroundings, folder, workspaceDefault: 'workspace' };
      leaveRoot({ ...options, paths: flags.paths }, surroundings);
      const loaded = loadConfig(options);
      const paths = workspacePaths(loaded.config.workspace.path);
      return {
        loaded,
        dataDir: paths.data,
        workspace: paths.root,
        notices: loaded.notices,
        settings: () => describeConfig(loaded),
      };
    },
    async start({ loaded }, flags) {
      const stop = askedToStop(STOP_DEADLINE_MS);
      const program = await startProgram(loaded, parts, layout);
      const { address, setup, workspace, isolation } = program;
      if (flags.json === true) {
        stdout.write(
          `${JSON.stringify({ started: true, address, setup_code: setup?.code ?? null, workspace, isolation: isolation.level })}\n`,
        );
      } else {
        stdout.write(
          startBanner(
            {
              version: layout.version,
              address,
              workspace,
              setup,
              isolation: {
                level: isolation.level,
                summary: isolationSentence(isolation.level),
                missing: isolation.missing,
              },
              notes: [...loaded.notices, ...(program.inside.base.seal.sealed() ? [SEALED] : [])],
            },
            wantsColor(stdout, environment),
          ),
        );
      }
      await program.stop(await stop);
      return 0;
    },
    async doctor({ loaded, workspace }, { json }) {
      const examined = await examine({ loaded, parts, layout });
      const text =
        json === true ? JSON.stringify(doctorAnswer(examined)) : doctorScreen(examined, workspace).join('\n');
      stdout.write(`${text}\n`);
      return examined.ok ? EXIT.ok : EXIT.failed;
    },
    scriptTest: (request) => testScript(request, layout),
    direct: ({ loaded }) => directHandlers(loaded, parts, layout),
  };
}

/** The same acts where nothing runs: the log is only read; a new password takes the instance lock. */
function directHandlers(loaded: LoadedConfig, parts: Parts, layout: Layout): DirectHandlers {
  const paths = workspacePaths(loaded.config.workspace.path);
  const reading = <T>(act: (store: ReturnType<typeof createAuditStore>, key: Uint8Array | null) => T): T => {
    const { database, key } = openAuditReadOnly(paths, loaded.secrets.get('OPENPACT_MASTER_KEY')?.reveal());
    const result = act(createAuditStore(database), key);
    if (result instanceof Promise) return result.finally(() => database.close()) as T;
    database.close();
    return result;
  };
  return {
    auditVerify: async () => reading((store, key) => verifyChain(store, key)),
    auditList: (query) =>
      reading(async (store) => ({ entries: (await newestRows(store, query)).map(auditView) })),
    async resetPassword(request) {
      const base = openFoundation(loaded, parts);
      try {
        const users = createUsersStore(base.database);
        const nothing = async (): Promise<void> => undefined;
        const identity = createIdentity({
          ...base,
          users,
          logins: createLoginStore(base.database),
          key: base.tokenKey,
          codeFile: { write: nothing, remove: nothing },
          profileWriter: { write: nothing },
        });
        return await controlHandlers({
          version: layout.version,
          loaded,
          audit: base.audit,
          auditStore: createAuditStore(base.database),
          identity,
          users,
          seal: base.seal,
        }).resetPassword(request);
      } finally {
        base.close();
      }
    },
    protection() {
      if (loaded.secrets.get('OPENPACT_MASTER_KEY') !== undefined) return 'external';
      const texts = [paths.masterKey, paths.nextMasterKey].map((path) => createPrivateFile(path).read());
      // After a rekey that was cut off either may count; with both under a passphrase it is asked for.
      return texts.some((text) => text !== undefined && parsePassphraseBox(text) !== undefined)
        ? 'passphrase'
        : 'key_file';
    },
    rekey: (request) => rekeyWorkspace(loaded, parts, request),
    import: (request) => importOriginal(loaded, parts, request),
    close: () => undefined,
  };
}
