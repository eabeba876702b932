import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  opendirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { enterFolder, lookAt, mustBePlainFile, sameFile } from './jail.ts';
import { partsOf } from './path-rules.ts';
import { FileRefusal, MAX_ENTRIES, MAX_FILE_BYTES, type FileAnswer, type ListedEntry } from '../protocol.ts';

/** The five things that the child can do. All are synchronous. */
export interface FileOperations {
  read(path: string): FileAnswer;
  write(path: string, text: string): FileAnswer;
  append(path: string, text: string): FileAnswer;
  list(path: string): FileAnswer;
  /** A plain file; `bytes` is 1 when there was one, 0 when not. */
  remove(path: string): FileAnswer;
}

const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** More leftovers than this in one folder, and writing there is refused. */
const TEMPORARY_NAMES = 4;

export function createJailedFiles(root: string): FileOperations {
  const place = (
    path: string,
    makeFolders = false,
  ): { readonly name: string; readonly inMemory: boolean } => {
    const parts = partsOf(path);
    const name = parts.at(-1);
    if (name === undefined) throw new FileRefusal('path_empty');
    const inMemory = path === 'MEMORY.md' || parts[0] === 'memory';
    enterFolder(root, parts.slice(0, -1), makeFolders ? () => (inMemory ? 0o770 : 0o750) : undefined);
    return { name, inMemory };
  };
  const write = (path: string, bytesFor: (name: string) => Buffer): FileAnswer => {
    const { name, inMemory } = place(path, true);
    const bytes = bytesFor(name);
    if (bytes.length > MAX_FILE_BYTES) throw new FileRefusal('file_too_large');
    // What the assistant may write is writable for its group; the rest it can only read (W-08). No chmod: the fence
    // forbids it, so the mode is given when the file is made.
    replaceFile(name, bytes, inMemory ? 0o660 : 0o640);
    return { bytes: bytes.length };
  };
  return {
    read(path) {
      const bytes = readFile(place(path).name);
      return { text: textOf(bytes), bytes: bytes.length };
    },
    write: (path, text) => write(path, () => Buffer.from(text, 'utf8')),
    append: (path, text) =>
      write(path, (name) => {
        const old = lookAt(name) === undefined ? Buffer.alloc(0) : readFile(name);
        textOf(old);
        return Buffer.concat([old, Buffer.from(text, 'utf8')]);
      }),
    list(path) {
      enterFolder(root, partsOf(path));
      return listFolder();
    },
    remove(path) {
      const { name } = place(path);
      const stats = lookAt(name);
      if (stats === undefined) return { bytes: 0 };
      mustBePlainFile(stats);
      unlinkSync(name);
      syncFolder();
      return { bytes: 1 };
    },
  };
}

function readFile(name: string): Buffer {
  const before = lookAt(name);
  if (before === undefined) throw new FileRefusal('file_missing');
  mustBePlainFile(before);
  const fd = openSync(name, READ_FLAGS);
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (!sameFile(before, stats)) throw new FileRefusal('file_changed');
    mustBePlainFile(stats);
    if (stats.size > BigInt(MAX_FILE_BYTES)) throw new FileRefusal('file_too_large');
    return readUpTo(fd, MAX_FILE_BYTES, Number(stats.size));
  } finally {
    closeSync(fd);
  }
}

/** Reads to the end, which may have moved since the size was asked. */
function readUpTo(fd: number, most: number, expected: number): Buffer {
  let buffer = Buffer.alloc(Math.min(expected, most) + 1);
  let length = 0;
  for (;;) {
    const count = readSync(fd, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.subarray(0, length);
    length += count;
    if (length > most) throw new FileRefusal('file_too_large');
    if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.alloc(Math.max(4096, length))]);
  }
}

function textOf(bytes: Buffer): string {
  if (bytes.includes(0)) throw new FileRefusal('file_not_text');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FileRefusal('file_not_text');
  }
}

/** The old content or the new one stands on the disk, whatever happens: never a piece, and never a temporary file left. */
function replaceFile(name: string, bytes: Buffer, mode: number): void {
  const old = lookAt(name);
  if (old !== undefined) mustBePlainFile(old);
  const temporary = openTemporary(old === undefined ? mode : (Number(old.mode) & 0o660) | 0o600);
  try {
    try {
      writeAll(temporary.fd, bytes);
      fsyncSync(temporary.fd);
    } finally {
      closeSync(temporary.fd);
    }
    renameSync(temporary.name, name);
  } catch (error) {
    unlinkSync(temporary.name);
    throw error;
  }
  syncFolder();
}

/** What is renamed or removed in the folder where we are survives a power cut from here on. */
function syncFolder(): void {
  const folder = openSync('.', constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Fixed names, so that what a killed child left behind is found and removed by the next write in the folder. */
function openTemporary(mode: number): { readonly fd: number; readonly name: string } {
  for (let number = 0; number < TEMPORARY_NAMES; number += 1) {
    const name = `.openpact-write-${number}`;
    const left = lookAt(name);
    if (left !== undefined && left.isDirectory()) continue;
    if (left !== undefined) unlinkSync(name);
    return { fd: openSync(name, CREATE_FLAGS, mode), name };
  }
  throw new FileRefusal('file_failed', 'EEXIST');
}

/** A full disk shows as a short write first and as an error at the next. */
function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) {
    const count = writeSync(fd, bytes, at, bytes.length - at);
    if (count === 0) throw new FileRefusal('disk_full');
    at += count;
  }
}

/** The first entries by name. Hidden, special and unnameable ones are left out, as they can't be opened either. */
function listFolder(): FileAnswer {
  const folder = opendirSync('.');
  let names: string[] = [];
  let truncated = false;
  const cut = (): void => {
    names.sort();
    truncated ||= names.length > MAX_ENTRIES;
    names = names.slice(0, MAX_ENTRIES);
  };
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      if (!isNameable(entry.name)) continue;
      names.push(entry.name);
      if (names.length >= 4 * MAX_ENTRIES) cut();
    }
  } finally {
    folder.closeSync();
  }
  cut();
  return { entries: names.flatMap(entryOf), truncated };
}

function isNameable(name: string): boolean {
  try {
    partsOf(name);
    return true;
  } catch (error) {
    if (error instanceof FileRefusal) return false;
    throw error;
  }
}

function entryOf(name: string): ListedEntry[] {
  const stats = lstatSync(name, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined || !(stats.isFile() || stats.isDirectory())) return [];
  const kind = stats.isFile() ? 'file' : 'directory';
  const bytes = stats.isFile() ? Number(stats.size) : 0;
  return [{ name, kind, bytes, modified: new Date(Number(stats.mtimeMs)).toISOString() }];
}
