import { z } from 'zod';
import { UPSTREAM_NAMES } from '../../../core/index.ts';
import type { ModelChoice, UpstreamChange, UpstreamList } from '../api.ts';
import { ok, route, type AnyRoute } from '../route.ts';
import type { RouteDeps } from './deps.ts';

const model = z.string().trim().min(1).max(200);

export function modelRoutes({ models }: RouteDeps): AnyRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/llm/upstreams',
      auth: 'access',
      from: 'complete',
      handle: async () => ok({ upstreams: await models.upstreams() } satisfies UpstreamList),
    }),
    route({
      method: 'PUT',
      path: '/api/llm/upstreams/:name',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({
        api_key: z.string().trim().min(1).max(4096).nullable().optional(),
        base_url: z.string().trim().min(1).max(2048).nullable().optional(),
        enabled: z.boolean().optional(),
      }),
      handle: async ({ param, body, actor }) =>
        // zod says `undefined` where the type says absent; a key with undefined is no key.
        ok(await models.change(param('name'), withoutUndefined(body) as UpstreamChange, actor)),
    }),
    route({
      method: 'POST',
      path: '/api/llm/upstreams/:name/test',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({ model: model.optional() }),
      handle: async ({ param, body, actor }) => ok(await models.test(param('name'), body.model, actor)),
    }),
    route({
      method: 'GET',
      path: '/api/models',
      auth: 'access',
      from: 'complete',
      handle: async () => ok(await models.models()),
    }),
    route({
      method: 'PUT',
      path: '/api/models/default',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({ provider: z.enum(UPSTREAM_NAMES), model }),
      async handle({ body, actor }) {
        const chosen: ModelChoice = await models.setDefault(body, actor);
        return ok({ ok: true, default: chosen });
      },
    }),
    route({
      method: 'PUT',
      path: '/api/models/fallback',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({
        fallback: z.strictObject({ provider: z.enum(UPSTREAM_NAMES), model }).nullable(),
      }),
      handle: async ({ body, actor }) =>
        ok({ ok: true, fallback: await models.setFallback(body.fallback, actor) }),
    }),
  ];
}

function withoutUndefined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
