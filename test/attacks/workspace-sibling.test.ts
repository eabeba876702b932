/** A model that writes beside its folder, against the running program: each control left out in turn. */
import { chownSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { modelCalls } from '../support/script-chat.ts';
import { startWithModel } from '../support/with-fake-model.ts';

async function written(off: readonly string[]): Promise<boolean> {
  // Nobody is asked: what is tried is where it may write, not whether.
  const { program, model } = await startWithModel({ answers: [] }, { off: ['policy', ...off] });
  const beside = join(program.workspace, 'ai-data-x');
  mkdirSync(beside);
  const { uid, gid } = statSync(join(program.workspace, 'secure', 'data'));
  chownSync(beside, uid, gid);
  const { outcome } = await modelCalls(program, model, 'workspace_write', {
    path: '../ai-data-x/f.txt',
    content: 'beside',
  });
  await program.kill();
  expect([off, outcome === 'done']).toEqual([off, existsSync(join(beside, 'f.txt'))]);
  return outcome === 'done';
}

test('workspace-sibling: a write beside ai-data is refused by the path rule, without it by the jail, without both by the fence; without all three it is written', async () => {
  const tried = [[], ['tool-paths'], ['tool-paths', 'jail'], ['tool-paths', 'jail', 'fences']];
  expect(await Promise.all(tried.map(written))).toEqual([false, false, false, true]);
}, 180_000);
