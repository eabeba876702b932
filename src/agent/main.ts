/**
 * The built-in assistant's own program. It thinks, and holds nothing: no key, no socket, no file, no memory of the
 * turn before. It reaches a model and tools only by asking its parent over two inherited pipes.
 *
 * Exit codes: 0 the parent went away, 70 a bug of ours, 71 the parent spoke what we don't know.
 */
import { openChannel } from './channel.ts';
import type { FrameFromParent, TurnFrame } from './frames.ts';
import { createParentFetch, type ParentFetch } from './parent-fetch.ts';
import { runTurn } from './turn.ts';

const READ_FD = 3;
const WRITE_FD = 4;
const EXIT_BUG = 70;
const EXIT_PROTOCOL = 71;

// The `ai` package would print warnings about models; the parent counts and cuts what is printed anyway.
(globalThis as { AI_SDK_LOG_WARNINGS?: false }).AI_SDK_LOG_WARNINGS = false;

process.on('uncaughtException', (error) => exitWith(EXIT_BUG, error));
process.on('unhandledRejection', (error) => exitWith(EXIT_BUG, error));

interface Running {
  readonly turn: string;
  readonly abort: AbortController;
  readonly requests: ParentFetch;
}

let running: Running | undefined;

const channel = openChannel(READ_FD, WRITE_FD, () => process.exit(0));
channel.listen(handle);
channel.send({ t: 'ready' });

function handle(frame: FrameFromParent): void {
  switch (frame.t) {
    case 'turn':
      if (running !== undefined) exitWith(EXIT_PROTOCOL, new Error('a second turn at the same time'));
      void run(frame);
      return;
    case 'abort':
      if (running?.turn === frame.turn) running.abort.abort(new Error('stopped'));
      return;
    case 'ping':
      channel.send({ t: 'pong', n: frame.n });
      return;
    case 'head':
    case 'body':
    case 'end':
    case 'fail':
      running?.requests.handle(frame);
      return;
    default:
      exitWith(EXIT_PROTOCOL, new Error('an unknown frame'));
  }
}

async function run(frame: TurnFrame): Promise<void> {
  const abort = new AbortController();
  const requests = createParentFetch(frame.turn, channel.send);
  running = { turn: frame.turn, abort, requests };
  const outcome = await runTurn(frame, requests.fetch, abort.signal);
  requests.close();
  running = undefined;
  channel.send({ t: 'done', turn: frame.turn, outcome });
}

/** Prints the kind of the error, never its text: that may hold a piece of the conversation. */
function exitWith(code: number, error: unknown): never {
  const place =
    error instanceof Error
      ? `${error.name} ${
          error.stack
            ?.split('\n')
            .find((line) => /^\s+at /.test(line))
            ?.trim() ?? ''
        }`
      : typeof error;
  process.stderr.write(`agent: ${place}\n`);
  process.exit(code);
}
