/** Who the assistant is and what it remembers: read, changed and restored by the owner of the running program. */
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type {
  AuditList,
  IdentityFileList,
  IdentityText,
  IdentityVersionText,
} from '../../src/edge/admin/api.ts';
import { type RunningProgram } from '../support/running-program.ts';
import { start, startWithModel } from '../support/with-fake-model.ts';

const read = async (program: RunningProgram, path: string) =>
  (await program.api<IdentityText>('GET', `/api/identity/file?path=${encodeURIComponent(path)}`)).body;
const write = (program: RunningProgram, path: string, text: string, digest: string | null) =>
  program.api<IdentityText & { error?: string }>('PUT', '/api/identity/file', { path, text, digest });
const onDisk = (program: RunningProgram, path: string) =>
  readFileSync(join(program.workspace, 'ai-data', path), 'utf8');

test('the owner changes SOUL.md, sees every version, restores one, and the log says so', async () => {
  const program = await start();
  const first = await read(program, 'SOUL.md');
  expect(first.text).toContain('Pact');
  const changed = await write(program, 'SOUL.md', '# Calm\n', first.digest);
  expect(changed).toMatchObject({ status: 200, body: { text: '# Calm\n' } });
  expect(onDisk(program, 'SOUL.md')).toBe('# Calm\n');
  // What the setup wrote is kept too.
  expect(changed.body.versions.map(({ how, by }) => [how, by])).toEqual([
    ['page', 'user:owner'],
    ['found', 'unknown'],
  ]);
  const old = changed.body.versions[1]?.id ?? 0;
  const version = await program.api<IdentityVersionText>(
    'GET',
    `/api/identity/version?path=SOUL.md&id=${old}`,
  );
  expect(version.body.text).toBe(first.text);
  const restored = await program.api<IdentityText>('POST', '/api/identity/restore', {
    path: 'SOUL.md',
    version: old,
    digest: changed.body.digest,
  });
  expect(restored.body).toMatchObject({ text: first.text, digest: first.digest });
  expect(restored.body.versions.map(({ how }) => how)).toEqual(['restored', 'page', 'found']);

  const { body } = await program.api<AuditList>('GET', '/api/audit?event=identity.');
  expect(body.entries.map(({ event, outcome }) => [event, outcome])).toEqual([
    ['identity.changed', 'ok'],
    ['identity.intent', 'intent'],
    ['identity.changed', 'ok'],
    ['identity.intent', 'intent'],
  ]);
  expect(body.entries[0]).toMatchObject({
    actor: 'user:owner',
    target: 'SOUL.md',
    details: { restored_version: old },
  });
  expect(JSON.stringify(body)).not.toContain('Calm');

  const again = await startAgain(program);
  expect((await read(again, 'SOUL.md')).versions).toHaveLength(3);
}, 60_000);

async function startAgain(program: RunningProgram): Promise<RunningProgram> {
  await program.stop();
  return start({ workspace: program.workspace });
}

test('of ten changes of one text at once one counts, the others hear of a conflict, and so does who saw an older text', async () => {
  const program = await start();
  const { digest } = await read(program, 'MEMORY.md');
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, i) => write(program, 'MEMORY.md', `tab ${i}`, digest)),
  );
  const saved = answers.filter(({ status }) => status === 200);
  expect(saved).toHaveLength(1);
  expect(answers.filter(({ body }) => body.error === 'file_conflict')).toHaveLength(9);
  expect(onDisk(program, 'MEMORY.md')).toBe(saved[0]?.body.text);
  // Somebody else's editor.
  writeFileSync(join(program.workspace, 'ai-data', 'MEMORY.md'), 'by hand');
  expect((await write(program, 'MEMORY.md', 'page', saved[0]?.body.digest ?? null)).status).toBe(409);
  expect(onDisk(program, 'MEMORY.md')).toBe('by hand');
  const now = await read(program, 'MEMORY.md');
  const last = await write(program, 'MEMORY.md', 'page', now.digest);
  expect(last.body.versions.slice(0, 2).map(({ how }) => how)).toEqual(['page', 'found']);
}, 60_000);

test('what the assistant writes into its memory is kept too, with what stood there before, and notes of a day are listed', async () => {
  const { program, model } = await startWithModel({ answers: [] });
  const before = await read(program, 'MEMORY.md');
  model.next(
    {
      calls: [
        { name: 'memory_write', arguments: { content: 'forget all' } },
        { name: 'memory_write', arguments: { content: 'tea', file: 'memory/2026-01-31.md', append: true } },
      ],
    },
    { text: 'Done.' },
  );
  await program.say('go');
  const after = await read(program, 'MEMORY.md');
  expect(after.text).toBe('forget all');
  expect(after.versions.map(({ how, by }) => [how, by])).toEqual([
    ['tool', 'assistant'],
    ['found', 'unknown'],
  ]);
  const back = await program.api<IdentityText>('POST', '/api/identity/restore', {
    path: 'MEMORY.md',
    version: after.versions[1]?.id,
    digest: after.digest,
  });
  expect(back.body.text).toBe(before.text);
  const list = await program.api<IdentityFileList>('GET', '/api/identity');
  expect(list.body.files.map(({ path, kind, exists }) => [path, kind, exists])).toEqual([
    ['SOUL.md', 'identity', true],
    ['USER.md', 'identity', true],
    ['MEMORY.md', 'memory', true],
    ['memory/2026-01-31.md', 'notes', true],
  ]);
  // A new file, and one that is gone and comes back.
  expect((await write(program, 'memory/2026-02-01.md', 'new', null)).status).toBe(200);
  rmSync(join(program.workspace, 'ai-data', 'memory', '2026-01-31.md'));
  const gone = await read(program, 'memory/2026-01-31.md');
  expect(gone).toMatchObject({ digest: null, text: '' });
  const restored = await program.api<IdentityText>('POST', '/api/identity/restore', {
    path: gone.path,
    version: gone.versions[0]?.id,
    digest: null,
  });
  expect(restored.body.text).toBe('tea\n');
}, 60_000);

test('no other file is read or written there, links are refused, and what is no text is not written', async () => {
  const program = await start();
  for (const path of [
    '../secure/config.yaml',
    'memory/../SOUL.md',
    'memory/.hidden.md',
    'memory/sub/a.md',
    'notes.md',
    'soul.md',
    '/etc/passwd',
    'SOUL.md\0',
  ]) {
    const answer = await program.api('GET', `/api/identity/file?path=${encodeURIComponent(path)}`);
    expect([path, answer.status]).toEqual([path, 404]);
    expect([path, (await write(program, path, 'x', null)).status]).toEqual([path, 404]);
  }
  symlinkSync('../secure/data/master_key', join(program.workspace, 'ai-data', 'memory.link'));
  rmSync(join(program.workspace, 'ai-data', 'USER.md'));
  symlinkSync('../secure/config.yaml', join(program.workspace, 'ai-data', 'USER.md'));
  expect((await program.api('GET', '/api/identity/file?path=USER.md')).status).toBe(403);
  const { digest } = await read(program, 'SOUL.md');
  expect((await write(program, 'SOUL.md', 'a\0b', digest)).body.error).toBe('invalid_text');
  expect(
    (await program.api<{ error: string }>('GET', '/api/identity/version?path=SOUL.md&id=999')).status,
  ).toBe(404);
}, 60_000);
