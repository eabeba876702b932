import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ATTACKS } from './attacks.ts';

test('every attack that the page names stands in docs/security.md, whose own test looks whether it runs', () => {
  const document = readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8');
  const lacking = Object.values(ATTACKS).filter(
    ({ file, name }) => !document.includes(`\`${file}\`: "${name}"`),
  );
  expect(lacking).toEqual([]);
});
