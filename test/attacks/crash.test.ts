/** kill -9, at twenty points of a turn: what was acknowledged is there afterwards, and nothing happened twice. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApprovalList, AuditList, ChatServerEvent } from '../../src/edge/admin/api.ts';
import { startFakeModel, type FakeModel } from '../fakes/openai-server.ts';
import { PRODUCT } from '../support/product.ts';
import { startProgram, type RunningProgram } from '../support/running-program.ts';
import { useModel } from '../support/with-fake-model.ts';

const POINTS = 20;
const workspace = mkdtempSync(join(tmpdir(), 'openpact-crash-'));
let model: FakeModel;
let program: RunningProgram | undefined;

beforeAll(async () => {
  // Each message asks for one memory write with its own mark, then for a write that needs an approval.
  model = await startFakeModel({
    otherwise: (request) => {
      const messages = (request.body as { messages: { role: string; content: string }[] }).messages;
      const mark = messages.findLast((message) => message.role === 'user')?.content ?? '';
      const step = messages.length - 1 - messages.findLastIndex((message) => message.role === 'user');
      if (step === 0)
        return {
          text: ['Noting ', mark],
          calls: [{ name: 'memory_write', arguments: { content: mark, append: true } }],
          chunkDelayMs: 5,
        };
      if (step === 2)
        return {
          calls: [{ name: 'workspace_write', arguments: { path: `notes/${mark}.md`, content: mark } }],
        };
      return { text: ['All ', 'done.'], chunkDelayMs: 5 };
    },
  });
});
afterAll(async () => {
  await program?.kill();
  await model.close();
  rmSync(workspace, { recursive: true, force: true });
});

const memory = (): string => readFileSync(join(workspace, 'ai-data', 'MEMORY.md'), 'utf8');
const count = (text: string, part: string): number => text.split(part).length - 1;

/** What a person was told and must find again. */
function acknowledged(events: readonly ChatServerEvent[]): ChatServerEvent[] {
  return events.filter((event) =>
    ['user', 'tool_call', 'tool_result', 'approval', 'approval_decided', 'done'].includes(event.type),
  );
}

function children(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .map(Number)
    .filter((child) => child > 0);
}

/** Until so many events were heard, or nothing new comes: then the turn waits for a person. */
async function heardOr(events: readonly ChatServerEvent[], wanted: number): Promise<void> {
  const enough = (): number => (events.some(({ type }) => type === 'approval') ? 10 : 150);
  for (let quiet = 0, before = 0; events.length < wanted && quiet < enough();) {
    await new Promise((wait) => setTimeout(wait, 10));
    quiet = events.length === before ? quiet + 1 : 0;
    before = events.length;
  }
}

test('after kill -9 at twenty points of a turn no acknowledged message, approval or audit row is missing, and no tool ran twice', async () => {
  const heard: { id: string; events: readonly ChatServerEvent[] }[] = [];
  let lastAudit = 0;
  const asked = new Set<string>();
  for (let point = 0; point < POINTS; point += 1) {
    program = await startProgram({ workspace });
    if (point === 0) await useModel(program, model);
    // Everything from before is still there.
    for (const { id, events } of heard.slice(-3)) {
      const now = await program.chat(id);
      await now.until((event) => event.type === 'done');
      const bySeq = new Map(now.events.map((event) => [event.seq, event]));
      for (const event of acknowledged(events))
        expect(bySeq.get(event.seq), `event ${event.seq} of ${id}`).toEqual(event);
      now.close();
    }
    const { body: pending } = await program.api<ApprovalList>('GET', '/api/approvals?limit=100');
    for (const id of asked) expect(pending.approvals.map((approval) => approval.id)).toContain(id);
    const { body: audit } = await program.api<AuditList>('GET', '/api/audit?limit=1');
    expect(audit.entries[0]?.seq ?? 0).toBeGreaterThan(lastAudit);

    const mark = `mark-${String(point).padStart(2, '0')}-end`;
    const id = await program.newConversation();
    const chat = await program.chat(id);
    chat.send({ type: 'message', content: mark });
    await heardOr(chat.events, (point % 10) + 1);
    await new Promise((wait) => setTimeout(wait, point < 10 ? 0 : 3));
    if (point % 3 === 2) {
      // Only the processes of the assistant: the program goes on and says what happened.
      for (const pid of children(program.pid)) process.kill(pid, 'SIGKILL');
      await new Promise((wait) => setTimeout(wait, 50));
    }
    const seen = await program.api<AuditList>('GET', '/api/audit?limit=1');
    lastAudit = seen.body.entries[0]?.seq ?? lastAudit;
    await program.kill();
    await chat.closed;
    heard.push({ id, events: [...chat.events] });
    for (const event of chat.events) if (event.type === 'approval') asked.add(event.id);
    for (const event of chat.events) {
      if (event.type === 'tool_result' && event.outcome === 'done') expect(count(memory(), mark)).toBe(1);
    }
    expect(count(memory(), mark)).toBeLessThanOrEqual(1);
  }
  expect(asked.size, 'some points lie behind the request for an approval').toBeGreaterThan(2);

  // Approving after the restart runs the call once, and the conversation can go on.
  program = await startProgram({ workspace });
  const { body } = await program.api<ApprovalList>('GET', '/api/approvals?status=pending&limit=100');
  for (const approval of body.approvals) {
    const [first, second] = await Promise.all([
      program.api('POST', `/api/approvals/${approval.id}/approve`, {}),
      program.api('POST', `/api/approvals/${approval.id}/approve`, {}),
    ]);
    expect([first.status, second.status].toSorted((a, b) => a - b)).toEqual([200, 409]);
  }
  const [approval] = body.approvals;
  const chat = await program.chat(approval?.conversation_id ?? '');
  await chat.until(
    (event) =>
      event.type === 'tool_result' &&
      event.outcome === 'done' &&
      JSON.stringify(event.result).includes('notes/'),
  );
  chat.send({ type: 'continue' });
  await chat.until((event) => event.type === 'done' && event.status === 'done');
  for (const [index] of heard.entries()) {
    expect(count(memory(), `mark-${String(index).padStart(2, '0')}-end`)).toBeLessThanOrEqual(1);
  }
  const verdict = spawnSync(
    process.execPath,
    [PRODUCT, 'audit', 'verify', '--json', '--workspace', workspace],
    { encoding: 'utf8' },
  );
  expect(JSON.parse(verdict.stdout)).toMatchObject({ ok: true });
}, 180_000);
