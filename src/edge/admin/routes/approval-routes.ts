import { z } from 'zod';
import { ok, route, type AnyRoute } from '../route.ts';
import type { RouteDeps } from './deps.ts';

const STATUSES = ['pending', 'approved', 'denied', 'expired', 'cancelled'] as const;

export function approvalRoutes({ approvals }: RouteDeps): AnyRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/approvals',
      auth: 'access',
      from: 'complete',
      query: z.strictObject({
        status: z.enum(STATUSES).optional(),
        limit: z.coerce.number().int().min(1).max(500).default(100),
      }),
      handle: async ({ query }) => ok(await approvals.list(query.status, query.limit)),
    }),
    route({
      method: 'POST',
      path: '/api/approvals/:id/approve',
      auth: 'access',
      from: 'complete',
      // A reason is taken from both, as the interface says; an approval keeps none.
      body: z.strictObject({
        digest: z.string().min(1).max(128).optional(),
        password: z.string().min(1).max(2048).optional(),
        reason: z.string().max(2000).optional(),
      }),
      handle: async ({ param, body, actor }) =>
        ok(await approvals.approve(param('id'), { digest: body.digest, password: body.password }, actor)),
    }),
    route({
      method: 'POST',
      path: '/api/approvals/:id/deny',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({ reason: z.string().max(2000).optional() }),
      handle: async ({ param, body, actor }) => ok(await approvals.deny(param('id'), body.reason, actor)),
    }),
  ];
}
