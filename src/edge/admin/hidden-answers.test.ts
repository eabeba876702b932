import { afterEach, expect, test } from 'vitest';
import { startAdminEdge, type AdminEdge } from '../../../test/fakes/admin-edge.ts';

let edge: AdminEdge | undefined;
afterEach(async () => {
  await edge?.stop();
  edge = undefined;
});

test('no answer and no error holds a known secret, whoever put it where', async () => {
  edge = await startAdminEdge();
  const { token } = await edge.setUp();
  const made = await edge.ask('POST', '/api/sessions', { token, body: { title: 'about s3cret-value' } });
  expect([made.status, made.json.title]).toEqual([200, 'about [REDACTED:TEST]']);
  const refused = await edge.ask('POST', '/api/sessions', { token, body: { 's3cret-value': 1 } });
  expect([refused.status, refused.text]).toEqual([400, expect.not.stringContaining('s3cret-value')]);
});
