import { z } from 'zod';
import { AppError } from '../../../core/index.ts';
import type { BudgetsView, UsageAnswer } from '../api.ts';
import { ok, route, type AnyRoute } from '../route.ts';
import type { RouteDeps } from './deps.ts';

const DAY_MS = 86_400_000;
const MOST_DAYS = 366;

const day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a day, such as 2026-03-01')
  .refine((text) => isDay(text), 'must be a day, such as 2026-03-01');
const amount = z.strictObject({
  tokens: z.int().min(1).max(1_000_000_000_000),
  usd: z.number().min(0.01).max(1_000_000),
});

export function usageRoutes({ usage }: RouteDeps): AnyRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/usage',
      auth: 'access',
      from: 'complete',
      query: z.strictObject({
        from: day,
        to: day,
        by: z.enum(['day', 'model', 'conversation']).default('day'),
      }),
      async handle({ query }) {
        const from = Date.parse(query.from);
        const to = Date.parse(query.to) + DAY_MS;
        if (to <= from || to - from > MOST_DAYS * DAY_MS) {
          throw new AppError({
            family: 'input',
            code: 'range_invalid',
            message: `The range must be one to ${MOST_DAYS} days, the first before the last.`,
          });
        }
        return ok((await usage.usage({ ...query, fromMs: from, toMs: to })) satisfies UsageAnswer);
      },
    }),
    route({
      method: 'GET',
      path: '/api/budgets',
      auth: 'access',
      from: 'complete',
      handle: async () => ok((await usage.budgets()) satisfies BudgetsView),
    }),
    route({
      method: 'PUT',
      path: '/api/budgets',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({
        turn: amount,
        conversation: amount,
        day: amount,
        password: z.string().min(1).max(2048).optional(),
      }),
      async handle({ body: { password, ...limits }, actor }) {
        return ok((await usage.change(limits, password, actor)) satisfies BudgetsView);
      },
    }),
  ];
}

/** JavaScript takes 2026-02-31 for the third of March. */
function isDay(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}
