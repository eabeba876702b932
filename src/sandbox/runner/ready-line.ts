import type { Readable } from 'node:stream';
import { AppError } from '../../core/index.ts';
import type { Child } from '../../host/process/index.ts';
import { FRAMES, WORKER_FDS } from '../wire/index.ts';

/**
 * Takes the line that says that the process can take an order, and nothing else. Errors: upstream `script_worker_failed`,
 * with the process ended.
 */
export async function readyLine(child: Child): Promise<void> {
  const pipe: Readable | undefined = child.fds[WORKER_FDS.out - WORKER_FDS.in];
  const wanted = `${FRAMES.ready}\n`;
  if (pipe !== undefined && (await firstText(pipe, wanted.length)) === wanted) return;
  await child.kill();
  throw new AppError({
    family: 'upstream',
    code: 'script_worker_failed',
    message: 'The process for a script did not start as it should.',
  });
}

/** All that has come once it is at least so long, or the pipe has ended. */
async function firstText(pipe: Readable, length: number): Promise<string> {
  let text = '';
  while (text.length < length) {
    const chunk = pipe.read() as Buffer | null;
    if (chunk !== null) text += chunk.toString('latin1');
    else if (pipe.readableEnded || pipe.destroyed) break;
    else await more(pipe);
  }
  return text;
}

function more(pipe: Readable): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      for (const event of ['readable', 'end', 'close']) pipe.off(event, go);
      resolve();
    };
    for (const event of ['readable', 'end', 'close']) pipe.on(event, go);
  });
}
