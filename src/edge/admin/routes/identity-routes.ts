import { z } from 'zod';
import type { IdentityFileList } from '../api.ts';
import { ok, route, type AnyRoute } from '../route.ts';
import type { RouteDeps } from './deps.ts';

const path = z.string().min(1).max(256);
const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .nullable();
const id = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

export function identityRoutes({ identityFiles: files }: RouteDeps): AnyRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/identity',
      auth: 'access',
      from: 'complete',
      handle: async () => ok({ files: await files.list() } satisfies IdentityFileList),
    }),
    route({
      method: 'GET',
      path: '/api/identity/file',
      auth: 'access',
      from: 'complete',
      query: z.strictObject({ path }),
      handle: async ({ query }) => ok(await files.read(query.path)),
    }),
    route({
      method: 'PUT',
      path: '/api/identity/file',
      auth: 'access',
      from: 'complete',
      // The limit on bodies is below the one on files.
      body: z.strictObject({ path, text: z.string(), digest }),
      handle: async ({ body, actor }) => ok(await files.write(body, actor)),
    }),
    route({
      method: 'GET',
      path: '/api/identity/version',
      auth: 'access',
      from: 'complete',
      query: z.strictObject({ path, id }),
      handle: async ({ query }) => ok(await files.version(query.path, query.id)),
    }),
    route({
      method: 'POST',
      path: '/api/identity/restore',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({
        path,
        version: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
        digest,
      }),
      handle: async ({ body, actor }) => ok(await files.restore(body, actor)),
    }),
  ];
}
