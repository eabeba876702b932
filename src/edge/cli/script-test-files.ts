/** The files and options of `script test`, read into a request. Values of secrets are never quoted in an error. */
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { AppError, errorText, isJsonObject } from '../../core/index.ts';
import { readCannedHttp } from '../../guard/scripts/index.ts';
import { fixedSecrets, NO_GRANT, parseGrant } from '../../guard/secrets/broker/index.ts';
import { parseExact, type ExactJson } from '../../sandbox/wire/index.ts';
import type { ScriptTestRequest } from './script-test-ports.ts';

export interface ScriptTestFlags {
  readonly function?: string | undefined;
  readonly args?: Arguments | undefined;
  readonly secrets?: string | undefined;
  readonly grant?: string | undefined;
  readonly http?: string | undefined;
  readonly now?: number | undefined;
  readonly json?: boolean | undefined;
}

export type Arguments = readonly ExactJson[] | { readonly [name: string]: ExactJson };

const MOST_BYTES = 64 * 1024 * 1024;
const SECRET_NAME = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Errors: input `file_unreadable`, `file_invalid`, `grant_invalid`, `http_file_invalid`, `secret_too_long`. */
export function readScriptTest(file: string, flags: ScriptTestFlags): ScriptTestRequest {
  const { args } = flags;
  const values = flags.secrets === undefined ? new Map<string, string>() : readSecrets(flags.secrets);
  const listed = args === undefined || isList(args);
  return {
    name: basename(file),
    source: readText(file),
    entry: flags.function,
    args: listed ? args : undefined,
    kwargs: listed ? undefined : args,
    grant: flags.grant === undefined ? NO_GRANT : parseGrant(readJson(flags.grant)),
    secrets: fixedSecrets(values),
    send: readCannedHttp(flags.http === undefined ? {} : readJson(flags.http), {
      secrets: values,
      refuse: httpInvalid,
    }),
    now: flags.now,
  };
}

function isList(args: Arguments): args is readonly ExactJson[] {
  return Array.isArray(args);
}

/** Undefined when the text is no JSON array or object. */
export function parseArguments(text: string): Arguments | undefined {
  try {
    const data = parseExact(text);
    return typeof data === 'object' && data !== null ? (data as Arguments) : undefined;
  } catch {
    return undefined;
  }
}

/** A time of RFC 3339 in milliseconds since 1970; undefined for anything else. */
export function parseTime(text: string): number | undefined {
  const shape = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;
  const time = shape.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function readText(file: string): string {
  let bytes: Buffer;
  try {
    // A pipe or a device might never end.
    const { size } = statSync(file);
    if (size > MOST_BYTES) throw new Error('it is larger than 64 MiB');
    bytes = readFileSync(file);
  } catch (error) {
    throw new AppError({
      family: 'input',
      code: 'file_unreadable',
      ...(!isMissing(error)
        ? { message: `${file} can't be read: ${errorText(error)}` }
        : {
            message: `There is no file ${file}.`,
            fix: 'Give its path from the folder in which you are, or the whole path.',
          }),
      cause: error,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw invalid(file, 'it is no text in UTF-8', error);
  }
}

function readJson(file: string): unknown {
  const text = readText(file);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's words quote the text, which may hold secrets.
    throw invalid(file, 'it is no JSON');
  }
}

function readSecrets(file: string): ReadonlyMap<string, string> {
  const data = readJson(file);
  if (!isJsonObject(data)) throw invalid(file, 'it is not {"NAME": "value"}');
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(data)) {
    if (!SECRET_NAME.test(name))
      throw invalid(file, `"${name.slice(0, 80)}" is not the name of a secret (want A-Z, 0-9, _)`);
    if (typeof value !== 'string') throw invalid(file, `the value of ${name} is no text`);
    values.set(name, value);
  }
  return values;
}

function httpInvalid(what: string): AppError {
  return new AppError({
    family: 'input',
    code: 'http_file_invalid',
    message: `The file with HTTP answers can't be used: ${what}.`,
    fix: 'It looks like {"GET https://host/path?query": {"status": 200, "headers": {}, "body": "text"}}.',
  });
}

function invalid(file: string, what: string, cause?: unknown): AppError {
  return new AppError({
    family: 'input',
    code: 'file_invalid',
    message: `${file} can't be used: ${what}.`,
    cause,
  });
}
