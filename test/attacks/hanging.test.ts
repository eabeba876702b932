/** What the owner's stop and the clock must reach although something hangs, in the running program. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { ApprovalList } from '../../src/edge/admin/api.ts';
import { descendants, isAlive } from '../support/processes.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { start, startWithModel } from '../support/with-fake-model.ts';

/** The process that opens files. */
function fileChild(program: RunningProgram): number {
  const found = descendants(program.pid).find((pid) =>
    /file-child|files\/child\/main/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
  );
  if (found === undefined) throw new Error('the process that opens files does not run');
  return found;
}

test('a stop reaches a turn whose files hang while its instructions are put together, and other turns go on after the deadline of that one operation', async () => {
  const { program, model } = await startWithModel({ otherwise: { text: 'Fine.' } });
  await program.say('hello');
  const asked = model.requests.length;
  const hung = fileChild(program);
  process.kill(hung, 'SIGSTOP');
  const chat = await program.chat(await program.newConversation());
  chat.send({ type: 'message', content: 'never answered' });
  await chat.until((event) => event.type === 'started');
  const other = program.say('and I?');
  const at = performance.now();
  chat.send({ type: 'abort' });
  const end = await chat.until((event) => event.type === 'done', 5_000);
  expect(end).toMatchObject({ status: 'stopped' });
  expect(performance.now() - at, 'it did not wait for the deadline of the files').toBeLessThan(4_000);
  expect(model.requests.length, 'the model was not asked for a turn that was stopped').toBe(asked);
  expect(isAlive(hung)).toBe(true);
  expect((await other).events.at(-1)).toMatchObject({ type: 'done', status: 'done' });
  expect(isAlive(hung), 'the process that hung was ended').toBe(false);
}, 60_000);

test('a request for approval expires by itself within seconds of its time, while nobody asks for anything', async () => {
  const { program } = await startWithModel({
    answers: [
      { calls: [{ name: 'workspace_write', arguments: { path: 'notes.md', content: 'x' } }] },
      { text: 'Then not.' },
    ],
  });
  const chat = await program.chat(await program.newConversation());
  chat.send({ type: 'message', content: 'go' });
  const approval = await program.waitForApproval();
  // Its day is over: the shortest time that can be set is a minute.
  const database = new DatabaseSync(join(program.workspace, 'secure', 'data', 'openpact.db'));
  const changed = database
    .prepare('UPDATE approvals SET expires_at = ? WHERE id = ?')
    .run(Date.now() + 500, approval.id);
  database.close();
  expect(changed.changes).toBe(1);
  const at = performance.now();
  const decided = await chat.until((event) => event.type === 'approval_decided', 10_000);
  expect(decided).toMatchObject({ id: approval.id, status: 'expired' });
  expect(performance.now() - at).toBeLessThan(5_000);
  await chat.until((event) => event.type === 'done' && event.status === 'done');
  expect(chat.events).toContainEqual(expect.objectContaining({ type: 'tool_result', outcome: 'expired' }));
  const late = await program.api<{ error: string }>('POST', `/api/approvals/${approval.id}/approve`, {});
  expect([late.status, late.body.error]).toEqual([409, 'already_decided']);
}, 60_000);

test('a call that was approved after a restart and then hangs is stopped like a turn, by the stop of its conversation and by the stop of everything', async () => {
  const model = {
    otherwise: { calls: [{ name: 'workspace_write', arguments: { path: 'notes.md', content: 'x' } }] },
  };
  const { program: first } = await startWithModel(model);
  for (let i = 0; i < 2; i += 1) {
    const chat = await first.chat(await first.newConversation());
    chat.send({ type: 'message', content: 'go' });
    await chat.until((event) => event.type === 'approval');
  }
  await first.kill();
  const program = await start({ workspace: first.workspace });
  const { body } = await program.api<ApprovalList>('GET', '/api/approvals?status=pending');
  expect(body.approvals).toHaveLength(2);
  // Its process runs before it is made to hang.
  await program.api('GET', '/api/identity');
  process.kill(fileChild(program), 'SIGSTOP');
  const stops = [
    (id: string) => program.api('POST', `/api/sessions/${id}/abort`, {}),
    () => program.api('POST', '/api/turns/stop', {}),
  ];
  for (const [index, stop] of stops.entries()) {
    const approval = body.approvals[index];
    const id = approval?.conversation_id ?? '';
    const chat = await program.chat(id);
    expect((await program.api('POST', `/api/approvals/${approval?.id}/approve`, {})).status).toBe(200);
    const { body: status } = await program.api<{ running_turns: number }>('GET', '/api/system/status');
    expect(status.running_turns).toBe(1);
    const at = performance.now();
    expect((await stop(id)).status).toBe(200);
    // It may have been written: that is not known, and said.
    const result = await chat.until((event) => event.type === 'tool_result', 5_000);
    expect(result).toMatchObject({ is_error: true, outcome: 'unknown' });
    expect(performance.now() - at).toBeLessThan(4_000);
  }
}, 60_000);
