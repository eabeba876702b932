import { afterEach, expect, test } from 'vitest';
import { startAdminEdge, type AdminEdge } from '../../../test/fakes/admin-edge.ts';

let edge: AdminEdge | undefined;
afterEach(async () => {
  await edge?.stop();
  edge = undefined;
});

interface Operation {
  readonly operationId: string;
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: {
    readonly content: { readonly 'application/json': { readonly schema: Record<string, unknown> } };
  };
}

test('the description of the API names every route with what it takes, and is true of the server', async () => {
  edge = await startAdminEdge();
  const { token } = await edge.setUp();
  const { json } = await edge.ask('GET', '/api/openapi.json', { token });
  const paths = json.paths as Record<string, Record<string, Operation>>;
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(operations.length).toBeGreaterThan(50);

  // Each one is served: nothing answers "no such path", and an open one is described as open.
  for (const { path, method, operation } of operations) {
    const named = operation.parameters.filter(({ in: place }) => place === 'path').map(({ name }) => name);
    expect([...path.matchAll(/\{([a-z_]+)\}/g)].map(([, name]) => name)).toEqual(named);
    const reply = await edge.ask(method.toUpperCase(), path.replaceAll(/\{[a-z_]+\}/g, 'x'), {});
    if (operation.security.some((one) => 'access' in one)) expect([path, reply.status]).toEqual([path, 401]);
    else expect([path, reply.json?.message]).not.toEqual([path, 'There is nothing under this path.']);
  }

  const approve = paths['/api/scripts/{name}/approve']?.['post'];
  const schema = approve?.requestBody?.content['application/json'].schema;
  expect(schema).toMatchObject({ required: ['hash'], additionalProperties: false });
  const refused = await edge.ask('POST', '/api/scripts/x/approve', { token, body: {} });
  expect(refused.status).toBe(400);
});
