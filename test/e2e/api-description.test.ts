/** Real answers of the running program against what the API says of itself. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { start } from '../support/with-fake-model.ts';

interface Described {
  readonly responses: Readonly<
    Record<string, { readonly content?: { readonly 'application/json': { readonly schema: object } } }>
  >;
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: { readonly Error: object } };
}

const SOURCE =
  '# @description: asks\n# @secrets: KEY\n# @hosts: api.example.com\ndef main(x=1):\n    return http.get("https://api.example.com/" + secrets.get("OTHER", ""))\n';

test('every answer of scripts, secrets and the vault is the one that is described, down to the last member', async () => {
  const program = await start();
  const { body: api } = await program.api<Description>('GET', '/api/openapi.json');
  const described = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const ours = described.filter(({ path }) => /^\/api\/(?:scripts|secrets|vault)/.test(path));
  for (const { path, method, operation } of ours)
    expect([method, path, operation.responses['2XX']]).toEqual([method, path, undefined]);
  // A reference leads to where it stands in the document.
  const references = [...JSON.stringify(api).matchAll(/"\$ref":"([^"]+)"/g)].map(([, where]) => where);
  expect(new Set(references)).toEqual(new Set(['#/components/schemas/Error']));

  const asked = new Set<string>();
  const ask = async <T = { hash: string }>(
    want: number,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<T> => {
    const answer = await program.api<T>(method, path, body);
    const place = `${method} ${path}`;
    expect([place, answer.status, want === answer.status ? '' : answer.body]).toEqual([place, want, '']);
    const row = ours.find(
      (one) =>
        one.method === method.toLowerCase() &&
        new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path.split('?', 1)[0] ?? ''),
    );
    if (row === undefined) throw new Error(`${place} is not described`);
    if (answer.status < 300) asked.add(`${row.method} ${row.path}`);
    const responses = row.operation.responses;
    expect([place, Object.keys(responses)]).toEqual([
      place,
      answer.status < 300 ? [String(answer.status), 'default'] : [expect.any(String), 'default'],
    ]);
    const schema =
      answer.status < 300
        ? responses[answer.status]?.content?.['application/json'].schema
        : api.components.schemas.Error;
    if (schema === undefined) expect([place, answer.body]).toEqual([place, null]);
    else
      expect([place, z.fromJSONSchema(schema as never).safeParse(answer.body).error?.issues]).toEqual([
        place,
        undefined,
      ]);
    return answer.body;
  };

  await ask(200, 'GET', '/api/vault');
  await ask(200, 'POST', '/api/vault/unlock', { passphrase: 'any' });
  await ask(409, 'POST', '/api/vault/lock', {});
  const value = 'ghp_8fJ2kQxW/5tZp9&LmNv3RsYb7Hd';
  await ask(201, 'POST', '/api/secrets', {
    name: 'KEY',
    value,
    hosts: ['api.example.com'],
    note: 'a note',
    rotate_by: '2026-01-31',
  });
  await ask(409, 'POST', '/api/secrets', { name: 'KEY', value });
  await ask(400, 'POST', '/api/secrets', { name: 'WEAK', value: '4711' });
  await ask(200, 'GET', '/api/secrets');
  await ask(200, 'GET', '/api/secrets/KEY');
  await ask(404, 'GET', '/api/secrets/NONE');
  await ask(200, 'PUT', '/api/secrets/KEY', { value: `${value}2` });
  await ask(400, 'PUT', '/api/secrets/KEY', {});
  await ask(400, 'PUT', '/api/secrets/KEY', { confirm_weak: true });
  await ask(404, 'PUT', '/api/secrets/NONE', { value });
  await ask(200, 'POST', '/api/secrets/OTHER', { value });
  await ask(204, 'DELETE', '/api/secrets/OTHER');

  const { hash } = await ask(201, 'POST', '/api/scripts', { name: 'job', source: SOURCE, message: 'first' });
  await ask(409, 'POST', '/api/scripts', { name: 'job', source: SOURCE });
  await ask(400, 'POST', '/api/scripts', { name: '../job', source: SOURCE });
  await ask(400, 'POST', '/api/scripts', { name: 'broken', source: 'def (' });
  await ask(200, 'POST', '/api/scripts/job/test', {
    hash,
    http: { 'GET https://api.example.com/': { status: 201, body: { any: ['json'] } } },
  });
  await ask(409, 'POST', '/api/scripts/job/approve', { hash: `sha256:${'0'.repeat(64)}` });
  await ask(400, 'POST', '/api/scripts/job/approve', { hash, grant: { hosts: 1 } });
  await ask(200, 'POST', '/api/scripts/job/approve', {
    hash,
    grant: {
      secrets: { KEY: { origins: ['https://api.example.com'], in: ['header'] } },
      hosts: [],
      methods: ['GET'],
      hidden_fields: ['pin'],
      quotas: { runs_per_hour: 5 },
      expires_at: '2090-01-01T00:00:00Z',
    },
  });
  await ask(200, 'POST', '/api/scripts/job/test', { hash });
  const asks = { name: 'asks', source: 'result = secrets.get("OTHER")\n' };
  const { hash: asking } = await ask(201, 'POST', '/api/scripts', asks);
  await ask(200, 'POST', '/api/scripts/asks/approve', { hash: asking });
  await ask(200, 'POST', '/api/scripts/asks/test', { hash: asking });
  const offer = { kind: 'secret', what: 'OTHER', hash: asking };
  await ask(200, 'GET', '/api/scripts/asks');
  await ask(200, 'POST', '/api/scripts/asks/offers/dismiss', offer);
  await ask(404, 'POST', '/api/scripts/asks/offers/dismiss', { ...offer, what: 'NO_OTHER' });
  await ask(400, 'POST', '/api/scripts/asks/offers/dismiss', { ...offer, kind: 'any' });
  await ask(200, 'GET', '/api/scripts/job/runs');
  await ask(200, 'GET', '/api/scripts/job/runs/chart?by=day');
  await ask(200, 'GET', '/api/scripts');
  await ask(200, 'GET', '/api/scripts/job');
  const { hash: next } = await ask(200, 'PUT', '/api/scripts/job', { source: `${SOURCE}\n# more\n`, hash });
  await ask(409, 'PUT', '/api/scripts/job', { source: SOURCE, hash });
  await ask(409, 'POST', '/api/scripts/job/test', { hash });
  await ask(200, 'GET', '/api/scripts/job');
  await ask(200, 'GET', '/api/scripts/job/history');
  await ask(200, 'GET', `/api/scripts/job/history/${hash}`);
  await ask(200, 'GET', `/api/scripts/job/diff?from=${hash}&to=${next}`);
  await ask(200, 'POST', `/api/scripts/job/restore/${hash}`, {});
  await ask(200, 'POST', '/api/scripts/job/reject', { reason: 'no' });
  await ask(200, 'POST', '/api/scripts/job/disable', {});
  await ask(200, 'POST', '/api/scripts/job/enable', {});
  await ask(204, 'DELETE', '/api/scripts/job');
  await ask(404, 'GET', '/api/scripts/job');

  // Nothing can lock a vault whose key lies in a file.
  const missed = ours
    .map(({ method, path }) => `${method} ${path}`)
    .filter((row) => !asked.has(row) && row !== 'post /api/vault/lock');
  expect(missed).toEqual([]);
}, 60_000);
