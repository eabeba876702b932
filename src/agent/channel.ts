import { Socket } from 'node:net';

import type { FrameFromAgent, FrameFromParent } from './frames.ts';

/** The two inherited pipes: the process's only way out. No socket is ever made; `Socket` only reads and writes an open fd. */
export interface Channel {
  send(frame: FrameFromAgent): void;
  /** Starts to read. */
  listen(listener: (frame: FrameFromParent) => void): void;
}

/** @param onGone the parent closed a pipe: there is nothing left to do. */
export function openChannel(readFd: number, writeFd: number, onGone: () => void): Channel {
  const input = new Socket({ fd: readFd, readable: true, writable: false });
  const output = new Socket({ fd: writeFd, readable: false, writable: true });
  input.on('error', onGone);
  input.on('end', onGone);
  input.on('close', onGone);
  output.on('error', onGone);
  output.on('close', onGone);
  return {
    send(frame) {
      output.write(`${JSON.stringify(frame)}\n`);
    },
    listen(listener) {
      const rest: string[] = [];
      input.setEncoding('utf8');
      input.on('data', (chunk: string) => {
        let start = 0;
        for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
          rest.push(chunk.slice(start, end));
          const line = rest.join('');
          rest.length = 0;
          start = end + 1;
          listener(JSON.parse(line) as FrameFromParent);
        }
        if (start < chunk.length) rest.push(chunk.slice(start));
      });
    },
  };
}
