// Guarantees: files below the root are opened by another process, whose fence opens nothing else: neither a bug in the
// path rules nor one in Node's file functions leads to `secure/`. One request at a time, each with a deadline.
// Does not: hide that other files exist, or decide who may read what (policy does, before).
// An attacker may control: paths, texts, and every file below the root.
import { AppError, silentLog, type FilePowers, type Log } from '../../core/index.ts';
import { nodeFences, type Launcher, type UserIds } from '../process/index.ts';
import { connectChild, type ChildConnection } from './child-connection.ts';
import { bytesAnswer, listAnswer, textAnswer } from './child-answers.ts';
import type { FileAnswer } from './protocol.ts';
import { isRefusalCode, refusalError } from './refusals.ts';

export interface FileChildDeps {
  readonly launcher: Launcher;
  /** Absolute path of the child's program: `dist/file-child.js`, or `child/main.ts` when run from source. */
  readonly entry: string;
  /** Files and folders that the program needs beside `entry`: from source the folder of the sources. */
  readonly read?: readonly string[] | undefined;
  /** Absolute path of `ai-data/`, links resolved. */
  readonly root: string;
  /**
   * Where the orchestrator may change users: its own ids all the same. The child must be able to write what belongs to the
   * owner of the workspace (`ai-data/` is closed to the other two); it gets these ids without any capability.
   */
  readonly user?: UserIds | undefined;
  /** Start without a fence on a machine that has none (isolation levels 0 and 1). */
  readonly allowUnfenced?: boolean | undefined;
  /** For one request, in ms. Default 10 s. */
  readonly deadlineMs?: number | undefined;
  /** The child ends after this time without a request, in ms. Default 60 s. */
  readonly idleMs?: number | undefined;
  readonly log?: Log | undefined;
}

/**
 * `FilePowers` by a child process that is started when it is needed. Beside the refusals of `refusals.ts`: `deadline`,
 * `stopped`, `file_child_failed`, each with the detail `outcome_unknown` when a write may have happened, and what the
 * launcher throws.
 */
export interface FileChild extends FilePowers {
  /** A plain file. No tool has this: only acts of the owner remove something. */
  remove(path: string, signal?: AbortSignal): Promise<{ readonly removed: boolean }>;
  /** Ends the process; later requests start another. */
  stop(): Promise<void>;
  readonly pid: number | null;
}

type Body =
  | { readonly op: 'read' | 'list' | 'remove'; readonly path: string }
  | {
      readonly op: 'write' | 'append';
      readonly path: string;
      readonly text: string;
    };

export function createFileChild(deps: FileChildDeps): FileChild {
  const { deadlineMs = 10_000, idleMs = 60_000, log = silentLog } = deps;
  let connection: ChildConnection | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  let queued = 0;
  let lastId = 0;
  let idle: NodeJS.Timeout | undefined;

  async function connected(): Promise<ChildConnection> {
    if (connection?.alive === true) return connection;
    const child = await deps.launcher.launch({
      program: process.execPath,
      args: ['--max-old-space-size=64', '--max-semi-space-size=2', deps.entry, deps.root],
      env: { LANG: 'C.UTF-8' },
      fds: ['to-child', 'from-child'],
      fences: {
        ...nodeFences({ read: [deps.entry, ...(deps.read ?? [])], write: [deps.root] }),
        allowUnfenced: deps.allowUnfenced,
      },
      // Heap and buffers together: Node alone needs some 600 MB of this.
      limits: { openFiles: 64, dataBytes: 900 * 1024 * 1024 },
      umask: 0o007,
      user: deps.user,
    });
    child.stderr.onLine((line) => log.warn('file child', { line }));
    connection = connectChild(child);
    return connection;
  }

  /** One request to a child; null when the child ended instead of answering. */
  async function exchange(body: Body): Promise<FileAnswer | null> {
    const child = await connected();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), deadlineMs);
    });
    lastId += 1;
    const reply = await Promise.race([child.exchange({ ...body, id: lastId }), late]);
    clearTimeout(timer);
    if (reply === 'late') {
      await child.kill();
      throw new AppError({
        family: 'limit',
        code: 'deadline',
        message: `The file operation took longer than ${deadlineMs} ms and was ended. ${afterwards(body)}`,
        details: { outcome_unknown: changes(body) },
      });
    }
    if (reply === null) return null;
    if ('answer' in reply) return reply.answer;
    throw refusalError(isRefusalCode(reply.refusal) ? reply.refusal : 'file_failed', body.path, reply.errno);
  }

  async function run(body: Body): Promise<FileAnswer> {
    // Reading again after a crash is harmless; a write may have happened, so it is never repeated.
    const attempts = changes(body) ? 1 : 2;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const answer = await exchange(body);
      if (answer !== null) return answer;
      log.warn('the file child ended during a request', { op: body.op });
    }
    throw new AppError({
      family: 'upstream',
      code: 'file_child_failed',
      message: `The process that opens files ended during the operation. ${afterwards(body)}`,
      fix: 'Try again.',
      details: { outcome_unknown: changes(body) },
    });
  }

  async function request(body: Body, signal: AbortSignal | undefined): Promise<FileAnswer> {
    mustBeWellFormed(body);
    clearTimeout(idle);
    queued += 1;
    const job = queue.then(() => {
      if (signal?.aborted === true) throw stopped(body);
      return run(body);
    });
    queue = settle(job);
    return signal === undefined ? job : untilAborted(job, signal, body);
  }

  /** Lets the next request run, whatever became of this one; its caller hears of it. */
  async function settle(job: Promise<FileAnswer>): Promise<void> {
    await Promise.allSettled([job]);
    queued -= 1;
    if (queued > 0) return;
    idle = setTimeout(() => void stop(), idleMs);
    idle.unref();
  }

  async function stop(): Promise<void> {
    clearTimeout(idle);
    const ending = connection;
    connection = null;
    await ending?.kill();
  }

  return {
    read: async (path, signal) => textAnswer(await request({ op: 'read', path }, signal)),
    write: async (path, text, signal) => bytesAnswer(await request({ op: 'write', path, text }, signal)),
    remove: async (path, signal) => ({
      removed: bytesAnswer(await request({ op: 'remove', path }, signal)).bytes > 0,
    }),
    append: async (path, text, signal) => bytesAnswer(await request({ op: 'append', path, text }, signal)),
    list: async (path, signal) => listAnswer(await request({ op: 'list', path }, signal)),
    stop,
    get pid() {
      return connection?.alive === true ? connection.pid : null;
    },
  };
}

/** Ends the waiting, not the work: what was sent to the child is finished or ended by its deadline. */
async function untilAborted(job: Promise<FileAnswer>, signal: AbortSignal, body: Body): Promise<FileAnswer> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(stopped(body));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([job, aborted]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}

function stopped(body: Body): AppError {
  return new AppError({
    family: 'limit',
    code: 'stopped',
    message: `The file operation was stopped. ${afterwards(body)}`,
    details: { outcome_unknown: changes(body) },
  });
}

/** UTF-8 can't hold half a character; writing it would silently change the text. */
function mustBeWellFormed(body: Body): void {
  if (!('text' in body) || body.text.isWellFormed()) return;
  throw new AppError({
    family: 'input',
    code: 'file_not_text',
    message: 'The text holds half of a character (a lone surrogate), which no text file can hold.',
  });
}

function changes(body: Body): boolean {
  return body.op === 'write' || body.op === 'append' || body.op === 'remove';
}

function afterwards(body: Body): string {
  return !changes(body)
    ? 'Nothing was changed.'
    : `Whether ${JSON.stringify(body.path)} was written is not known: it holds either the old or the new content.`;
}
