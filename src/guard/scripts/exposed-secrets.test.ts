import { expect, test } from 'vitest';
import { OWNER, MODEL } from '../../../test/support/script-bench.ts';
import { scriptBenches } from '../../../test/support/script-benches.ts';
import { plainRedactor } from '../../../test/fakes/plain-redactor.ts';
import { exposedSecrets } from './exposed-secrets.ts';

const INLINE = '# @description: d\nKEY = "s3cret-value"\nresult = 1\n';

const open = scriptBenches();

test('the line is told where a value stands in one', () => {
  expect(exposedSecrets(INLINE, plainRedactor)).toEqual([
    { line: 2, message: expect.stringContaining('secrets.get("TEST")') },
  ]);
  const overLines = {
    ...plainRedactor,
    text: (text: string) => ({ value: '', hidden: text.includes('a\nb') ? { PEM: 1 } : {} }),
  };
  expect(exposedSecrets('x\na\nb', overLines)).toMatchObject([{ line: 1 }]);
  expect(exposedSecrets('result = 1', plainRedactor)).toEqual([]);
});

test.each([OWNER, MODEL])('a text with a value in it is not saved, whoever brings it ($kind)', async (by) => {
  const bench = open();
  await expect(bench.save('job', INLINE, by)).rejects.toMatchObject({
    code: 'secret_in_source',
    message: expect.not.stringContaining('s3cret-value'),
  });
  expect(bench.library.state('job')).toBeUndefined();
});

test('one that is dropped in the folder is there to be seen, and can not be approved', async () => {
  const bench = open();
  bench.drop('job', INLINE);
  await bench.library.lookAll();
  const { hash } = bench.library.require('job');
  expect(bench.library.problems(hash)).toMatchObject([{ line: 2 }]);
  await expect(bench.decisions.approve('job', { hash }, OWNER)).rejects.toMatchObject({
    code: 'secret_in_source',
  });
});

test('null is no grant: what was meant to be narrowed is not approved whole', async () => {
  const bench = open();
  await bench.save('job', '# @hosts: a.example\nresult = 1\n');
  const { hash } = bench.library.require('job');
  await expect(bench.decisions.approve('job', { hash, grant: null }, OWNER)).rejects.toMatchObject({
    code: 'grant_invalid',
  });
});
