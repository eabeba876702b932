import { createConnection } from 'node:net';
import { AppError } from '../../core/index.ts';
import { openControlPlace } from '../../host/files/workspace-socket.ts';
import { MAX_ANSWER_BYTES, type ControlAnswer, type Operation } from './control-protocol.ts';
import type { ControlHandlers } from './ports.ts';

const DEADLINE_MS = 120_000;
const NOBODY = new Set(['ENOENT', 'ECONNREFUSED']);

/**
 * The acts of the instance that runs on a workspace, or undefined when none does. `folder` is its `secure/data`.
 * Refusals come back as the AppError that the instance threw; `instance_silent` when it does not answer.
 */
export async function connectControl(folder: string): Promise<ControlHandlers | undefined> {
  const handlers: ControlHandlers = {
    version: () => ask(folder, 'version', {}),
    configShow: () => ask(folder, 'configShow', {}),
    auditVerify: () => ask(folder, 'auditVerify', {}),
    auditList: (query) => ask(folder, 'auditList', query),
    vaultStatus: () => ask(folder, 'vaultStatus', {}),
    vaultUnlock: (request) => ask(folder, 'vaultUnlock', request),
    vaultLock: () => ask(folder, 'vaultLock', {}),
    resetPassword: (request) => ask(folder, 'resetPassword', request),
  };
  try {
    await handlers.version();
  } catch (error) {
    if (NOBODY.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  return handlers;
}

async function ask<T>(folder: string, operation: Operation, args: object): Promise<T> {
  const place = openControlPlace(folder);
  if (place === undefined) throw Object.assign(new Error('no folder'), { code: 'ENOENT' });
  try {
    const token = place.readToken();
    if (token === undefined) throw Object.assign(new Error('no token'), { code: 'ENOENT' });
    const answer = await exchange(place.socket, `${JSON.stringify({ token, operation, args })}\n`);
    if (answer.ok) return answer.result as T;
    const { family, ...rest } = answer.error;
    throw new AppError({ family: family ?? 'upstream', ...rest });
  } finally {
    place.close();
  }
}

function exchange(path: string, line: string): Promise<ControlAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const socket = createConnection(path, () => socket.write(line));
    const fail = (why: string): void => {
      socket.destroy();
      reject(silent(why));
    };
    const timer = setTimeout(() => fail('it did not answer in time'), DEADLINE_MS);
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) fail('its answer is too long');
      else chunks.push(chunk);
    });
    socket.on('error', (error) => reject(error));
    socket.on('close', () => clearTimeout(timer));
    socket.on('end', () => {
      try {
        resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')) as ControlAnswer);
      } catch {
        fail('it ended before it answered');
      }
      socket.destroy();
    });
  });
}

function silent(why: string): AppError {
  return new AppError({
    family: 'upstream',
    code: 'instance_silent',
    message: `An OpenPact runs on this workspace, but ${why}.`,
    fix: 'Look at its log. If it hangs, stop it and try again.',
  });
}
