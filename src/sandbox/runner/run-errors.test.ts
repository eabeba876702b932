import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorOfExit, RUN_ERROR_CODES } from './run-errors.ts';

test('every way in which a run ends from outside stands in the table for authors', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/starlark.md'), 'utf8');
  const table = page.slice(page.indexOf('## Error codes'), page.indexOf('## Where a script runs'));
  expect(RUN_ERROR_CODES.filter((code) => !table.includes(`\`${code}\``))).toEqual([]);
});

test.each([
  [{ code: null, signal: 'SIGABRT', reason: 'signal' }, 'process_memory'],
  [{ code: null, signal: 'SIGTRAP', reason: 'signal' }, 'process_memory'],
  [{ code: 134, signal: null, reason: 'exited' }, 'process_memory'],
  [{ code: null, signal: 'SIGXCPU', reason: 'cpu_limit' }, 'process_cpu'],
  [{ code: null, signal: 'SIGSYS', reason: 'forbidden_call' }, 'process_call'],
  [{ code: null, signal: 'SIGKILL', reason: 'signal' }, 'process_died'],
  [{ code: 1, signal: null, reason: 'exited' }, 'process_died'],
] as const)('an end like %o is %s', (exit, code) => {
  expect(errorOfExit(exit).code).toBe(code);
});
