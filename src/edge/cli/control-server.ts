// Guarantees: only who can read `secure/data` (the operator) can ask: the socket and its token are 0600 in a 0700 folder.
// A request that is too long, too slow, malformed or without the token is refused; nothing of it is logged.
// Does not: tell operators apart. An attacker may control: every byte of a request.
import { timingSafeEqual } from 'node:crypto';
import { createConnection, createServer, type Socket } from 'node:net';
import { AppError, errorText, newId, newToken, type Log } from '../../core/index.ts';
import { openControlPlace } from '../../host/files/workspace-socket.ts';
import { MAX_REQUEST_BYTES, OPERATIONS, requestSchema, type ControlAnswer } from './control-protocol.ts';
import type { ControlHandlers } from './ports.ts';

export interface ControlServerDeps {
  /** `secure/data` of the workspace, whose instance lock the caller holds. */
  readonly folder: string;
  readonly handlers: ControlHandlers;
  readonly log: Log;
}

export interface ControlServer {
  /** Takes requests; replaces a socket that a killed instance left behind. Error: `already_running`. */
  listen(): Promise<void>;
  /** Stops taking requests, cuts those that are open, and removes the socket. */
  close(): Promise<void>;
}

const REQUEST_MS = 10_000;

export function createControlServer({ folder, handlers, log }: ControlServerDeps): ControlServer {
  const token = newToken();
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    // A client that went away has no use for an answer.
    socket.on('error', () => socket.destroy());
    serve(socket, token, handlers, log);
  });
  let done = () => {};
  return {
    async listen() {
      const place = openControlPlace(folder);
      if (place === undefined) throw new Error(`${folder} does not exist`);
      try {
        if (await answers(place.socket)) throw inUse();
        place.removeSocket();
        place.writeToken(token);
        await new Promise<void>((resolve, reject) => {
          server.once('error', reject);
          server.listen(place.socket, resolve);
        });
        place.protectSocket();
      } catch (error) {
        place.close();
        throw error;
      }
      done = () => {
        place.removeToken();
        place.close();
      };
      server.on('error', (error) => log.error('the control socket failed', { problem: errorText(error) }));
    },
    async close() {
      for (const socket of open) socket.destroy();
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
      done();
      done = () => {};
    },
  };
}

function serve(socket: Socket, token: string, handlers: ControlHandlers, log: Log): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  socket.setTimeout(REQUEST_MS, () => socket.destroy());
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    chunks.push(chunk);
    const ends = chunk.includes(10);
    if (!ends && bytes <= MAX_REQUEST_BYTES) return;
    socket.off('data', onData).resume();
    socket.setTimeout(0);
    const line = bytes > MAX_REQUEST_BYTES ? '' : Buffer.concat(chunks).toString('utf8');
    void answer(line, token, handlers, log).then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
  };
  socket.on('data', onData);
}

/** Never rejects. */
async function answer(
  line: string,
  token: string,
  handlers: ControlHandlers,
  log: Log,
): Promise<ControlAnswer> {
  const request = requestSchema.safeParse(parsed(line));
  if (!request.success) return refused('bad_request', 'The request was not understood.');
  if (!sameText(request.data.token, token)) return refused('forbidden', 'The token is wrong.');
  const { operation } = request.data;
  const args = OPERATIONS[operation].safeParse(request.data.args);
  if (!args.success) return refused('bad_request', 'The arguments were not understood.');
  try {
    // The table of operations pairs each handler with the schema that was just applied.
    const act = handlers[operation] as (args: unknown) => Promise<unknown>;
    return { ok: true, result: await act.call(handlers, args.data) };
  } catch (error) {
    if (error instanceof AppError) {
      const { family, code, message, fix, details } = error;
      return { ok: false, error: { family, code, message, fix, details } };
    }
    const reference = newId('err');
    log.error('a control request failed', { operation, reference, error });
    return {
      ok: false,
      error: {
        family: null,
        code: 'internal',
        message: `An error of our own; the log has it as ${reference}.`,
      },
    };
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    // The schema refuses what this returns.
    return undefined;
  }
}

function refused(code: string, message: string): ControlAnswer {
  return { ok: false, error: { family: code === 'forbidden' ? 'forbidden' : 'input', code, message } };
}

function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Whether somebody listens there; a socket without a listener is a leftover. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', () => resolve(false));
  });
}

function inUse(): AppError {
  return new AppError({
    family: 'conflict',
    code: 'already_running',
    message: 'Another OpenPact answers on the control socket of this workspace.',
    fix: 'Stop the other one, or start this one with another folder: --workspace DIR.',
  });
}
