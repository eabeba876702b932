import { dirname, join, resolve } from 'node:path';
import { AppError } from '../core/index.ts';
import { readConfigFile, type ConfigFile, type FileValue } from './file.ts';
import { KEY_NAMES, keyInfo, variableOf, type Key, type KeyKind } from './keys.ts';
import { configInvalid, type Problem } from './problem.ts';
import { settingsSchema, toConfig } from './schema.ts';
import { isSecretVariable, takeSecrets, type EnvironmentSecrets } from './secrets.ts';
import { suggest } from './suggest.ts';
import type { Config, ConfigFlags, Environment } from './types.ts';

export interface LoadOptions {
  readonly flags: ConfigFlags;
  readonly environment: Environment;
  /** Paths of flags and variables are relative to this folder. */
  readonly folder: string;
  /** Where the workspace is when nothing says otherwise. */
  readonly workspaceDefault: string;
}

/** Where a value came from. */
export interface Origin {
  readonly source: 'flag' | 'env' | 'file' | 'default';
  readonly from: string | null;
  /** What `config show` prints: for a value filled in from variables the text of the file. */
  readonly shown: unknown;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly secrets: EnvironmentSecrets;
  /** Worth saying at the start, but no error. */
  readonly notices: readonly string[];
  readonly origins: ReadonlyMap<Key, Origin>;
}

interface Candidate extends Origin {
  readonly value: unknown;
  /** For problems. */
  readonly where: string;
}

/**
 * Flags win over variables, variables over the file, the file over the defaults (C-01).
 * Throws `config_invalid` with every problem, or `config_unreadable`; both of family `config`.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const { environment, flags } = options;
  const notices: string[] = unknownVariables(environment);
  const { path, file } = findFile(options, notices);
  const { secrets, problems: secretProblems } = takeSecrets(environment);
  const problems: Problem[] = [...file.problems, ...secretProblems];

  const origins = new Map<Key, Origin>();
  const values: Record<string, unknown> = {};
  let bind: string | undefined;
  for (const key of KEY_NAMES) {
    // Every candidate is checked, also one that another hides: it would bite on the day the other goes.
    const candidates = [
      fromFlag(key, flags, options.folder),
      fromVariable(key, options),
      fromFile(key, file.values.get(key), path),
    ].filter((candidate) => candidate !== undefined);
    for (const { value, where } of candidates) {
      const checked = leafSchema(key).safeParse(value);
      for (const issue of checked.error?.issues ?? []) {
        problems.push({ where, message: `${[key, ...issue.path].join('.')} ${issue.message}` });
      }
    }
    const chosen = candidates[0] ?? fromDefault(key, options);
    if (key === 'admin.bind' && typeof chosen.value === 'string') bind = chosen.value;
    origins.set(key, { source: chosen.source, from: chosen.from, shown: chosen.shown });
    values[key] = chosen.value;
  }
  if (flags.port !== undefined && bind !== undefined) {
    const withPort = bind.replace(/:\d*$/, `:${flags.port}`);
    values['admin.bind'] = withPort;
    origins.set('admin.bind', { source: 'flag', from: '--port', shown: withPort });
  }
  if (problems.length > 0) throw configInvalid(problems);
  const config = toConfig(settingsSchema.parse(nest(values)));
  return { config: freeze(config), secrets, notices, origins };
}

function findFile(options: LoadOptions, notices: string[]): { path: string; file: ConfigFile } {
  const { flags, environment, folder } = options;
  const named = flags.config ?? nonEmpty(environment['CONFIG_PATH']);
  const workspace = (fromFlag('workspace.path', flags, folder) ?? fromVariable('workspace.path', options))
    ?.value;
  const path =
    named === undefined
      ? join(typeof workspace === 'string' ? workspace : options.workspaceDefault, 'secure', 'config.yaml')
      : resolve(folder, named);
  const file = readConfigFile(path, environment);
  if (file.found) return { path, file };
  if (named !== undefined) {
    throw new AppError({
      family: 'config',
      code: 'config_missing',
      message: `The configuration ${path} does not exist.`,
      fix: 'Correct --config or CONFIG_PATH, or leave it out: then secure/config.yaml of the workspace is used.',
    });
  }
  notices.push(`There is no ${path}: the defaults are used.`);
  return { path, file };
}

function fromFlag(key: Key, flags: ConfigFlags, folder: string): Candidate | undefined {
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

function fromVariable(key: Key, { environment, folder }: LoadOptions): Candidate | undefined {
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

function fromFile(key: Key, found: FileValue | undefined, path: string): Candidate | undefined {
  if (found === undefined) return undefined;
  const { value: raw, template, untyped, line } = found;
  let value = untyped && typeof raw === 'string' ? fromText(keyInfo(key).kind, raw) : raw;
  if (key === 'workspace.path' && typeof value === 'string' && value !== '')
    value = resolve(dirname(path), value);
  const where = `${path}:${line}`;
  return { source: 'file', from: where, where, value, shown: template ?? value };
}

function fromDefault(key: Key, { workspaceDefault }: LoadOptions): Candidate {
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

/** A misspelt variable must not go unseen; but platforms add names of their own, so it is no error. */
function unknownVariables(environment: Environment): string[] {
  const known = new Set(KEY_NAMES.flatMap((key) => [variableOf(key), ...(keyInfo(key).short ?? [])]));
  const notices: string[] = [];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('OPENPACT_') || known.has(name) || isSecretVariable(name)) continue;
    if (name === 'OPENPACT_CI') continue;
    const meant = suggest(name, [...known]);
    notices.push(
      `The variable ${name} is not known and was ignored.${meant === undefined ? '' : ` Did you mean ${meant}?`}`,
    );
  }
  return notices;
}

interface Checker {
  safeParse(value: unknown): {
    readonly error?: {
      readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
    };
  };
}

function leafSchema(key: Key): Checker {
  let schema: unknown = settingsSchema;
  for (const part of key.split('.')) schema = (schema as { shape: Record<string, unknown> }).shape[part];
  return schema as Checker;
}

function nest(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const parts = key.split('.');
    const last = parts.pop() ?? '';
    let place = root;
    for (const part of parts) place = (place[part] ??= {}) as Record<string, unknown>;
    place[last] = value;
  }
  return root;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) freeze(part);
    Object.freeze(value);
  }
  return value;
}
