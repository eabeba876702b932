/**
 * Reads the public suites and judges chunks, by the rules that stand beside the suites: a chunk passes when every
 * assertion holds and every expected error came; it is of the right kind when only the message differs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChunk, type Event } from './run-chunk.ts';

export interface Chunk {
  /** Suite, file, line and number: the key of the baseline. */
  readonly key: string;
  readonly source: string;
  readonly options: readonly string[];
  /** Expected errors: regular expressions. */
  readonly want: readonly string[];
  /** Whether they ignore case. */
  readonly anyCase: boolean;
}

export type Verdict = 'pass' | 'kind' | 'fail';

export interface Judgement {
  readonly key: string;
  readonly verdict: Verdict;
  readonly why: string;
}

const OPTIONS = ['set', 'while', 'toplevelcontrol', 'globalreassign', 'loadbindsglobally', 'recursion'];

function optionsOf(text: string): string[] {
  return OPTIONS.filter((name) => text.includes(`option:${name}`));
}

/** Chunks of the Java suite: expectations for everyone, in raw text. */
function javaChunks(text: string, key: (line: number) => string): Chunk[] {
  let line = 1;
  return text.split('\n---\n').map((body) => {
    const start = line;
    line += body.split('\n').length + 1;
    const want = body
      .split('\n')
      .flatMap((l) => (l.includes('###') ? [l.slice(l.indexOf('###') + 3).trim()] : []));
    return { key: key(start), source: '\n'.repeat(start - 1) + body, options: [], want, anyCase: false };
  });
}

/** Chunks of the specification's suite: expectations may be for one implementation only. */
function specChunks(text: string, key: (line: number) => string): Chunk[] {
  const chunks: Chunk[] = [];
  let lines: string[] = [];
  let want: string[] = [];
  let start = 1;
  const flush = (): void => {
    chunks.push({
      key: key(start),
      source: `${'\n'.repeat(start - 1)}${lines.join('\n')}\n`,
      options: optionsOf(lines.join('\n')),
      want,
      anyCase: true,
    });
  };
  text.split('\n').forEach((raw, i) => {
    const line = raw.trimEnd();
    if (line === '---') {
      flush();
      lines = [];
      want = [];
      start = i + 2;
      return;
    }
    const match = /^(.*?) *### *((?:go|java|rust):)? *(.*)$/.exec(line);
    if (match !== null && (match[2] === undefined || match[2] === 'java:')) want.push(match[3] ?? '');
    lines.push(match === null ? line : (match[1] ?? ''));
  });
  flush();
  return chunks;
}

/** Every chunk of one suite below a folder. */
export function readSuite(
  root: string,
  suite: 'spec/go' | 'spec/java' | 'spec/rust' | 'bazel-java',
): Chunk[] {
  const folder = join(root, suite.replace('spec/', 'spec-suite/'));
  return readdirSync(folder)
    .filter((name) => name.endsWith('.star') && !name.startsWith('bench_'))
    .sort()
    .flatMap((name) => {
      const text = readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n');
      const seen = new Map<number, number>();
      const key = (line: number): string => {
        seen.set(line, (seen.get(line) ?? 0) + 1);
        return `${suite}/${name}:${line}#${seen.get(line) ?? 0}`;
      };
      return suite === 'bazel-java' ? javaChunks(text, key) : specChunks(text, key);
    });
}

function matches(pattern: string, text: string, anyCase: boolean): boolean {
  if (text.toLowerCase().includes(pattern.toLowerCase())) return true;
  try {
    return new RegExp(pattern, anyCase ? 'i' : '').test(text);
  } catch {
    return false;
  }
}

/** Runs a chunk. `assertions` is how many it must execute at least. */
export function judge(chunk: Chunk, assertions: number): Judgement {
  const events = runChunk(chunk.source, { mode: 'exec', options: chunk.options });
  const text = (kinds: readonly Event['kind'][]): string[] =>
    events.flatMap((e) => (e.kind !== 'done' && kinds.includes(e.kind) ? [`L${e.line}: ${e.msg}`] : []));
  const failed = text(['assert']);
  const errors = text(['error', 'static']);
  const ran = events.reduce((n, e) => (e.kind === 'done' ? e.asserts : n), 0);
  const verdict = (v: Verdict, why: string): Judgement => ({ key: chunk.key, verdict: v, why });
  if (failed.length > 0) return verdict('fail', `assertion ${failed[0] ?? ''} (${failed.length} in all)`);
  if (ran < assertions)
    return verdict('fail', `only ${ran} of ${assertions} assertions ran; ${errors.join('; ')}`);
  if (chunk.want.length > 0 && errors.length === 0)
    return verdict('fail', `missing error ${chunk.want.join('; ')}`);
  if (chunk.want.length === 0 && errors.length > 0) return verdict('fail', `unexpected ${errors.join('; ')}`);
  const missed = chunk.want.filter((w) => !matches(w, errors.join('\n'), chunk.anyCase));
  return missed.length === 0
    ? verdict('pass', '')
    : verdict('kind', `${errors.join('; ')} !~ ${missed.join('; ')}`);
}
