import { expect, test } from 'vitest';
import { AppError } from '../../core/index.ts';
import { approved } from '../../../test/support/script-bench.ts';
import { scriptBenches } from '../../../test/support/script-benches.ts';
import { capabilitiesByScripts } from './by-scripts.ts';

const open = scriptBenches();
const reaching = (host: string) => `# @hosts: ${host}\nhttp.get("https://${host}/")\n`;

test('scripts that may run are named with where they reach; one whose stored text is damaged hides no other', async () => {
  const made = open();
  const said = () => capabilitiesByScripts(made.library).map(({ id, answer }) => [id, answer]);
  expect(said()).toEqual([['scripts-none', 'never']]);
  const damaged = await approved(made, 'damaged', reaching('a.example'));
  await approved(made, 'good', reaching('b.example'));
  await made.save('waits', reaching('c.example'));
  expect(said()).toEqual([
    ['script-damaged', 'allowed'],
    ['script-good', 'allowed'],
  ]);
  const facts: typeof made.library.facts = (hash) => {
    if (hash === damaged)
      throw new AppError({ family: 'config', code: 'script_damaged', message: 'It is not what it was.' });
    return made.library.facts(hash);
  };
  expect(capabilitiesByScripts({ ...made.library, facts }).map(({ id }) => id)).toEqual(['script-good']);
});
