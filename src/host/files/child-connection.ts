import type { Child } from '../process/index.ts';
import { MAX_LINE_BYTES, type FileReply, type FileRequest } from './protocol.ts';

/** A running file child. One request at a time. */
export interface ChildConnection {
  /** The child's answer, or null when it ended or spoke nonsense (it is killed then). Never rejects. */
  exchange(request: FileRequest): Promise<FileReply | null>;
  readonly alive: boolean;
  readonly pid: number;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

export function connectChild(child: Child): ChildConnection {
  const [input, output] = child.fds;
  if (input === undefined || output === undefined) throw new TypeError('the file child has no pipes');
  let alive = true;
  let waiting: { readonly id: number; readonly settle: (reply: FileReply | null) => void } | null = null;
  let parts: Buffer[] = [];
  let size = 0;

  const settle = (reply: FileReply | null): void => {
    const current = waiting;
    waiting = null;
    current?.settle(reply);
  };
  const die = (): void => {
    alive = false;
    void child.kill();
    settle(null);
  };
  const onLine = (line: string): void => {
    const reply = parseReply(line);
    if (reply === null || reply.id !== waiting?.id) die();
    else settle(reply);
  };

  const watch = async (): Promise<void> => {
    await child.exited;
    alive = false;
    settle(null);
  };
  void watch();
  // Broken pipes show as the child's end, which settles what waits.
  input.on('error', die);
  output.on('error', die);
  output.on('data', (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      const line = Buffer.concat(parts).toString('utf8');
      parts = [];
      size = 0;
      from = end + 1;
      onLine(line);
    }
    parts.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > MAX_LINE_BYTES) die();
  });

  return {
    exchange(request) {
      if (!alive) return Promise.resolve(null);
      return new Promise((resolve) => {
        waiting = { id: request.id, settle: resolve };
        input.write(`${JSON.stringify(request)}\n`);
      });
    },
    get alive() {
      return alive;
    },
    pid: child.pid,
    async kill() {
      alive = false;
      await child.kill();
    },
  };
}

/** The child reads what strangers wrote, so its words are checked like theirs. */
function parseReply(line: string): FileReply | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('id' in value) || typeof value.id !== 'number')
    return null;
  const known = ('refusal' in value && typeof value.refusal === 'string') || 'answer' in value;
  return known ? (value as FileReply) : null;
}
