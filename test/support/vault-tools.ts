/** Looks into a workspace in which nothing runs, and calls the command line, for tests of the vault. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PRODUCT, VAULT_LOOK } from './product.ts';

export const PASSPHRASE = 'violet otter kettle sandwich 47';

export interface Opened {
  /** What a script's request would be filled in with. */
  readonly value: (name: string) => string | undefined;
  readonly providerKey: string | undefined;
  readonly audit: { readonly ok: boolean };
}

/** Opens the workspace as its owner, looks, and closes it. */
export function lookInto(workspace: string): Opened {
  const { uid, gid } = statSync(join(workspace, 'secure/data/openpact.db'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [VAULT_LOOK, workspace, PASSPHRASE], {
    encoding: 'utf8',
    cwd: '/',
    ...(process.getuid?.() === 0 ? { uid, gid } : {}),
  });
  if (status !== 0) throw new Error(`the workspace does not open: ${stderr}`);
  const { values, openai, audit } = JSON.parse(stdout) as {
    values: Readonly<Record<string, string>>;
    openai?: string;
    audit: { ok: boolean };
  };
  return { value: (name) => values[name], providerKey: openai, audit };
}

export function openpact(argv: readonly string[], workspace: string, input = '', cwd?: string) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [PRODUCT, ...argv, '--workspace', workspace, '--json'],
    { input, encoding: 'utf8', cwd },
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
  const child = spawn(process.execPath, [PRODUCT, ...argv, '--workspace', workspace], { stdio: 'ignore' });
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
