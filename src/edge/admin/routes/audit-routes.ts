import { z } from 'zod';
import { ok, route, type AnyRoute } from '../route.ts';
import type { RouteDeps } from './deps.ts';
import { whileLive } from './while-live.ts';

const MOST_WORDS = 6;
const seq = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const time = z.iso.datetime();

const filter = {
  event: z
    .string()
    .regex(/^[a-z0-9_.]{1,64}$/)
    .optional(),
  script: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/)
    .optional(),
  principal: z.string().min(1).max(256).optional(),
  outcome: z.enum(['ok', 'refused', 'failed', 'intent', 'unknown']).optional(),
  target: z.string().max(1024).optional(),
  conversation: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional(),
  from: time.optional(),
  to: time.optional(),
  q: z
    .string()
    .max(200)
    .refine((text) => text.trim().split(/\s+/u).length <= MOST_WORDS, `has more than ${MOST_WORDS} words`)
    .optional(),
};

const TYPES = { jsonl: 'application/x-ndjson; charset=utf-8', csv: 'text/csv; charset=utf-8' } as const;

export function auditRoutes({ audit, identity, vault }: RouteDeps): AnyRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/audit',
      auth: 'access',
      from: 'complete',
      query: z
        .strictObject({
          ...filter,
          before: seq.optional(),
          after: seq.optional(),
          limit: z.coerce.number().int().min(1).max(1000).default(100),
        })
        .refine(({ before, after }) => before === undefined || after === undefined, 'names both ends'),
      handle: async ({ query }) => ok(await audit.list(query)),
    }),
    route({
      method: 'GET',
      path: '/api/audit/export',
      auth: 'access',
      from: 'complete',
      query: z.strictObject({ ...filter, format: z.enum(['jsonl', 'csv']) }),
      async handle({ query, actor, access }) {
        const until = vault.untilLocked();
        const { name, body } = await audit.export(query, actor);
        const isLive = (): boolean => identity.sessions.isLive(access.familyId);
        return {
          status: 200,
          stream: { type: TYPES[query.format], body: whileLive(body, isLive), until },
          headers: { 'content-disposition': `attachment; filename="${name}"` },
        };
      },
    }),
    route({
      method: 'GET',
      path: '/api/audit/chain',
      auth: 'access',
      from: 'complete',
      handle: async () => ok(await audit.chain()),
    }),
    route({
      method: 'POST',
      path: '/api/audit/verify',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({}),
      handle: async ({ actor }) => ok(await audit.verify(actor)),
    }),
  ];
}
