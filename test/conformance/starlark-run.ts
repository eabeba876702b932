#!/usr/bin/env node
/**
 * The adapter of the suites' runner: `starlark-run.ts --mode=exec|parse|resolve --options=a,b FILE` prints one JSON
 * object per event and nothing else. Exit status 0 when there was no error, 1 otherwise.
 */
import { readFileSync } from 'node:fs';
import { runChunk, type ChunkOptions } from './run-chunk.ts';

const args = process.argv.slice(2);
const option = (name: string): string =>
  args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';
const file = args.find((arg) => !arg.startsWith('--'));
const mode = option('mode') === '' ? 'exec' : option('mode');
if (file === undefined || !['exec', 'parse', 'resolve'].includes(mode)) {
  process.stderr.write('usage: starlark-run.ts --mode=exec|parse|resolve --options=a,b FILE\n');
  process.exit(2);
}
const options = option('options')
  .split(',')
  .filter((name) => name !== '');
const events = runChunk(readFileSync(file, 'utf8'), { mode: mode as ChunkOptions['mode'], options });
for (const event of events) process.stdout.write(`${JSON.stringify(event)}\n`);
process.exitCode = events.some((event) => event.kind === 'error' || event.kind === 'static') ? 1 : 0;
