import { openApi } from '../openapi.ts';
import { ok, route, type AnyRoute } from '../route.ts';
import { approvalRoutes } from './approval-routes.ts';
import { auditRoutes } from './audit-routes.ts';
import { authRoutes } from './auth-routes.ts';
import { conversationRoutes } from './conversation-routes.ts';
import type { RouteDeps } from './deps.ts';
import { identityRoutes } from './identity-routes.ts';
import { modelRoutes } from './model-routes.ts';
import { policyRoutes } from './policy-routes.ts';
import { secretRoutes } from './secret-routes.ts';
import { scriptRoutes } from './script-routes.ts';
import { setupRoutes } from './setup-routes.ts';
import { healthRoutes, systemRoutes } from './system-routes.ts';
import { usageRoutes } from './usage-routes.ts';

export type { RouteDeps } from './deps.ts';

/** The one table: what is not in here does not exist. */
export function routeTable(deps: RouteDeps): readonly AnyRoute[] {
  const table: readonly AnyRoute[] = [
    ...healthRoutes(deps),
    ...setupRoutes(deps),
    ...authRoutes(deps),
    ...conversationRoutes(deps),
    ...approvalRoutes(deps),
    ...modelRoutes(deps),
    ...secretRoutes(deps),
    ...policyRoutes(deps),
    ...identityRoutes(deps),
    ...scriptRoutes(deps),
    ...usageRoutes(deps),
    ...auditRoutes(deps),
    ...systemRoutes(deps),
    route({
      method: 'GET',
      path: '/api/openapi.json',
      auth: 'access',
      from: 'complete',
      handle: () => ok(openApi(table, deps.version)),
    }),
  ];
  return table;
}
