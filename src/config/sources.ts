import { dirname, resolve } from 'node:path';
import type { FileValue } from './file.ts';
import { keyInfo, variableOf, type Key, type KeyKind } from './keys.ts';
import type { ConfigFlags, Environment } from './types.ts';

/** Where a value came from. */
export interface Origin {
  readonly source: 'flag' | 'env' | 'file' | 'default';
  readonly from: string | null;
  /** What `config show` prints: for a value filled in from variables the text of the file. */
  readonly shown: unknown;
}

export interface Candidate extends Origin {
  readonly value: unknown;
  /** For problems. */
  readonly where: string;
}

interface Place {
  readonly environment: Environment;
  readonly folder: string;
  readonly workspaceDefault: string;
}

export function fromFlag(key: Key, flags: ConfigFlags, folder: string): Candidate | undefined {
  const make = (name: string, value: unknown): Candidate => ({
    source: 'flag',
    from: name,
    where: name,
    value,
    shown: value,
  });
  if (key === 'workspace.path' && flags.workspace !== undefined) {
    return make('--workspace', flags.workspace === '' ? '' : resolve(folder, flags.workspace));
  }
  if (key === 'logging.json' && flags.json === true) return make('--json', true);
  return undefined;
}

export function fromVariable(key: Key, { environment, folder }: Place): Candidate | undefined {
  const { kind, short = [] } = keyInfo(key);
  for (const name of [variableOf(key), ...short]) {
    // An empty variable is how compose files say "not set".
    const text = nonEmpty(environment[name]);
    if (text === undefined) continue;
    const value = key === 'workspace.path' ? resolve(folder, text) : fromText(kind, text);
    return { source: 'env', from: name, where: name, value, shown: value };
  }
  return undefined;
}

export function fromFile(key: Key, found: FileValue | undefined, path: string): Candidate | undefined {
  if (found === undefined) return undefined;
  const { value: raw, template, untyped, line } = found;
  let value = untyped && typeof raw === 'string' ? fromText(keyInfo(key).kind, raw) : raw;
  if (key === 'workspace.path' && typeof value === 'string' && value !== '')
    value = resolve(dirname(path), value);
  const where = `${path}:${line}`;
  return { source: 'file', from: where, where, value, shown: template ?? value };
}

export function fromDefault(key: Key, { workspaceDefault }: Place): Candidate {
  const value = key === 'workspace.path' ? resolve(workspaceDefault) : keyInfo(key).default;
  return { source: 'default', from: null, where: key, value, shown: value };
}

function fromText(kind: KeyKind, text: string): unknown {
  const plain = text.trim();
  switch (kind) {
    case 'text':
      return plain;
    case 'number':
      return /^-?\d+(?:\.\d+)?$/.test(plain) ? Number(plain) : plain;
    case 'flag':
      if (/^(?:true|1)$/i.test(plain)) return true;
      return /^(?:false|0)$/i.test(plain) ? false : plain;
    case 'list':
      return plain
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
  }
}

export function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
