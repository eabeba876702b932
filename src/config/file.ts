// Guarantees: a file that can't be read, is no YAML, or has a key that we don't know is refused, with all reasons at
// once and their lines. Does not: judge values (load.ts does). An attacker may control: nothing; `secure/` is ours alone.
import { readFileSync } from 'node:fs';
import { isAlias, isMap, isScalar, LineCounter, parseDocument, Scalar, visit, type Document } from 'yaml';
import { AppError, errorText } from '../core/index.ts';
import { GONE, KEY_NAMES, type Key } from './keys.ts';
import type { Problem } from './problem.ts';
import { secretNameProblem, secretValueProblem } from './secret-rule.ts';
import { SecretText } from './secret-text.ts';
import { substitute } from './substitute.ts';
import { suggest } from './suggest.ts';
import type { Environment } from './types.ts';

export interface FileValue {
  readonly value: unknown;
  readonly line: number;
  /** The text with its `${VAR}`, where something was filled in: all that may be shown. */
  readonly template: string | null;
  /** Filled in without quotes: the text takes the kind that the key has. */
  readonly untyped: boolean;
}

export interface ConfigFile {
  readonly found: boolean;
  readonly values: ReadonlyMap<Key, FileValue>;
  /** Of `starlark.secrets`: what the variables hold that stand there, by the name of the secret. */
  readonly secrets: ReadonlyMap<string, SecretText>;
  readonly problems: readonly Problem[];
}

const NOTHING: ConfigFile = { found: false, values: new Map(), secrets: new Map(), problems: [] };
const MAX_BYTES = 1024 * 1024;
/** Names of secrets for scripts, with variables that hold them. It is no setting: its values are never shown. */
const SECRETS = 'starlark.secrets';

/** Reads the file. A missing one is `found: false`; one that can't be read throws `config_unreadable`. */
export function readConfigFile(path: string, environment: Environment): ConfigFile {
  const text = readText(path);
  return text === undefined ? NOTHING : parseConfigFile(path, text, environment);
}

function readText(path: string): string | undefined {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MAX_BYTES) throw new Error('it is larger than 1 MiB');
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AppError({
      family: 'config',
      code: 'config_unreadable',
      message: `The configuration ${path} can't be read: ${errorText(error)}.`,
      fix: `Nothing was started. Make the file readable for the user that starts OpenPact: chmod 600 '${path}'`,
      cause: error,
    });
  }
}

function parseConfigFile(path: string, text: string, environment: Environment): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems: Problem[] = [];
  const lineOf = (offset: number) => lines.linePos(offset).line;
  const report = (offset: number, message: string) =>
    problems.push({ where: `${path}:${lineOf(offset)}`, message });

  for (const error of [...document.errors, ...document.warnings]) report(error.pos[0], error.message);
  if (problems.length > 0) return { found: true, values: new Map(), secrets: new Map(), problems };

  const { templates, broken } = fillIn(document, environment, report);
  const values = new Map<Key, FileValue>();
  const secrets = new Map<string, SecretText>();
  const takeSecrets = (node: unknown, offset: number): void => {
    const map = isAlias(node) ? node.resolve(document) : node;
    if (map === null || (isScalar(map) && map.value === null)) return;
    if (!isMap(map)) return void report(offset, `${SECRETS} must hold names and references`);
    for (const { key, value } of map.items) {
      const at = isScalar(key) ? (key.range?.[0] ?? offset) : offset;
      const name = String(key);
      const target = isAlias(value) ? value.resolve(document) : value;
      if (isOrHolds(target, broken)) continue;
      const problem = secretNameProblem(name);
      if (problem !== undefined) {
        report(at, `${SECRETS}: ${problem}`);
      } else if (!isScalar(target) || !/^\$\{[A-Za-z_]\w*\}$/.test(templates.get(target) ?? '')) {
        // Not repeated: it may be the secret itself.
        report(at, `${SECRETS}.${name} must be a reference such as "\${MY_VARIABLE}", not a value`);
      } else {
        const text = String(target.value).trim();
        const wrong = secretValueProblem(text);
        if (wrong === undefined) secrets.set(name, new SecretText(text));
        else report(at, `${SECRETS}.${name} ${wrong}`);
      }
    }
  };
  const walk = (node: unknown, prefix: string): void => {
    const map = isAlias(node) ? node.resolve(document) : node;
    if (map === null || (isScalar(map) && map.value === null)) return;
    if (!isMap(map)) {
      const offset = (map as Scalar).range?.[0] ?? 0;
      report(offset, prefix === '' ? 'must hold keys and values' : `${prefix} must hold keys, not a value`);
      return;
    }
    for (const { key, value } of map.items) {
      const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
      const name = prefix === '' ? String(key) : `${prefix}.${String(key)}`;
      if (name === SECRETS) {
        takeSecrets(value, offset);
      } else if (isKey(name)) {
        const target = isAlias(value) ? value.resolve(document) : value;
        // Already reported, and no value to judge.
        if (isOrHolds(target, broken)) continue;
        const template = isScalar(target) ? templates.get(target) : undefined;
        values.set(name, {
          value: (target as Scalar | null)?.toJS(document) ?? null,
          line: lineOf(offset),
          template: template ?? (isOrHolds(target, templates) ? 'filled in from variables' : null),
          untyped: template !== undefined && isScalar(target) && target.type === Scalar.PLAIN,
        });
      } else if (name in GONE) {
        report(offset, `${name} is no longer a key: ${GONE[name]}`);
      } else if (
        [SECRETS, ...KEY_NAMES, ...Object.keys(GONE)].some((known) => known.startsWith(`${name}.`))
      ) {
        walk(value, name);
      } else {
        report(offset, unknownKey(name));
      }
    }
  };
  walk(document.contents, '');
  return { found: true, values, secrets, problems };
}

/** Replaces the texts in place and remembers what stood there. */
function fillIn(
  document: Document,
  environment: Environment,
  report: (offset: number, message: string) => void,
): { readonly templates: ReadonlyMap<unknown, string>; readonly broken: ReadonlySet<unknown> } {
  const templates = new Map<unknown, string>();
  const broken = new Set<unknown>();
  visit(document, {
    Scalar(place, node, path) {
      if (place === 'key' || typeof node.value !== 'string') return;
      const { text, changed, problems } = substitute(node.value, environment);
      if (!changed) return;
      const names = path.flatMap((part) =>
        'key' in part && isScalar(part.key) ? [String(part.key.value)] : [],
      );
      for (const problem of problems) report(node.range?.[0] ?? 0, `${names.join('.')} ${problem}`);
      if (problems.length > 0) broken.add(node);
      templates.set(node, node.value);
      node.value = text;
    },
  });
  return { templates, broken };
}

function isOrHolds(node: unknown, marked: { has(node: unknown): boolean }): boolean {
  if (marked.has(node)) return true;
  return (
    typeof node === 'object' &&
    node !== null &&
    'items' in node &&
    (node.items as readonly unknown[]).some((item) => marked.has(item))
  );
}

function isKey(name: string): name is Key {
  return (KEY_NAMES as readonly string[]).includes(name);
}

function unknownKey(name: string): string {
  const last = name.slice(name.lastIndexOf('.') + 1);
  const sections = KEY_NAMES.flatMap((key) =>
    key.split('.').map((_, i, parts) => parts.slice(0, i + 1).join('.')),
  );
  const known = [...new Set([...KEY_NAMES, ...sections, SECRETS])];
  // First a slip of the finger, then a right key in the wrong section.
  const meant = suggest(name, known) ?? KEY_NAMES.find((key) => key.endsWith(`.${last}`));
  return `${name} is not a known key${meant === undefined ? '' : `. Did you mean ${meant}?`}`;
}
