import { join, resolve } from 'node:path';
import { AppError } from '../core/index.ts';
import { withDotenv } from './dotenv.ts';
import type { Surroundings } from './env.ts';
import { readConfigFile, type ConfigFile } from './file.ts';
import { KEY_NAMES, type Key } from './keys.ts';
import { exposureNotices, unknownVariableNotices } from './notices.ts';
import { configInvalid, type Problem } from './problem.ts';
import { settingsSchema, toConfig } from './schema.ts';
import { takeSecrets, type EnvironmentSecrets } from './secrets.ts';
import { fromDefault, fromFile, fromFlag, fromVariable, nonEmpty, type Origin } from './sources.ts';
import type { Config, ConfigFlags, Environment } from './types.ts';

export interface LoadOptions {
  readonly flags: ConfigFlags;
  readonly environment: Environment;
  /** How the environment came here; without it nothing is said about what other processes can see of it. */
  readonly surroundings?: Pick<Surroundings, 'handedOver' | 'wiped'>;
  /** Its `.env` is read, and paths of flags and variables are relative to it. */
  readonly folder: string;
  /** Where the workspace is when nothing says otherwise. */
  readonly workspaceDefault: string;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly secrets: EnvironmentSecrets;
  /** Worth saying at the start, but no error. */
  readonly notices: readonly string[];
  readonly origins: ReadonlyMap<Key, Origin>;
}

/**
 * Flags win over variables, variables over the file, the file over the defaults (C-01).
 * Throws `config_invalid` with every problem, `config_unreadable`, `config_missing` or `dotenv_unreadable`; all of
 * family `config`.
 */
export function loadConfig(given: LoadOptions): LoadedConfig {
  const dotenv = withDotenv(given.environment, given.folder);
  const options: LoadOptions = { ...given, environment: dotenv.environment };
  const { environment, flags } = options;
  const notices: string[] = [
    ...exposureNotices(given.environment, given.surroundings),
    ...dotenv.notices,
    ...unknownVariableNotices(environment),
  ];
  const { path, file } = findFile(options, notices);
  const { secrets, problems: secretProblems } = takeSecrets(environment, file.secrets);
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

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) freeze(part);
    Object.freeze(value);
  }
  return value;
}
