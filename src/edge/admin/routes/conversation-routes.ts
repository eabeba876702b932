import { z } from 'zod';
import { notFound } from '../error-answer.ts';
import { ok, route, type AnyRoute } from '../route.ts';
import type { RouteDeps } from './deps.ts';
import { whileLive } from './while-live.ts';

const modelName = z.strictObject({
  provider: z.string().trim().min(1).max(64),
  model: z.string().trim().min(1).max(200),
});
const limit = z.coerce.number().int().min(1).max(500).default(50);

export function conversationRoutes({ conversations, identity, vault }: RouteDeps): AnyRoute[] {
  return [
    route({
      method: 'POST',
      path: '/api/sessions',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({ title: z.string().trim().min(1).max(200).optional() }),
      handle: async ({ body, actor }) => ok(await conversations.create(body.title, actor)),
    }),
    route({
      method: 'GET',
      path: '/api/sessions',
      auth: 'access',
      from: 'complete',
      query: z
        .strictObject({
          q: z.string().max(200).optional(),
          limit: z.coerce.number().int().min(1).max(500).optional(),
          before: z.iso.datetime().optional(),
          before_id: z.string().min(1).max(64).optional(),
        })
        .refine(
          ({ before, before_id }) => (before === undefined) === (before_id === undefined),
          'names half a place',
        ),
      async handle({ query: { q, limit: most, before, before_id } }) {
        if (q?.trim()) return ok(await conversations.search(q));
        const place =
          before === undefined || before_id === undefined
            ? {}
            : { before: { updated: Date.parse(before), id: before_id } };
        return ok(await conversations.list({ limit: most, ...place }));
      },
    }),
    route({
      method: 'GET',
      path: '/api/sessions/:id',
      auth: 'access',
      from: 'complete',
      handle: async ({ param }) => ok(found(await conversations.get(param('id')))),
    }),
    route({
      method: 'PUT',
      path: '/api/sessions/:id',
      auth: 'access',
      from: 'complete',
      body: z
        .strictObject({
          title: z.string().trim().min(1).max(200).optional(),
          model: modelName.nullable().optional(),
          fallback: z.union([z.enum(['default', 'none']), modelName]).optional(),
        })
        .refine(
          (change) => Object.values(change).some((value) => value !== undefined),
          'names nothing to change',
        ),
      handle: async ({ param, body, actor }) =>
        ok(found(await conversations.change(param('id'), body, actor))),
    }),
    route({
      method: 'GET',
      path: '/api/sessions/:id/export',
      auth: 'access',
      from: 'complete',
      query: z.strictObject({ format: z.enum(['markdown', 'json']) }),
      async handle({ param, query, actor, access }) {
        const until = vault.untilLocked();
        const { name, body } = found(await conversations.export(param('id'), query.format, actor));
        const isLive = (): boolean => identity.sessions.isLive(access.familyId);
        return {
          status: 200,
          stream: { type: 'text/plain; charset=utf-8', body: whileLive(body, isLive), until },
          headers: { 'content-disposition': `attachment; filename="${name}"` },
        };
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/sessions/:id',
      auth: 'access',
      from: 'complete',
      async handle({ param, actor }) {
        if (!(await conversations.delete(param('id'), actor))) throw notFound('conversation');
        return ok({ ok: true });
      },
    }),
    route({
      method: 'POST',
      path: '/api/sessions/:id/abort',
      auth: 'access',
      from: 'complete',
      async handle({ param, actor }) {
        found(await conversations.head(param('id')));
        const accepted = await conversations.abort(param('id'), actor);
        return accepted.ok
          ? ok({ ok: true })
          : { status: 409, json: { error: accepted.code, message: accepted.content } };
      },
    }),
    route({
      method: 'GET',
      path: '/api/sessions/:id/messages',
      auth: 'access',
      from: 'complete',
      query: z.strictObject({ limit }),
      handle: async ({ param, query }) => ok(found(await conversations.messages(param('id'), query.limit))),
    }),
    route({
      method: 'GET',
      path: '/api/sessions/:id/events',
      auth: 'access',
      from: 'complete',
      query: z.strictObject({
        before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
        messages: z.coerce.number().int().min(1).max(200).default(30),
      }),
      handle: async ({ param, query }) =>
        ok(found(await conversations.earlier(param('id'), query.before, query.messages))),
    }),
  ];
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw notFound('conversation');
  return value;
}
