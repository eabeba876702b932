import { z } from 'zod';
import type { Json } from '../../../core/index.ts';
import { noContent, ok, route, type AnyRoute } from '../route.ts';
import {
  scriptAnswer,
  scriptDiffAnswer,
  scriptHistoryAnswer,
  scriptListAnswer,
  scriptRestoredAnswer,
  scriptRunChartAnswer,
  scriptRunsAnswer,
  scriptTestAnswer,
  scriptVersionAnswer,
} from '../script-answers.ts';
import type { RouteDeps } from './deps.ts';

const hash = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'want sha256: and 64 hex digits');
const source = z
  .string()
  .min(1)
  .max(256 * 1024);
const message = z.string().max(500).optional();
const password = z.string().min(1).max(2048).optional();
const json = z.json() as z.ZodType<Json>;
const access = { auth: 'access', from: 'complete' } as const;

/** Scripts, their versions, what was decided on them, and their runs (§8, rows 9 to 15, and what is new beside them). */
export function scriptRoutes({ scripts }: RouteDeps): AnyRoute[] {
  return [
    route({
      ...access,
      method: 'GET',
      path: '/api/scripts',
      answer: scriptListAnswer,
      handle: async () => ok(await scripts.list()),
    }),
    route({
      ...access,
      method: 'POST',
      path: '/api/scripts',
      answer: scriptAnswer,
      status: 201,
      body: z.strictObject({ name: z.string().min(1).max(80), source, message }),
      handle: async ({ body, actor }) => ({ status: 201, json: await scripts.create(body, actor) }),
    }),
    route({
      ...access,
      method: 'GET',
      path: '/api/scripts/:name',
      answer: scriptAnswer,
      handle: async ({ param }) => ok(await scripts.get(param('name'))),
    }),
    route({
      ...access,
      method: 'PUT',
      path: '/api/scripts/:name',
      answer: scriptAnswer,
      body: z.strictObject({ source, message, hash: hash.optional() }),
      handle: async ({ param, body, actor }) => ok(await scripts.update(param('name'), body, actor)),
    }),
    route({
      ...access,
      method: 'DELETE',
      path: '/api/scripts/:name',
      answer: null,
      handle: async ({ param, actor }) => {
        await scripts.remove(param('name'), actor);
        return noContent();
      },
    }),
    route({
      ...access,
      method: 'POST',
      path: '/api/scripts/:name/approve',
      answer: scriptAnswer,
      body: z.strictObject({
        hash,
        grant: json.optional(),
        revision: z.number().int().min(0).optional(),
        password,
      }),
      handle: async ({ param, body, actor }) => ok(await scripts.approve(param('name'), body, actor)),
    }),
    route({
      ...access,
      method: 'POST',
      path: '/api/scripts/:name/reject',
      answer: scriptAnswer,
      body: z.strictObject({ hash: hash.optional(), reason: z.string().max(2000).optional() }),
      handle: async ({ param, body, actor }) => ok(await scripts.reject(param('name'), body, actor)),
    }),
    route({
      ...access,
      method: 'POST',
      path: '/api/scripts/:name/disable',
      answer: scriptAnswer,
      handle: async ({ param, actor }) => ok(await scripts.disable(param('name'), actor)),
    }),
    route({
      ...access,
      method: 'POST',
      path: '/api/scripts/:name/enable',
      answer: scriptAnswer,
      body: z.strictObject({ password }),
      handle: async ({ param, body, actor }) => ok(await scripts.enable(param('name'), body.password, actor)),
    }),
    route({
      ...access,
      method: 'POST',
      path: '/api/scripts/:name/offers/dismiss',
      answer: scriptAnswer,
      body: z.strictObject({
        kind: z.enum(['host', 'method', 'secret']),
        what: z.string().min(1).max(1024),
        hash,
      }),
      handle: async ({ param, body, actor }) => ok(await scripts.dismissOffer(param('name'), body, actor)),
    }),
    route({
      ...access,
      method: 'GET',
      path: '/api/scripts/:name/runs',
      answer: scriptRunsAnswer,
      query: z.strictObject({
        limit: z.coerce.number().int().min(1).max(200).default(50),
        before: z
          .string()
          .regex(/^run_[0-9a-z]{1,64}$/)
          .optional(),
        outcome: z.enum(['running', 'ok', 'error', 'killed', 'unknown']).optional(),
      }),
      handle: async ({ param, query: { limit, ...only } }) =>
        ok(await scripts.runs(param('name'), limit, only)),
    }),
    route({
      ...access,
      method: 'GET',
      path: '/api/scripts/:name/runs/chart',
      answer: scriptRunChartAnswer,
      query: z.strictObject({ by: z.enum(['hour', 'day']).default('hour') }),
      handle: async ({ param, query }) => ok(await scripts.chart(param('name'), query.by)),
    }),
    route({
      ...access,
      method: 'POST',
      path: '/api/scripts/:name/test',
      answer: scriptTestAnswer,
      body: z.strictObject({
        hash,
        function: z.string().min(1).max(100).optional(),
        args: z.array(json).max(100).optional(),
        kwargs: z.record(z.string().max(100), json).optional(),
        http: json.optional(),
      }),
      handle: async ({ param, body, actor }) => ok(await scripts.test(param('name'), body, actor)),
    }),
    route({
      ...access,
      method: 'GET',
      path: '/api/scripts/:name/history',
      answer: scriptHistoryAnswer,
      handle: async ({ param }) => ok(await scripts.history(param('name'))),
    }),
    route({
      ...access,
      method: 'GET',
      path: '/api/scripts/:name/history/:commit',
      answer: scriptVersionAnswer,
      handle: async ({ param }) => ok(await scripts.version(param('name'), param('commit'))),
    }),
    route({
      ...access,
      method: 'GET',
      path: '/api/scripts/:name/diff',
      answer: scriptDiffAnswer,
      query: z.strictObject({ from: hash, to: hash }),
      handle: async ({ param, query }) => ok(await scripts.diff(param('name'), query.from, query.to)),
    }),
    route({
      ...access,
      method: 'POST',
      path: '/api/scripts/:name/restore/:commit',
      answer: scriptRestoredAnswer,
      handle: async ({ param, actor }) => ok(await scripts.restore(param('name'), param('commit'), actor)),
    }),
  ];
}
