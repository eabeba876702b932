import { readSync, writeSync } from 'node:fs';
import type { FileOperations } from './operations.ts';
import {
  FileRefusal,
  MAX_LINE_BYTES,
  type FileAnswer,
  type FileReply,
  type FileRequest,
  type RefusalCode,
} from '../protocol.ts';

const INPUT = 3;
const OUTPUT = 4;

/** Answers requests one after the other until the orchestrator closes its end. */
export function serve(files: FileOperations): void {
  const chunk = Buffer.alloc(64 * 1024);
  let parts: Buffer[] = [];
  let size = 0;
  for (let count = readSome(chunk); count > 0; count = readSome(chunk)) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0 && end < count; end = chunk.indexOf(10, from)) {
      parts.push(Buffer.from(chunk.subarray(from, end)));
      const request = JSON.parse(Buffer.concat(parts).toString('utf8')) as FileRequest;
      writeAll(Buffer.from(`${JSON.stringify(reply(files, request))}\n`));
      parts = [];
      size = 0;
      from = end + 1;
    }
    parts.push(Buffer.from(chunk.subarray(from, count)));
    size += count - from;
    if (size > MAX_LINE_BYTES) throw new RangeError('a request is too long');
  }
}

function reply(files: FileOperations, request: FileRequest): FileReply {
  try {
    return { id: request.id, answer: act(files, request) };
  } catch (error) {
    const { code, errno } = refusalOf(error);
    return { id: request.id, refusal: code, ...(errno === undefined ? {} : { errno }) };
  }
}

function act(files: FileOperations, request: FileRequest): FileAnswer {
  switch (request.op) {
    case 'read':
      return files.read(request.path);
    case 'list':
      return files.list(request.path);
    case 'remove':
      return files.remove(request.path);
    case 'write':
      return files.write(request.path, request.text);
    case 'append':
      return files.append(request.path, request.text);
  }
}

const BY_ERRNO: Readonly<Record<string, RefusalCode>> = {
  ENOENT: 'file_missing',
  ENOTDIR: 'file_not_folder',
  EISDIR: 'file_is_folder',
  ELOOP: 'file_link',
  ENXIO: 'file_special',
  ENAMETOOLONG: 'path_too_long',
  EACCES: 'file_denied',
  EPERM: 'file_denied',
  EROFS: 'file_denied',
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
  EFBIG: 'disk_full',
};

function refusalOf(error: unknown): { readonly code: RefusalCode; readonly errno: string | undefined } {
  if (error instanceof FileRefusal) return { code: error.code, errno: error.errno };
  const errno = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return { code: BY_ERRNO[errno] ?? 'file_failed', errno };
}

function readSome(chunk: Buffer): number {
  return blocking(() => readSync(INPUT, chunk, 0, chunk.length, null));
}

function writeAll(bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) {
    const from = at;
    at += blocking(() => writeSync(OUTPUT, bytes, from, bytes.length - from));
  }
}

/** The pipes block as a rule; where the other end made them non-blocking, wait a moment and try again. */
function blocking(act: () => number): number {
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
