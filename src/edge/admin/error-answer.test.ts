import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAdminEdge, type AdminEdge } from '../../../test/fakes/admin-edge.ts';
import { AppError } from '../../core/index.ts';

let edge: AdminEdge;
let token: string;

beforeAll(async () => {
  edge = await startAdminEdge();
  ({ token } = await edge.setUp());
});
afterAll(() => edge.stop());

describe('errors', () => {
  test('a family has one status, and details, fix and Retry-After reach the client', async () => {
    const families = [
      ['input', 400],
      ['auth', 401],
      ['forbidden', 403],
      ['missing', 404],
      ['conflict', 409],
      ['limit', 429],
      ['upstream', 502],
      ['config', 503],
    ] as const;
    for (const [family, status] of families) {
      edge.models.fail = new AppError({
        family,
        code: 'some_code',
        message: 'What happened.',
        fix: 'What to do.',
        details: { retry_after_s: 7 },
      });
      const reply = await edge.ask('GET', '/api/models', { token });
      expect([family, reply.status]).toEqual([family, status]);
      expect(reply.headers['retry-after']).toBe('7');
      expect(reply.json).toEqual({
        error: 'some_code',
        message: 'What happened.',
        fix: 'What to do.',
        retry_after_s: 7,
      });
    }
    edge.models.fail = undefined;
  });

  test('anything else is a 500 that says nothing but where to look in the log', async () => {
    edge.models.fail = new Error('the key is s3cret in /srv/secure');
    const reply = await edge.ask('GET', '/api/models', { token });
    edge.models.fail = undefined;
    expect([reply.status, reply.json.error]).toEqual([500, 'internal_error']);
    expect(reply.text).not.toMatch(/s3cret|srv|stack|at /);
    const line = edge.log.lines.find(({ facts }) => JSON.stringify(facts).includes(reply.json.reference));
    expect(line?.level).toBe('error');
  });

  test('what was sent is in no log line', async () => {
    await edge.ask('POST', '/api/sessions', { token, body: { title: 'a very private title' } });
    await edge.ask('POST', '/api/sessions', { token, raw: '{"title": "a very private title", }' });
    expect(JSON.stringify(edge.log.lines)).not.toContain('private title');
    expect(JSON.stringify(edge.log.lines)).not.toContain(token);
  });
});
