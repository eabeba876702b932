// Guarantees: of SOUL.md, USER.md, MEMORY.md and the notes in `memory/`, every text that was written through the page or by
// a tool is kept, and so is what stood there before such a write. The owner writes over what they saw or not at all: writes
// of both sides to one file come one after the other, and the digest is compared in between. An owner's write has an intent
// in the audit log first, and its version and its entry are one transaction.
// Does not: see what another program writes into these files before the next write or look; a change of another program in
// the milliseconds between the comparison and the write is overwritten. Not keep more than the limits below. Not redact:
// these are the owner's own words.
// An attacker may control: paths and texts that a tool writes; who has a session, those of the page.
import { createHash } from 'node:crypto';
import {
  AppError,
  errorText,
  principalText,
  type Clock,
  type FilePowers,
  type Log,
  type Principal,
} from '../../core/index.ts';
import type { Transactions } from '../../host/storage/index.ts';
import type {
  FileVersionHow,
  FileVersionRow,
  FileVersionStore,
} from '../../host/storage/file-version-store.ts';
import type { Audit } from '../audit/index.ts';
import { keptKind, type KeptKind } from './kept-path.ts';

export interface KeptFile {
  readonly path: string;
  readonly kind: KeptKind;
  readonly exists: boolean;
  readonly bytes: number;
  /** ISO time; null where there is no file. */
  readonly modified: string | null;
  readonly versions: number;
}

export interface KeptText {
  readonly path: string;
  readonly kind: KeptKind;
  readonly text: string;
  readonly bytes: number;
  /** SHA-256 of the text in hex; null where there is no file. */
  readonly digest: string | null;
  /** Newest first. */
  readonly versions: readonly FileVersionRow[];
}

export interface KeptFiles {
  /** What tools write with: the same powers, and the versions are kept. */
  readonly powers: FilePowers;
  list(): Promise<readonly KeptFile[]>;
  /** Errors: `not_found`, and what reading refuses. */
  read(path: string): Promise<KeptText>;
  version(path: string, id: number): FileVersionRow & { readonly text: string };
  /**
   * Writes as the owner. `digest` is that of the text that was changed, null for a file that was not there.
   * Errors: `file_conflict` (conflict), `invalid_text` (input), and what writing refuses.
   */
  write(
    path: string,
    change: { readonly text: string; readonly digest: string | null },
    by: Principal,
  ): Promise<KeptText>;
  /** Writes what a version says, under the same rule. */
  restore(
    path: string,
    change: { readonly version: number; readonly digest: string | null },
    by: Principal,
  ): Promise<KeptText>;
}

export interface KeptFilesDeps {
  readonly files: FilePowers;
  readonly store: FileVersionStore;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: { readonly perPath: number; readonly bytes: number };
}

/** Versions of one file, and bytes of all texts together. */
const LIMITS = { perPath: 200, bytes: 64 * 1024 * 1024 };
const FIXED = ['SOUL.md', 'USER.md', 'MEMORY.md'];

export function createKeptFiles(deps: KeptFilesDeps): KeptFiles {
  const { files, store, database, audit, clock, log, limits = LIMITS } = deps;
  const queues = new Map<string, Promise<unknown>>();

  /** Those who write one file come one after the other. */
  async function alone<T>(path: string, act: () => Promise<T>): Promise<T> {
    const before = queues.get(path) ?? Promise.resolve();
    const mine = before.then(act, act);
    const settled = mine.catch(() => undefined);
    queues.set(path, settled);
    try {
      return await mine;
    } finally {
      if (queues.get(path) === settled) queues.delete(path);
    }
  }

  async function current(path: string, signal?: AbortSignal): Promise<string | null> {
    try {
      return (await files.read(path, signal)).text;
    } catch (error) {
      if (error instanceof AppError && error.family === 'missing') return null;
      throw error;
    }
  }

  /** Adds a version unless the newest one says the same. */
  function keep(path: string, text: string, by: string, how: FileVersionHow): FileVersionRow {
    const digest = digestOf(text);
    const newest = store.newest(path);
    if (newest?.digest === digest) return newest;
    return database.tx(() => {
      const row = store.add({
        path,
        digest,
        text,
        bytes: Buffer.byteLength(text),
        by,
        how,
        created_at: clock.now(),
      });
      store.prune(path, limits);
      return row;
    });
  }

  /** What somebody wrote past us, or what stood there before anything was kept. */
  function keepFound(path: string, text: string | null): void {
    if (text !== null) keep(path, text, 'unknown', 'found');
  }

  /** A tool's write: what stood there and what stands there afterwards are kept. */
  async function byTool(
    path: string,
    signal: AbortSignal | undefined,
    act: () => Promise<{ readonly bytes: number }>,
  ): Promise<{ readonly bytes: number }> {
    if (keptKind(path) === undefined) return act();
    return alone(path, async () => {
      await readable(path, signal).then((text) => keepFound(path, text));
      const done = await act();
      // The write has happened: not to keep it is said, but is no failure of the tool.
      try {
        const text = await current(path);
        if (text !== null) keep(path, text, 'assistant', 'tool');
      } catch (error) {
        log.error('a version of a file was not kept', { file: path, problem: errorText(error) });
      }
      return done;
    });
  }

  /** Null also for what is there and no text: the write itself refuses it or replaces it. */
  async function readable(path: string, signal: AbortSignal | undefined): Promise<string | null> {
    try {
      return await current(path, signal);
    } catch (error) {
      if (error instanceof AppError && error.code === 'file_not_text') return null;
      throw error;
    }
  }

  function known(path: string): KeptKind {
    const kind = keptKind(path);
    if (kind === undefined) {
      throw new AppError({ family: 'missing', code: 'not_found', message: 'There is no such file here.' });
    }
    return kind;
  }

  async function shown(path: string): Promise<KeptText> {
    const kind = known(path);
    const text = await current(path);
    return {
      path,
      kind,
      text: text ?? '',
      bytes: Buffer.byteLength(text ?? ''),
      digest: text === null ? null : digestOf(text),
      versions: store.list(path),
    };
  }

  async function byOwner(
    path: string,
    change: { readonly text: string; readonly digest: string | null },
    by: Principal,
    restored: number | null,
  ): Promise<KeptText> {
    known(path);
    mustBeText(change.text);
    return alone(path, async () => {
      const text = await current(path);
      const before = text === null ? null : digestOf(text);
      if (before !== change.digest) {
        throw new AppError({
          family: 'conflict',
          code: 'file_conflict',
          message: `${path} was changed meanwhile; nothing was saved.`,
          fix: 'Look at it as it is now, and bring your change in.',
        });
      }
      keepFound(path, text);
      const entry = { principal: by, origin: 'page', target: path } as const;
      const details = {
        before: text === null ? null : audit.digest(text),
        after: audit.digest(change.text),
        bytes: Buffer.byteLength(change.text),
        ...(restored === null ? {} : { restored_version: restored }),
      };
      audit.append({ ...entry, event: 'identity.intent', outcome: 'intent', details });
      try {
        await files.write(path, change.text);
      } catch (error) {
        const unknown = !(error instanceof AppError) || error.details['outcome_unknown'] === true;
        audit.note({
          ...entry,
          event: 'identity.changed',
          outcome: unknown ? 'unknown' : 'failed',
          details,
        });
        throw error;
      }
      database.tx(() => {
        const row = keep(path, change.text, principalText(by), restored === null ? 'page' : 'restored');
        audit.append({
          ...entry,
          event: 'identity.changed',
          outcome: 'ok',
          details: { ...details, version: row.id },
        });
      });
      return shown(path);
    });
  }

  function version(path: string, id: number): FileVersionRow & { readonly text: string } {
    known(path);
    const row = store.get(path, id);
    if (row) return row;
    throw new AppError({
      family: 'missing',
      code: 'not_found',
      message: `There is no version ${id} of ${path} any more.`,
    });
  }

  return {
    powers: {
      read: (path, signal) => files.read(path, signal),
      list: (path, signal) => files.list(path, signal),
      write: (path, text, signal) => byTool(path, signal, () => files.write(path, text, signal)),
      append: (path, text, signal) => byTool(path, signal, () => files.append(path, text, signal)),
    },
    async list() {
      const counts = store.count();
      const there = new Map<string, { bytes: number; modified: string }>();
      for (const { folder, entries } of [
        { folder: '', entries: (await files.list('')).entries },
        { folder: 'memory/', entries: await inFolder(files, 'memory') },
      ]) {
        for (const { name, kind, bytes, modified } of entries) {
          if (kind === 'file' && keptKind(`${folder}${name}`) !== undefined)
            there.set(`${folder}${name}`, { bytes, modified });
        }
      }
      // A file that is gone and has versions can still be restored.
      const others = new Set([...there.keys(), ...counts.keys()].filter((path) => !FIXED.includes(path)));
      return [...FIXED, ...[...others].toSorted().toReversed()].map((path) => {
        const found = there.get(path);
        return {
          path,
          kind: known(path),
          exists: found !== undefined,
          bytes: found?.bytes ?? 0,
          modified: found?.modified ?? null,
          versions: counts.get(path) ?? 0,
        };
      });
    },
    async read(path) {
      known(path);
      return shown(path);
    },
    version,
    write: (path, change, by) => byOwner(path, change, by, null),
    restore: (path, { version: id, digest }, by) =>
      byOwner(path, { text: version(path, id).text, digest }, by, id),
  };
}

async function inFolder(files: FilePowers, path: string): ReturnType<typeof entriesOf> {
  try {
    return await entriesOf(files, path);
  } catch (error) {
    if (error instanceof AppError && error.family === 'missing') return [];
    throw error;
  }
}

async function entriesOf(files: FilePowers, path: string) {
  return (await files.list(path)).entries;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function mustBeText(text: string): void {
  if (text.isWellFormed() && !text.includes('\0')) return;
  throw new AppError({
    family: 'input',
    code: 'invalid_text',
    message: 'The text holds a NUL character or half of a character, which no text file can hold.',
  });
}
