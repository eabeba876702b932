import { join } from 'node:path';
import { systemClock } from '../core/index.ts';
import type { LoadedConfig } from '../config/index.ts';
import type { ImportAnswer, ImportRequest } from '../edge/cli/import-ports.ts';
import { applyImport, planImport, readOriginal, type Original, type Present } from '../guard/import/index.ts';
import { fileExists } from '../host/files/file-exists.ts';
import { openForeignFolder } from '../host/files/foreign-folder.ts';
import { workspacePaths } from '../host/files/workspace-paths.ts';
import { createKeptScheduleStore } from '../host/storage/kept-schedule-store.ts';
import { openDatabase, type Database } from '../host/storage/index.ts';
import { createScriptStore } from '../host/storage/script-store.ts';
import { createSecretsStore } from '../host/storage/secrets-store.ts';
import { createUsersStore } from '../host/storage/users-store.ts';
import { analyseScript } from '../sandbox/analysis/index.ts';
import { openFoundation } from './foundation.ts';
import { announceFiles, placeFiles, presentFiles } from './import-files.ts';
import { adviceFor, notImported } from './import-words.ts';
import type { Parts } from './parts.ts';

const OPERATOR = { kind: 'operator' } as const;

/** Takes over what the original left, in a workspace in which nothing runs (the instance lock is taken). */
export async function importOriginal(
  loaded: LoadedConfig,
  parts: Parts,
  request: ImportRequest,
): Promise<ImportAnswer> {
  // All of it before the workspace is even made.
  const original = readOriginal(openForeignFolder(request.folder));
  const options = { user: request.user, acceptWeak: request.acceptWeak, now: systemClock.now() };
  const plan = (present: Present) => planImport(original, present, analyseScript, options);
  if (request.dryRun) {
    const items = withPresent(loaded, (present) => plan(present).items);
    return answer(original, items, true);
  }
  // A choice that is missing is told before a workspace is made, too.
  if (!fileExists(workspacePaths(loaded.config.workspace.path).database)) plan(presentIn(loaded, undefined));
  const base = openFoundation(loaded, parts);
  try {
    if (base.seal.sealed()) {
      await base.seal.unlock(request.passphrase ?? '', { principal: OPERATOR, origin: 'cli' });
    }
    const { database } = base;
    const planned = plan(presentIn(loaded, database));
    const kept = planned.items
      .filter(({ kind, state }) => kind === 'file' && state === 'present')
      .map(({ name }) => name);
    applyImport(
      planned,
      {
        ...base,
        users: createUsersStore(database),
        scripts: createScriptStore(database),
        schedules: createKeptScheduleStore(database),
      },
      OPERATOR,
      () => announceFiles(base, planned.files, kept),
    );
    const missed = placeFiles(base, planned.files);
    return answer(original, planned.items, false, missed);
  } finally {
    base.close();
  }
}

/** Before anything is opened for writing: beside a running instance too. */
function withPresent<T>(loaded: LoadedConfig, act: (present: Present) => T): T {
  const { database: path } = workspacePaths(loaded.config.workspace.path);
  if (!fileExists(path)) return act(presentIn(loaded, undefined));
  const database = openDatabase({ path, readOnly: true });
  try {
    return act(presentIn(loaded, database));
  } finally {
    database.close();
  }
}

function presentIn(loaded: LoadedConfig, database: Database | undefined): Present {
  const { named, referenced } = loaded.secrets;
  const files = presentFiles(workspacePaths(loaded.config.workspace.path));
  const none = { ...files, script: () => undefined, schedule: () => false, owner: () => undefined };
  const outside = (name: string) =>
    named.has(name) ? 'environment' : referenced.has(name) ? 'config' : undefined;
  if (database === undefined) return { ...none, secret: outside };
  const users = createUsersStore(database);
  const secrets = createSecretsStore(database);
  const scripts = createScriptStore(database);
  const schedules = createKeptScheduleStore(database);
  return {
    ...files,
    owner: () => users.list()[0]?.username,
    secret: (name) => (secrets.get(name) === undefined ? outside(name) : 'vault'),
    script(name) {
      const row = scripts.get(name);
      return row && (scripts.version(row.version)?.hash ?? '');
    },
    schedule: (id) => schedules.has(id),
  };
}

function answer(
  original: Original,
  items: ImportAnswer['items'],
  dryRun: boolean,
  missed: ReadonlyMap<string, string> = new Map(),
): ImportAnswer {
  return {
    dry_run: dryRun,
    from: original.path,
    items: items.map((item) => {
      const note = item.kind === 'file' ? missed.get(item.name) : undefined;
      return note === undefined ? item : { ...item, state: 'left_out', note };
    }),
    not_imported: notImported(original),
    advice: adviceFor(original, items, (path) => join(original.path, path)),
  };
}
