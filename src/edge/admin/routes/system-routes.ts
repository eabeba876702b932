import { z } from 'zod';
import { isoTime } from '../../../core/index.ts';
import type { HealthAnswer, HealthStatus, ReadyAnswer, StopAllAnswer, ToolList } from '../api.ts';
import { ok, route, type AnyRoute } from '../route.ts';
import type { RouteDeps } from './deps.ts';

export function systemRoutes({ tools, system }: RouteDeps): AnyRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/mcp/tools',
      auth: 'access',
      from: 'complete',
      handle: async () => ok({ tools: await tools.list() } satisfies ToolList),
    }),
    route({
      method: 'GET',
      path: '/api/system/status',
      auth: 'access',
      from: 'complete',
      handle: async () => ok(await system.status()),
    }),
    route({
      method: 'POST',
      path: '/api/turns/stop',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({}),
      handle: async ({ actor }) => ok({ stopped: await system.stopAll(actor) } satisfies StopAllAnswer),
    }),
  ];
}

/** O-01 to O-03. They need no login and show nothing that one would be needed for. */
export function healthRoutes({
  identity,
  system,
  clock,
  version,
}: Pick<RouteDeps, 'identity' | 'system' | 'clock' | 'version'>): AnyRoute[] {
  const startedAt = clock.monotonic();
  return [
    route({
      method: 'GET',
      path: '/healthz',
      auth: 'none',
      from: 'account',
      handle: () => ({ status: 200, text: 'OK\n' }),
    }),
    route({
      method: 'GET',
      path: '/health',
      auth: 'none',
      from: 'account',
      async handle() {
        const { isolation, checks } = await system.health();
        const status = worst(Object.values(checks).map((check) => check.status));
        const answer: HealthAnswer = {
          status,
          version,
          timestamp: isoTime(clock.now()),
          uptime: uptimeText(clock.monotonic() - startedAt),
          isolation,
          checks: Object.fromEntries(
            Object.entries(checks).map(([name, { status: one, message }]) => [
              name,
              message === undefined ? { status: one } : { status: one, message },
            ]),
          ),
        };
        return { status: status === 'unhealthy' ? 503 : 200, json: answer };
      },
    }),
    ...['/ready', '/readyz'].map((path) =>
      route({
        method: 'GET',
        path,
        auth: 'none',
        from: 'account',
        async handle() {
          const { checks } = await system.health();
          const ready = Object.values(checks).every((check) => check.status !== 'unhealthy');
          const answer: ReadyAnswer = {
            ready,
            setup_required: identity.setup.step() !== 'complete',
            checks: Object.fromEntries(
              Object.entries(checks).map(([name, check]) => [name, check.status !== 'unhealthy']),
            ),
          };
          return { status: ready ? 200 : 503, json: answer };
        },
      }),
    ),
  ];
}

function worst(statuses: readonly HealthStatus[]): HealthStatus {
  if (statuses.includes('unhealthy')) return 'unhealthy';
  return statuses.includes('degraded') ? 'degraded' : 'healthy';
}

function uptimeText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const parts = [hours > 0 ? `${hours}h` : '', hours > 0 || minutes > 0 ? `${minutes}m` : ''];
  return `${parts.join('')}${seconds % 60}s`;
}
