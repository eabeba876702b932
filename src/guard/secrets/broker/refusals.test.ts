import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REFUSAL_CODES } from './refusals.ts';

test('every code stands in the table for authors', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/starlark.md'), 'utf8');
  const table = page.split(/^## /m).find((part) => part.startsWith('Error codes')) ?? '';
  expect(REFUSAL_CODES.filter((code) => !table.includes(`\`${code}\``))).toEqual([]);
});
