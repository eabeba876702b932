/** Looks into a workspace in which nothing runs, and calls the command line, for tests of the vault. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openFoundation } from '../../src/compose/foundation.ts';
import { productParts } from '../../src/compose/parts.ts';
import { loadConfig } from '../../src/config/index.ts';
import { revealSecret } from '../../src/guard/secrets/index.ts';

export const PASSPHRASE = 'violet otter kettle sandwich 47';
const MAIN = join(resolve(import.meta.dirname, '..', '..'), 'src', 'main.ts');

export interface Opened {
  /** What a script's request would be filled in with. */
  readonly value: (name: string) => string | undefined;
  readonly providerKey: (name: string) => string | undefined;
  readonly audit: () => ReturnType<ReturnType<typeof openFoundation>['audit']['verify']>;
}

/** Opens it as a start does (a rekey that was cut off is settled), looks, and closes it. */
export async function lookInto<T>(workspace: string, look: (opened: Opened) => Promise<T> | T): Promise<T> {
  const loaded = loadConfig({
    flags: { workspace },
    environment: {},
    folder: workspace,
    workspaceDefault: workspace,
  });
  const base = openFoundation(loaded, productParts);
  try {
    if (base.seal.sealed()) {
      await base.seal.unlock(PASSPHRASE, { principal: { kind: 'operator' }, origin: 'cli' });
    }
    return await look({
      value: (name) => revealSecret(base.vault, { kind: 'script', name }, 'script_request'),
      providerKey: (name) => revealSecret(base.vault, { kind: 'llm_key', name }, 'llm_call'),
      audit: () => base.audit.verify(),
    });
  } finally {
    base.close();
  }
}

export function openpact(argv: readonly string[], workspace: string, input = '') {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [MAIN, ...argv, '--workspace', workspace, '--json'],
    { input, encoding: 'utf8' },
  );
  return { code: status, out: stdout, err: stderr };
}

/** Starts a command and kills it so many milliseconds after a file has appeared. */
export function killedAfter(
  ms: number,
  argv: readonly string[],
  workspace: string,
  file: string,
): Promise<void> {
  const child = spawn(process.execPath, [MAIN, ...argv, '--workspace', workspace], { stdio: 'ignore' });
  return new Promise((done) => {
    let over = false;
    child.once('exit', () => {
      over = true;
      done();
    });
    const look = (): void => {
      if (over) return;
      if (existsSync(file)) setTimeout(() => child.kill('SIGKILL'), ms);
      else setImmediate(look);
    };
    look();
  });
}
