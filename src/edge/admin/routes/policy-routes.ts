import { z } from 'zod';
import { ok, route, type AnyRoute } from '../route.ts';
import type { RouteDeps } from './deps.ts';

const name = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/);

export function policyRoutes({ policy, capabilities }: RouteDeps): AnyRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/policy',
      auth: 'access',
      from: 'complete',
      handle: async () => ok(await policy.get()),
    }),
    route({
      method: 'PUT',
      path: '/api/policy',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({
        rules: z
          .array(
            z.strictObject({
              tool: name,
              resource: name,
              origin: z.enum(['page', 'mcp', 'cli', 'schedule', 'chat', 'system']),
              decision: z.enum(['allow', 'ask', 'deny']),
            }),
          )
          .max(1000),
        digest: z.string().min(1).max(128),
        password: z.string().min(1).max(2048).optional(),
      }),
      handle: async ({ body, actor }) => ok(await policy.change(body, actor)),
    }),
    route({
      method: 'GET',
      path: '/api/capabilities',
      auth: 'access',
      from: 'complete',
      handle: async () => ok(await capabilities.get()),
    }),
  ];
}
