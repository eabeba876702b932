// Guarantees: a unix socket in a folder that is ours alone, at a path of any length, and beside it a token that a client
// must have read. A fenced child of the same user could connect to a path (Landlock does not look at that), but it can't
// read the token. Does not: protect against somebody who can read `secure/data`: that is the operator.
// An attacker may control: nothing here.
import { chmodSync, closeSync, constants, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../core/index.ts';

const SOCKET = 'control.sock';
const TOKEN = 'control.token';
/** `sun_path` holds 108 bytes on Linux, 104 on macOS, the closing zero included. */
const LONGEST = 103;

export interface ControlPlace {
  /** Short enough to bind and to connect to; good until `close`. */
  readonly socket: string;
  /** Only the owner may connect. */
  protectSocket(): void;
  removeSocket(): void;
  removeToken(): void;
  writeToken(token: string): void;
  /** Undefined where there is none: nothing has ever run here. */
  readToken(): string | undefined;
  close(): void;
}

/** `folder` is `secure/data` of a workspace. Undefined when it doesn't exist. */
export function openControlPlace(folder: string): ControlPlace | undefined {
  const direct = join(folder, SOCKET);
  let descriptor: number;
  try {
    descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const fits = Buffer.byteLength(direct) <= LONGEST;
  if (!fits && process.platform !== 'linux') {
    closeSync(descriptor);
    throw new AppError({
      family: 'config',
      code: 'path_too_long',
      message: `The path ${direct} is too long for a socket on this system (${LONGEST} bytes).`,
      fix: 'Use a workspace with a shorter path.',
    });
  }
  const token = join(folder, TOKEN);
  return {
    // Through the open folder the path is short, however deep the folder lies.
    socket: fits ? direct : `/proc/self/fd/${descriptor}/${SOCKET}`,
    protectSocket: () => chmodSync(direct, 0o600),
    removeSocket: () => rmSync(direct, { force: true }),
    removeToken: () => rmSync(token, { force: true }),
    writeToken: (text) => writeFileSync(token, text, { mode: 0o600 }),
    readToken() {
      try {
        return readFileSync(token, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    close: () => closeSync(descriptor),
  };
}
