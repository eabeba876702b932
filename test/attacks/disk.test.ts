/** A disk that is full, and one that became read-only, in the middle of turns of the running program. */
import { afterEach, expect, test } from 'vitest';
import type {
  Approval,
  ApprovalList,
  ChatMessage,
  ChatServerEvent,
  HealthAnswer,
} from '../../src/edge/admin/api.ts';
import { startFakeModel, type FakeAnswer, type FakeModel } from '../fakes/openai-server.ts';
import { auditVerdict } from '../support/audit-verify.ts';
import { startProgram, type Chat, type RunningProgram } from '../support/running-program.ts';
import { failingDisk, noDisksBecause, smallDisk } from '../support/small-disk.ts';
import { useModel } from '../support/with-fake-model.ts';

const missing = noDisksBecause();
if (missing !== undefined) console.warn(`NOT TRIED HERE: what a full and a read-only disk do. ${missing}.`);

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const act of undo.splice(0).toReversed()) await act();
});

/** By the message: a call that asks, a text that waits at its gate, text for ever, or a plain answer. */
function answer(request: { readonly body: unknown }): FakeAnswer {
  const { messages } = request.body as { messages: { role: string; content: string }[] };
  const asked = messages.findLastIndex((message) => message.role === 'user');
  const words = messages[asked]?.content ?? '';
  const first = asked === messages.length - 1;
  if (words.startsWith('ask') && first)
    return { calls: [{ name: 'workspace_write', arguments: { path: `${words}.md`, content: words } }] };
  if (words.startsWith('note') && first)
    return { text: 'Noting.', gate: true, calls: [{ name: 'memory_write', arguments: { content: words } }] };
  if (words.startsWith('wait')) return { text: 'Half of', gate: true };
  if (words.startsWith('talk'))
    return { text: Array.from({ length: 10_000 }, () => 'and '), chunkDelayMs: 20 };
  return { text: 'Fine.' };
}

interface Scene {
  readonly program: RunningProgram;
  readonly model: FakeModel;
  readonly chats: Readonly<Record<'wait' | 'note' | 'talk' | 'ask one' | 'ask two', Chat>>;
  readonly ids: Readonly<Record<string, string>>;
  readonly asked: readonly Approval[];
  /** What the page had been told when the disk failed. */
  readonly acknowledged: Map<string, readonly ChatServerEvent[]>;
  readonly lastAudit: number;
}

const REFUSED = 'is this stored?';
const isFirm = (event: ChatServerEvent): boolean =>
  ['user', 'started', 'tool_call', 'tool_result', 'approval', 'done'].includes(event.type);

/** Five conversations: one is finished, two wait for a person, three are in the middle of an answer. */
async function scene(workspace: string): Promise<Scene> {
  const model = await startFakeModel({ otherwise: answer });
  undo.push(() => model.close());
  const program = await startProgram({ workspace, config: 'engine: {max_turns_at_once: 8}\n' });
  undo.push(() => program.kill());
  await useModel(program, model);
  const ids: Record<string, string> = {};
  const chats: Record<string, Chat> = {};
  const before = await program.say('hello');
  for (const words of ['ask one', 'ask two', 'wait', 'note', 'talk']) {
    const id = await program.newConversation();
    const chat = await program.chat(id);
    chat.send({ type: 'message', content: words });
    await chat.until((event) => event.type === (words.startsWith('ask') ? 'approval' : 'text'));
    ids[words] = id;
    chats[words] = chat;
  }
  const { body } = await program.api<ApprovalList>('GET', '/api/approvals?status=pending');
  const asked = ['ask one', 'ask two'].flatMap((words) =>
    body.approvals.filter((approval) => approval.conversation_id === ids[words]),
  );
  expect(asked).toHaveLength(2);
  const acknowledged = new Map([
    [before.id, before.events.filter(isFirm)],
    ...Object.entries(ids).map(
      ([words, id]) => [id, (chats[words]?.events ?? []).filter(isFirm)] as [string, ChatServerEvent[]],
    ),
  ]);
  const audit = await program.api<{ entries: { seq: number }[] }>('GET', '/api/audit?limit=1');
  return {
    program,
    model,
    chats: chats as Scene['chats'],
    ids,
    asked,
    acknowledged,
    lastAudit: audit.body.entries[0]?.seq ?? 0,
  };
}

/** What has to hold while nothing can be stored. `code`: what the page is told. */
async function holdsWithoutDisk(
  { program, model, chats, ids, asked, acknowledged }: Scene,
  code: RegExp,
): Promise<void> {
  const refused = (chat: Chat): Promise<ChatServerEvent> =>
    chat.until((event) => event.type === 'rejected' && code.test(event.code), 20_000);

  // A message is not taken, and the page hears why and what to do.
  const idle = await program.chat([...acknowledged.keys()][0] ?? '');
  idle.send({ type: 'message', content: REFUSED });
  const told = await refused(idle);
  expect(told.type === 'rejected' ? told.content : '').toMatch(
    /could not|could be stored: the disk .+\. .+\.$/s,
  );
  const made = await program.api<{ error: string; fix?: string }>('POST', '/api/sessions', {});
  expect(made.status).toBe(503);
  expect(made.body.error).toMatch(code);
  expect(made.body.fix).toBeTruthy();
  const health = await program.api<HealthAnswer>('GET', '/health');
  expect(health.status).toBe(503);
  expect(health.body.checks['database']).toMatchObject({ status: 'unhealthy' });

  // Nothing is approved that can not be recorded; a denial goes ahead.
  const [one, two] = asked;
  const approved = await program.api<{ error: string }>('POST', `/api/approvals/${one?.id}/approve`, {});
  expect(approved.status).toBe(503);
  expect(approved.body.error).toMatch(code);
  const denied = await program.api<Approval>('POST', `/api/approvals/${two?.id}/deny`, { reason: 'no' });
  expect(denied.status).toBe(200);
  expect(denied.body.status).toBe('denied');

  // A stop works while text streams.
  const stopped = await program.api('POST', `/api/sessions/${ids['talk']}/abort`, {});
  expect(stopped.status).toBe(200);
  const end = await chats.talk.until((event) => event.type === 'done');
  expect(end).toMatchObject({ status: 'stopped' });

  // What runs ends, and says why. No tool runs whose intent could not be written.
  model.release();
  for (const chat of [chats.wait, chats.note]) {
    await chat.until((event) => event.type === 'done');
    expect(chat.events.filter((event) => event.type === 'tool_result' && event.outcome === 'done')).toEqual(
      [],
    );
  }
  expect(chats.note.events.findLast((event) => event.type === 'done')).toMatchObject({ status: 'failed' });
  expect(chats.note.events.flatMap((event) => (event.type === 'error' ? [event.code] : []))).toHaveLength(1);

  // Reading goes on: everything that was acknowledged is there.
  for (const id of acknowledged.keys()) {
    const messages = await program.api<readonly ChatMessage[]>('GET', `/api/sessions/${id}/messages`);
    expect(messages.status).toBe(200);
    expect(messages.body.length).toBeGreaterThan(0);
  }
  for (const path of [
    '/api/sessions',
    '/api/approvals',
    '/api/audit',
    '/api/policy',
    '/api/identity',
    '/api/usage?from=2026-01-01&to=2026-01-02',
  ]) {
    expect((await program.api('GET', path)).status, path).toBe(200);
  }
  expect(program.log()).not.toMatch(/unexpected error|failed unexpectedly|error of its own|met a bug/);
}

async function nothingIsLost(program: RunningProgram, { acknowledged, lastAudit }: Scene): Promise<void> {
  for (const [id, events] of acknowledged) {
    const chat = await program.chat(id);
    await chat.until((event) => event.seq >= (events.at(-1)?.seq ?? 0));
    for (const event of events) expect(chat.events).toContainEqual(event);
    // What was refused did not slip in.
    expect(chat.events.filter((event) => event.type === 'user' && event.content === REFUSED)).toEqual([]);
    chat.close();
  }
  const audit = await program.api<{ entries: { seq: number }[] }>('GET', '/api/audit?limit=1');
  expect(audit.body.entries[0]?.seq).toBeGreaterThanOrEqual(lastAudit);
  expect(auditVerdict(program.workspace)).toMatchObject({ ok: true });
}

test.skipIf(missing !== undefined)(
  'a disk that fills up during turns: clear errors, deny, stop and reading work, nothing is lost, and it goes on by itself once there is room',
  async () => {
    const disk = smallDisk(24 * 1024 * 1024);
    undo.push(() => disk.remove());
    const here = await scene(disk.folder);
    const { program, asked } = here;
    disk.fill();
    await holdsWithoutDisk(here, /^storage_full$/);

    disk.free();
    const after = await program.say('are you back?');
    expect(after.events.at(-1)).toMatchObject({ type: 'done', status: 'done' });
    expect((await program.api('GET', '/health')).status).toBe(200);
    await nothingIsLost(program, here);
    // The ends of turns and the denial, which could not be stored, are stored late.
    await expect
      .poll(
        async () =>
          (await program.api<{ id: string; status: string }[]>('GET', '/api/sessions')).body
            .map(({ status }) => status)
            .filter((status) => ['queued', 'running'].includes(status)),
        { timeout: 20_000 },
      )
      .toEqual([]);
    const { body } = await program.api<ApprovalList>('GET', '/api/approvals');
    const states = new Map(body.approvals.map(({ id, status }) => [id, status]));
    expect(states.get(asked[1]?.id ?? '')).toBe('denied');
    expect(states.get(asked[0]?.id ?? '')).toBe('pending');
    expect((await program.api('POST', `/api/approvals/${asked[0]?.id}/approve`, {})).status).toBe(200);
    await here.chats['ask one'].until((event) => event.type === 'tool_result' && event.outcome === 'done');
    expect(auditVerdict(program.workspace)).toMatchObject({ ok: true });
  },
  90_000,
);

test.skipIf(missing !== undefined)(
  'a disk that becomes read-only during turns: clear errors, deny, stop and reading work, and after its repair nothing is lost',
  async () => {
    const disk = failingDisk(64 * 1024 * 1024);
    undo.push(() => disk.remove());
    const here = await scene(disk.folder);
    disk.fail();
    await holdsWithoutDisk(here, /^storage_(read_only|failed)$/);
    await here.program.kill();
    disk.repair();
    const again = await startProgram({ workspace: disk.folder });
    undo.push(() => again.kill());
    await nothingIsLost(again, here);
    expect((await again.say('are you back?')).events.at(-1)).toMatchObject({ type: 'done', status: 'done' });
  },
  90_000,
);
