/** Scripts on a real database and a real folder, with a runner that only notes what it was given. */
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  readdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AppError,
  silentLog,
  systemClock,
  type Clock,
  type Principal,
  type Redactor,
} from '../../src/core/index.ts';
import { createAudit } from '../../src/guard/audit/index.ts';
import {
  createScriptDecisions,
  createScriptLibrary,
  createScriptRuns,
  type Runner,
  type RunOrder,
  type RunPowers,
  type RunEnd,
  type RunsDeps,
  type ScriptFiles,
  type ScriptLibrary,
  type ScriptOptions,
  type Send,
} from '../../src/guard/scripts/index.ts';
import { fixedSecrets } from '../../src/guard/secrets/broker/index.ts';
import { createAuditStore, openDatabase } from '../../src/host/storage/index.ts';
import { createScriptRunStore } from '../../src/host/storage/script-run-store.ts';
import { createScriptStore } from '../../src/host/storage/script-store.ts';
import { analyseScript } from '../../src/sandbox/analysis/index.ts';
import { plainRedactor } from '../fakes/plain-redactor.ts';

export const OWNER: Principal = { kind: 'user', id: 'usr_1', name: 'owner' };
export const MODEL: Principal = { kind: 'assistant', turnId: 'trn_1', conversationId: 'cnv_1' };

export const hashOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

export interface ScriptBenchOptions {
  readonly options?: Partial<ScriptOptions>;
  readonly clock?: Clock;
  readonly redactor?: Redactor;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly send?: Send;
  /** What a run does; default: it ends at once with null. */
  readonly play?: (order: RunOrder, powers: RunPowers) => Promise<Partial<RunEnd>>;
  readonly boundHosts?: (name: string) => readonly string[] | undefined;
  readonly secretSettings?: RunsDeps['secretSettings'];
  readonly exec?: 'off' | 'pure' | 'approval';
  readonly execPerHour?: number;
  readonly sealed?: () => boolean;
}

export type ScriptBench = ReturnType<typeof openScriptBench>;

export function openScriptBench(given: ScriptBenchOptions = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'openpact-scripts-'));
  const folder = join(directory, 'ai-data');
  mkdirSync(join(folder, 'scripts'), { recursive: true });
  const database = openDatabase({ path: join(directory, 'openpact.db') });
  const clock = given.clock ?? systemClock;
  const redactor = given.redactor ?? plainRedactor;
  const auditStore = createAuditStore(database);
  const audit = createAudit({
    store: auditStore,
    database,
    clock,
    log: silentLog,
    redactor,
    key: new Uint8Array(32).fill(7),
    fresh: true,
  });
  const store = createScriptStore(database);
  const runStore = createScriptRunStore(database);
  const files = folderFiles(folder);
  const library = createScriptLibrary({
    store,
    files,
    database,
    audit,
    clock,
    log: silentLog,
    redactor,
    analyse: analyseScript,
    boundHosts: given.boundHosts ?? (() => undefined),
    options: { onChange: 'block', maxPending: 50, autoApprove: new Set(), ...given.options },
  });
  const decisions = createScriptDecisions({
    library,
    store,
    database,
    audit,
    clock,
    log: silentLog,
    redactor,
  });
  const orders: RunOrder[] = [];
  const runner: Runner = {
    async runScript(order, powers) {
      orders.push(order);
      const end = (await given.play?.(order, powers)) ?? {};
      return {
        value: null,
        error: null,
        logs: [],
        claimed: { steps: 1, memory: 1 },
        durationMs: 1,
        queuedMs: 0,
        ...end,
      };
    },
  };
  const runsWith = (over: ScriptLibrary, more: Partial<RunsDeps> = {}) =>
    createScriptRuns({
      library: over,
      decisions,
      store,
      runStore,
      runner,
      sealed: given.sealed ?? (() => false),
      secrets: fixedSecrets(new Map(Object.entries(given.secrets ?? {}))),
      secretSettings: given.secretSettings ?? { mayReach: () => true, used: () => undefined },
      send: given.send ?? (async () => ({ failed: 'connection_failed' })),
      database,
      audit,
      redactor,
      clock,
      log: silentLog,
      limits: {
        timeMs: 30_000,
        memoryBytes: 1 << 27,
        exec: given.exec ?? 'pure',
        execPerHour: given.execPerHour ?? 200,
      },
      ...more,
    });
  const runs = runsWith(library);
  return {
    database,
    audit,
    store,
    runStore,
    library,
    decisions,
    runs,
    /** Runs over a library with something left out. */
    runsWith,
    orders,
    runner,
    redactor,
    /** What another program does with the folder. */
    drop: (name: string, text: string | Uint8Array) =>
      writeFileSync(join(folder, 'scripts', `${name}.star`), text),
    onDisk: (name: string) => readFileSync(join(folder, 'scripts', `${name}.star`), 'utf8'),
    erase: (name: string) => unlinkSync(join(folder, 'scripts', `${name}.star`)),
    failWrites: (error: AppError | undefined) => void (files.failure = error),
    save: (name: string, source: string, by: Principal = MODEL) =>
      library.save({
        name,
        source,
        how: by.kind === 'user' ? 'page' : 'tool',
        by,
        origin: 'page',
        mustParse: true,
      }),
    run: (name: string, more: { args?: readonly never[]; signal?: AbortSignal } = {}) =>
      runs.run({ name, by: MODEL, origin: 'page', ...more }),
    events: (event: string) =>
      auditStore
        .list({ limit: 100_000 })
        .filter((row) => row.event === event)
        .map((row) => ({ ...row, details: JSON.parse(row.details) as Record<string, unknown> }))
        .toReversed(),
    close() {
      database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function folderFiles(folder: string): ScriptFiles & { failure: AppError | undefined } {
  const missing = (path: string) =>
    new AppError({ family: 'missing', code: 'not_found', message: `${path} is not there` });
  const self: ScriptFiles & { failure: AppError | undefined } = {
    failure: undefined,
    async read(path) {
      let bytes: Buffer;
      try {
        bytes = readFileSync(join(folder, path));
      } catch {
        throw missing(path);
      }
      if (bytes.includes(0))
        throw new AppError({ family: 'input', code: 'file_not_text', message: `${path} is no text` });
      return { text: bytes.toString('utf8'), bytes: bytes.length };
    },
    async write(path, text) {
      if (self.failure) throw self.failure;
      writeFileSync(join(folder, path), text);
      return { bytes: Buffer.byteLength(text) };
    },
    async list(path) {
      const names = readdirSync(join(folder, path));
      return {
        entries: names.map((name) => {
          const stats = statSync(join(folder, path, name));
          return { name, kind: 'file' as const, bytes: stats.size, modified: stats.mtime.toISOString() };
        }),
        truncated: false,
      };
    },
    async remove(path) {
      try {
        unlinkSync(join(folder, path));
        return { removed: true };
      } catch {
        return { removed: false };
      }
    },
  };
  return self;
}

/** The code of what was refused, by a value or an error; else `ok`. */
export async function codeOf(act: Promise<unknown>): Promise<string> {
  try {
    const value = (await act) as { ok?: boolean; code?: string } | undefined;
    return value?.ok === false ? String(value.code) : 'ok';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

/** Saves a text and approves it; its digest. */
export async function approved(
  made: ScriptBench,
  name: string,
  source: string,
  grant?: object,
): Promise<string> {
  await made.save(name, source);
  const { row, hash } = made.library.require(name);
  await made.decisions.approve(name, { hash, revision: row.revision, grant: grant as never }, OWNER);
  return hash;
}
