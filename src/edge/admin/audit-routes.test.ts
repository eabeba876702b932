import { get as request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAdminEdge, type AdminEdge } from '../../../test/fakes/admin-edge.ts';
import type { AuditChain, AuditList } from './api.ts';

let edge: AdminEdge;
let token = '';
beforeAll(async () => {
  edge = await startAdminEdge();
  ({ token } = await edge.setUp());
  for (let i = 0; i < 700; i += 1)
    edge.audit.append({
      event: i % 2 === 0 ? 'tool.intent' : 'tool.result',
      principal: { kind: 'assistant', conversationId: `cnv_${i % 5}`, turnId: 'trn_1' },
      origin: 'page',
      target: `=file ${i}`,
      outcome: i % 100 === 7 ? 'failed' : 'ok',
      details: { i },
    });
});
afterAll(() => edge.stop());

const get = async (query: string) =>
  (await edge.ask('GET', `/api/audit?${query}`, { token })).json as AuditList;

test('pages follow each other by their edge, back to the first entry', async () => {
  const seen: number[] = [];
  let before = '';
  for (;;) {
    const page = await get(`limit=150${before}`);
    seen.push(...page.entries.map(({ seq }) => seq));
    expect(page.edge_at).toMatch(/Z$/);
    if (page.end) break;
    before = `&before=${page.edge}`;
  }
  expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => seen.length - i));
  expect(seen.length).toBeGreaterThan(700);
});

test('every filter is taken, alone and together', async () => {
  const failed = await get('outcome=failed&event=tool.&principal=assistant:&q=%22i%22');
  expect(failed.entries).toHaveLength(7);
  expect((await get('target=%3Dfile+12')).entries).toHaveLength(1);
  expect((await get('conversation=cnv_3&limit=1000')).entries).toHaveLength(140);
  const [middle] = (await get('target=%3Dfile+350')).entries;
  expect((await get(`from=${middle?.at}&limit=1000&event=tool.`)).entries.length).toBeGreaterThan(340);
  expect((await get('to=2001-01-01T00:00:00Z')).entries).toEqual([]);
  expect(await get(`after=${failed.entries[0]?.seq}&outcome=failed`)).toMatchObject({
    entries: [],
    end: true,
  });
});

for (const query of [
  'before=1&after=1',
  'outcome=fine',
  'event=Tool',
  'from=yesterday',
  'conversation=a/b',
  'script=..%2Fweather',
  'q=a+b+c+d+e+f+g',
  'limit=0',
  'order=asc',
]) {
  test(`a query of ${query} is refused`, async () => {
    expect((await edge.ask('GET', `/api/audit?${query}`, { token })).status).toBe(400);
  });
}

test('what happened to a script is told by its name, and nothing else of that name', async () => {
  for (const event of ['script.run', 'script.ended', 'vault.locked'])
    edge.audit.append({
      event,
      principal: { kind: 'system' },
      origin: 'page',
      target: 'vault',
      outcome: 'ok',
    });
  expect((await get('script=vault')).entries.map(({ event }) => event)).toEqual([
    'script.ended',
    'script.run',
  ]);
  expect((await get('script=vault&event=script.run')).entries).toHaveLength(1);
  const file = await edge.ask('GET', '/api/audit/export?format=jsonl&script=vault', { token });
  expect(file.text.trimEnd().split('\n')).toHaveLength(2);
});

test('an export is a file with the filters applied, and is itself in the log', async () => {
  const csv = await edge.ask('GET', '/api/audit/export?format=csv&outcome=failed', { token });
  expect(csv.headers).toMatchObject({
    'content-type': 'text/csv; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  expect(csv.headers['content-disposition']).toMatch(/^attachment; filename="openpact-audit-[\dTZ-]+\.csv"$/);
  expect(csv.text.trimEnd().split('\r\n')).toHaveLength(8);
  expect(csv.text).toContain(`"'=file 7"`);
  const lines = await edge.ask('GET', '/api/audit/export?format=jsonl', { token });
  const rows = lines.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { seq: number; event: string });
  const [exported] = edge.audit.list({ event: 'audit.exported', limit: 1 });
  expect(rows.at(-1)?.seq).toBe((exported?.seq ?? 0) - 1);
  expect(rows.at(-1)?.event).toBe('audit.exported');
  expect(edge.audit.list({ event: 'audit.exported', limit: 2 }).map(({ details }) => details)).toEqual([
    '{"format":"jsonl"}',
    '{"filters":{"outcome":"failed"},"format":"csv"}',
  ]);
});

test('an export ends with the session that asked for it, incomplete', async () => {
  const { token: stolen } = await edge.login();
  // More than the connection holds while nobody reads.
  edge.database.tx(() => {
    for (let i = 0; i < 300; i += 1)
      edge.audit.append({
        event: 'test.filled',
        principal: { kind: 'system' },
        origin: 'system',
        target: 'audit',
        outcome: 'ok',
        details: { text: 'x'.repeat(100_000) },
      });
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { authorization: `Bearer ${stolen}` };
    request(`${edge.address}/api/audit/export?format=jsonl`, { headers, agent: false }, resolve).once(
      'error',
      reject,
    );
  });
  expect(response.statusCode).toBe(200);
  expect((await edge.ask('POST', '/api/auth/logout', { token: stolen })).status).toBe(204);
  let last = '';
  response.on('data', (piece: Buffer) => (last = piece.toString()));
  response.on('error', () => undefined);
  await new Promise((resolve) => response.once('close', resolve));
  expect(response.complete).toBe(false);
  expect(last).not.toContain('audit.exported');
});

test('a check is started, told of and written down', async () => {
  const started = (await edge.ask('POST', '/api/audit/verify', { token, body: {} })).json as AuditChain;
  expect(started.head.signed).toBe(true);
  let chain = started;
  while (chain.running !== null || chain.last === null)
    chain = (await edge.ask('GET', '/api/audit/chain', { token })).json as AuditChain;
  expect(chain.last).toMatchObject({ ok: true, problem: null, rows: started.head.seq });
  expect(chain.last.by).toMatch(/^user:/);
});
