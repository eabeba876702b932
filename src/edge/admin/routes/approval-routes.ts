import { z } from 'zod';
import { ok, route, type AnyRoute } from '../route.ts';
import type { RouteDeps } from './deps.ts';

const STATUSES = [
  'waiting',
  'decided',
  'pending',
  'approved',
  'denied',
  'expired',
  'cancelled',
  'superseded',
] as const;
const MOST_WORDS = 6;
/** Decisions in one batch: what somebody can have looked at. */
const MOST_BATCH = 50;
/** Rows of a page with scripts: the power of each is worked out from its text. */
const MOST_SCRIPTS = 100;

const password = z.string().min(1).max(2048).optional();
const reason = z.string().max(2000).optional();

export function approvalRoutes({ approvals }: RouteDeps): AnyRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/approvals',
      auth: 'access',
      from: 'complete',
      query: z
        .strictObject({
          kind: z.enum(['tool', 'script', 'all']).default('tool'),
          status: z.enum(STATUSES).optional(),
          conversation: z
            .string()
            .regex(/^[\w-]{1,64}$/)
            .optional(),
          tool: z
            .string()
            .regex(/^[\w.-]{1,64}$/)
            .optional(),
          script: z
            .string()
            .regex(/^[\w.-]{1,80}$/)
            .optional(),
          q: z
            .string()
            .max(200)
            .refine(
              (text) => text.trim().split(/\s+/u).length <= MOST_WORDS,
              `has more than ${MOST_WORDS} words`,
            )
            .optional(),
          ids: z
            .string()
            .regex(/^[\w-]{1,64}(,[\w-]{1,64}){0,99}$/)
            .optional(),
          cursor: z
            .string()
            .regex(/^[0-9]{1,15}(t-[\w-]{1,64}|s-[0-9]{1,15})$/)
            .optional(),
          limit: z.coerce.number().int().min(1).max(500).default(100),
        })
        .refine(
          ({ kind, limit }) => kind === 'tool' || limit <= MOST_SCRIPTS,
          `asks for more than ${MOST_SCRIPTS} with scripts`,
        ),
      handle: async ({ query }) => ok(await approvals.list({ ...query, ids: query.ids?.split(',') })),
    }),
    route({
      method: 'GET',
      path: '/api/approvals/waiting',
      auth: 'access',
      from: 'complete',
      handle: async () => ok(await approvals.waiting()),
    }),
    route({
      method: 'POST',
      path: '/api/approvals/batch',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({
        decisions: z
          .array(
            z.strictObject({
              id: z.string().regex(/^[\w-]{1,64}$/),
              digest: z.string().min(1).max(128),
              decision: z.enum(['approve', 'deny']),
              reason,
            }),
          )
          .min(1)
          .max(MOST_BATCH)
          .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, 'names an id twice')
          // A script is approved where its text and its power stand.
          .refine(
            (list) => !list.some(({ id, decision }) => decision === 'approve' && id.startsWith('scv_')),
            'would approve a script, which is done on the page of the script alone',
          ),
        password,
      }),
      handle: async ({ body, actor }) => ok(await approvals.batch(body, actor)),
    }),
    route({
      method: 'POST',
      path: '/api/approvals/:id/approve',
      auth: 'access',
      from: 'complete',
      // A reason is taken from both, as the interface says; an approval keeps none.
      body: z.strictObject({ digest: z.string().min(1).max(128).optional(), password, reason }),
      handle: async ({ param, body, actor }) =>
        ok(await approvals.approve(param('id'), { digest: body.digest, password: body.password }, actor)),
    }),
    route({
      method: 'POST',
      path: '/api/approvals/:id/deny',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({ reason }),
      handle: async ({ param, body, actor }) => ok(await approvals.deny(param('id'), body.reason, actor)),
    }),
  ];
}
