// Guarantees: every text that stood in `scripts/NAME.star` when somebody looked, and every one that came through a tool or
// the page, is a version under its digest, with who, when and by which door. A new text is never approved by itself, except
// a digest that the configuration pins. Looking at the folder and writing into it come one after the other for each script,
// so that no door overwrites what another one just brought without that being a version too.
// Does not: decide (`decisions.ts`), run (`runs.ts`), or notice a file before somebody looks.
// An attacker may control: names, texts, messages, the files in the folder, how often and in which order they come.
import {
  AppError,
  type Clock,
  type Log,
  type Origin,
  type Principal,
  principalText,
  type Redactor,
} from '../../core/index.ts';
import type { Transactions } from '../../host/storage/index.ts';
import type { ScriptHow, ScriptStore, ScriptVersionRow } from '../../host/storage/script-store.ts';
import type { Audit } from '../audit/index.ts';
import type { Analyse, Analysis, ScriptFiles } from './ports.ts';
import { checkSource, isText, MOST_SOURCE } from './check-source.ts';
import { exposedSecrets, requireNoSecret } from './exposed-secrets.ts';
import { readHeader, type ScriptHeader } from './header.ts';
import { createRecorder } from './record-version.ts';
import { fileOf, hashOf, scriptName } from './script-name.ts';
import { runnable, stateOf, type OnDisk, type Runnable, type ScriptState } from './state.ts';
import { createVersionFacts, type VersionFacts } from './version-facts.ts';

export interface ScriptOptions {
  /** What a changed file does to the approved version. */
  readonly onChange: 'block' | 'keep';
  /** Versions of the assistant that may wait for a decision. */
  readonly maxPending: number;
  /** Pinned digests that count as approved. */
  readonly autoApprove: ReadonlySet<string>;
}

export interface LibraryDeps {
  readonly store: ScriptStore;
  readonly files: ScriptFiles;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  readonly redactor: Redactor;
  readonly analyse: Analyse;
  /** Hosts that a secret may be sent to by its own settings; undefined: nothing is said. */
  readonly boundHosts: (secret: string) => readonly string[] | undefined;
  readonly options: ScriptOptions;
}

export interface Save {
  readonly name: string;
  readonly source: string;
  readonly how: ScriptHow;
  readonly by: Principal;
  readonly origin: Origin;
  readonly message?: string | undefined;
  /** Refuse (conflict) when the newest version is another; null: when there is one. Undefined: whatever is there. */
  readonly base?: string | null | undefined;
  /** Refuse a text that is no program. */
  readonly mustParse: boolean;
}

export interface ScriptLibrary {
  /**
   * Errors: `script_too_large`, `invalid_text`, `invalid_script`, `secret_in_source`, `too_many_pending`, `script_exists`,
   * `script_changed`.
   */
  save(save: Save): Promise<ScriptState>;
  /** Looks at the file of one script. */
  look(name: string, signal?: AbortSignal): Promise<void>;
  /** Looks at the folder; the number of scripts. `every`: reads each file, not only those that seem changed. */
  lookAll(every?: boolean): Promise<number>;
  /** After a look, with nothing between that look and `act` for this script. */
  inOrder<T>(name: string, act: () => Promise<T> | T): Promise<T>;
  state(name: string): ScriptState | undefined;
  /** Errors: `not_found`. */
  require(name: string): ScriptState;
  list(): readonly ScriptState[];
  runnable(name: string): Runnable;
  versions(name: string): readonly ScriptVersionRow[];
  /** Errors: `not_found`. */
  versionOf(name: string, hash: string): ScriptVersionRow;
  facts(hash: string): VersionFacts;
  /** Why this text can't be approved: static errors, and values of secrets that stand in it. */
  problems(hash: string): Analysis['problems'];
  restore(name: string, hash: string, by: Principal): Promise<ScriptState>;
  /** Removes the script and its file; its versions and runs stay. */
  remove(name: string, by: Principal): Promise<void>;
  /** Called after every stored change of a script. */
  onChange(listener: (name: string) => void): void;
  /** For whoever decides: tells the listeners once the running transaction is stored. */
  changed(name: string): void;
}

const MOST_VERSIONS = 500;
export function createScriptLibrary(deps: LibraryDeps): ScriptLibrary {
  const { store, files, database, audit, clock, log, redactor, options } = deps;
  const queues = new Map<string, Promise<unknown>>();
  const listeners: ((name: string) => void)[] = [];
  /** What is in the place of a file and no script; forgotten at the end, found again by a look. */
  const unreadable = new Map<string, string>();
  /** How the files looked when they were read. A hint for lists only. */
  const seen = new Map<string, string>();
  const facts = createVersionFacts(deps);

  async function alone<T>(name: string, act: () => Promise<T>): Promise<T> {
    const before = queues.get(name) ?? Promise.resolve();
    const mine = before.then(act, act);
    const settled = mine.catch(() => undefined);
    queues.set(name, settled);
    try {
      return await mine;
    } finally {
      if (queues.get(name) === settled) queues.delete(name);
    }
  }

  function changed(name: string): void {
    database.afterCommit(() => {
      const faults: unknown[] = [];
      for (const listener of listeners) {
        try {
          listener(name);
        } catch (error) {
          // Whoever ends runs must hear of it, whatever another one makes of it.
          faults.push(error);
        }
      }
      if (faults.length > 0) throw faults[0];
    });
  }

  const record = createRecorder({
    store,
    audit,
    clock,
    redactor,
    autoApprove: options.autoApprove,
    facts,
    changed,
  });

  /** The file as it is now, inside the queue of its script. */
  async function lookNow(name: string, signal?: AbortSignal): Promise<void> {
    const row = store.get(name);
    let text: string | undefined;
    try {
      ({ text } = await files.read(fileOf(name), signal));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.family !== 'missing') {
        // No file child, a stop: that says nothing about the file.
        if (
          ![
            'file_not_text',
            'file_too_large',
            'file_is_folder',
            'file_link',
            'file_hard_link',
            'file_special',
          ].includes(error.code)
        )
          throw error;
        unreadable.set(name, error.code);
        return;
      }
    }
    if (text !== undefined && (Buffer.byteLength(text) > MOST_SOURCE || !isText(text))) {
      unreadable.set(name, 'script_too_large');
      return;
    }
    unreadable.delete(name);
    if (text === undefined) {
      if (row === undefined || row.on_disk === null) return;
      if (row.on_disk === '') return writeOut(name);
      database.tx(() => {
        store.put({ ...row, on_disk: null, revision: row.revision + 1 });
        audit.append({
          event: 'script.file_gone',
          principal: { kind: 'system' },
          origin: 'system',
          target: name,
          outcome: 'ok',
          details: {},
        });
        changed(name);
      });
      return;
    }
    const hash = hashOf(text);
    if (row?.on_disk === hash) return;
    const newest = row && store.version(row.version);
    if (row && newest?.hash === hash) {
      store.put({ ...row, on_disk: hash });
      return;
    }
    // A write that did not come to its end: the file is still the one before it.
    if (row?.on_disk === '' && newest?.parent === hash) return writeOut(name);
    const source = text;
    database.tx(() => record(row, { name, source, how: 'folder', by: undefined, origin: 'system' }, hash));
  }

  async function writeOut(name: string): Promise<void> {
    const row = store.get(name);
    const version = row && store.version(row.version);
    if (!row || !version) return;
    await files.write(fileOf(name), facts(version.hash).source);
    const now = store.get(name);
    if (now?.version === version.id) store.put({ ...now, on_disk: version.hash });
    unreadable.delete(name);
  }

  function state(name: string): ScriptState | undefined {
    const row = store.get(name);
    const version = row && store.version(row.version);
    if (!row || !version) return undefined;
    const onDisk: OnDisk = unreadable.has(name) ? 'unreadable' : row.on_disk === null ? 'missing' : 'same';
    return stateOf(row, version, headerOf(version.hash), onDisk);
  }

  /** Of a text that is damaged nothing is known; it is listed, and its power can be taken away, all the same. */
  function headerOf(hash: string): ScriptHeader {
    try {
      return facts(hash).header;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return readHeader('');
    }
  }

  function require(name: string): ScriptState {
    const found = state(name);
    if (found) return found;
    throw new AppError({
      family: 'missing',
      code: 'not_found',
      message: `There is no script ${name}.`,
      fix: 'Look at the list of scripts: it was deleted, or has another name.',
    });
  }

  function versionOf(name: string, hash: string): ScriptVersionRow {
    const version = store.versionOf(name, hash);
    if (version) return version;
    throw new AppError({
      family: 'missing',
      code: 'not_found',
      message: `There is no version ${hash} of ${name}.`,
      fix: 'Take one that stands in its history.',
    });
  }

  function checkRoom(save: Save): void {
    if (save.by.kind !== 'assistant' || store.countPending() < options.maxPending) return;
    audit.note({
      event: 'script.refused',
      principal: save.by,
      origin: save.origin,
      target: save.name,
      outcome: 'refused',
      details: { code: 'too_many_pending', most: options.maxPending },
    });
    throw new AppError({
      family: 'limit',
      code: 'too_many_pending',
      message: `${options.maxPending} versions of scripts wait for the owner already; this one was not saved.`,
      fix: 'Ask the owner to decide on them first.',
    });
  }

  async function saveNow(save: Save): Promise<ScriptState> {
    const { name, source } = save;
    const row = store.get(name);
    const newest = row && store.version(row.version);
    if (save.base === null && row && row.on_disk !== null)
      throw new AppError({
        family: 'conflict',
        code: 'script_exists',
        message: `There is a script ${name} already.`,
        fix: 'Change that one, or take another name.',
      });
    if (typeof save.base === 'string' && save.base !== newest?.hash)
      throw new AppError({
        family: 'conflict',
        code: 'script_changed',
        message: `${name} was changed meanwhile; nothing was saved.`,
        fix: 'Look at it as it is now.',
        details: { hash: newest?.hash ?? null },
      });
    const hash = hashOf(source);
    // The same text once more is no new version, unless it is restored.
    const same = newest?.hash === hash && save.how !== 'restored';
    if (!same) {
      checkRoom(save);
      // Before the file: what stands in the folder is never newer than what is known.
      database.tx(() => record(store.get(name), save, ''));
    }
    if (!same || row?.on_disk !== hash) await writeOut(name);
    return require(name);
  }

  async function inOrder<T>(name: string, act: () => Promise<T> | T): Promise<T> {
    return alone(name, async () => {
      await lookNow(name);
      return act();
    });
  }

  return {
    async save(save) {
      checkSource(save, deps.analyse);
      requireNoSecret(save.source, redactor);
      return inOrder(save.name, () => saveNow(save));
    },
    look: (name, signal) => alone(name, () => lookNow(name, signal)),
    async lookAll(every = false) {
      const { entries } = await files.list('scripts').catch((error: unknown) => {
        if (error instanceof AppError && error.family === 'missing') return { entries: [] };
        throw error;
      });
      const present = new Set<string>();
      for (const { name: file, kind, bytes, modified } of entries) {
        const name = file.endsWith('.star') ? scriptName(file) : undefined;
        if (kind !== 'file' || name === undefined) continue;
        present.add(name);
        const look = `${bytes} ${modified}`;
        if (!every && seen.get(name) === look && store.get(name)) continue;
        try {
          await alone(name, () => lookNow(name));
          seen.set(name, look);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          log.warn('a script could not be looked at', { script: name, problem: error.message });
        }
      }
      const rows = store.all();
      for (const { name, on_disk } of rows)
        if (!present.has(name) && on_disk !== null) await alone(name, () => lookNow(name));
      return store.all().length;
    },
    inOrder,
    state,
    require,
    list: () => store.all().flatMap(({ name }) => state(name) ?? []),
    runnable: (name) => runnable(state(name), name, { now: clock.now(), onChange: options.onChange }),
    versions: (name) => store.versions(name, MOST_VERSIONS),
    versionOf,
    facts,
    problems: (hash) => [...facts(hash).analysis.problems, ...exposedSecrets(facts(hash).source, redactor)],
    async restore(name, hash, by) {
      versionOf(name, hash);
      const { source } = facts(hash);
      return inOrder(name, () =>
        saveNow({
          name,
          source,
          how: 'restored',
          by,
          origin: 'page',
          message: `Restored ${hash}`,
          mustParse: false,
        }),
      );
    },
    async remove(name, by) {
      require(name);
      await alone(name, async () => {
        const { hash } = require(name);
        database.tx(() => {
          store.remove(name);
          store.withdraw(name, clock.now(), principalText(by));
          store.clearOffers(name);
          store.forgetDismissed(name);
          audit.append({
            event: 'script.deleted',
            principal: by,
            origin: 'page',
            target: name,
            outcome: 'ok',
            details: { hash },
          });
          changed(name);
        });
        await files.remove(fileOf(name));
        unreadable.delete(name);
        seen.delete(name);
      });
    },
    onChange: (listener) => void listeners.push(listener),
    changed,
  };
}
