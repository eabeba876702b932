import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { queryClient, setupStatus, vault } from './api/queries.ts';
import { refreshSession, sessionState } from './api/session.ts';
import type { UsageBy } from './api/types.ts';
import { inboxSearch } from './approvals/inbox-search.ts';
import { activitySearch } from './activity/activity-search.ts';
import { isDay } from './usage/amounts.ts';
import { Missing, RouteProblem, RoutePending } from './shell/route-states.tsx';

/** Makes sure that we know whether somebody is logged in. Throws Unreachable when the server doesn't answer. */
async function loggedIn(): Promise<boolean> {
  const { status } = sessionState();
  if (status === 'in') return true;
  // Out is asked again as well: another tab may have logged in meanwhile.
  return refreshSession();
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Only paths of this page: a login must not be a springboard to elsewhere. */
function ownRedirect(search: Record<string, unknown>): { redirect?: string } {
  const to = text(search['redirect']);
  return to && /^\/(?![/\\])/.test(to) ? { redirect: to } : {};
}

const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: Missing });

const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/setup',
  validateSearch: (search: Record<string, unknown>): { step?: 'brain' } =>
    search['step'] === 'brain' ? { step: 'brain' } : {},
  beforeLoad: async ({ search }) => {
    const status = await queryClient.fetchQuery(setupStatus);
    if (status.setup_step === 'account') return;
    const inside = await loggedIn();
    if (!inside) throw redirect({ to: '/login', search: { redirect: '/setup' } });
    if (status.setup_step === 'complete' && search.step !== 'brain') throw redirect({ to: '/chat' });
    const { sealed } = await queryClient.fetchQuery(vault);
    if (sealed) throw redirect({ to: '/unlock', search: { redirect: '/setup' } });
  },
  component: lazyRouteComponent(() => import('./setup/setup-page.tsx'), 'SetupPage'),
});

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  validateSearch: ownRedirect,
  beforeLoad: async ({ search }) => {
    const status = await queryClient.fetchQuery(setupStatus);
    if (status.setup_step === 'account') throw redirect({ to: '/setup' });
    if (await loggedIn()) throw redirect({ href: search.redirect ?? '/chat' });
  },
  component: lazyRouteComponent(() => import('./login/login-page.tsx'), 'LoginPage'),
});

const unlockRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/unlock',
  validateSearch: ownRedirect,
  beforeLoad: async ({ search }) => {
    if (!(await loggedIn())) throw redirect({ to: '/login', search: { redirect: '/unlock' } });
    const { sealed } = await queryClient.fetchQuery({ ...vault, staleTime: 0 });
    if (!sealed) throw redirect({ href: search.redirect ?? '/chat' });
  },
  component: lazyRouteComponent(() => import('./secrets/unlock-page.tsx'), 'UnlockPage'),
});

const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'app',
  beforeLoad: async ({ location }) => {
    const status = await queryClient.fetchQuery(setupStatus);
    if (status.setup_required) throw redirect({ to: '/setup' });
    if (!(await loggedIn())) throw redirect({ to: '/login', search: { redirect: location.href } });
    const { sealed } = await queryClient.fetchQuery(vault);
    if (sealed) throw redirect({ to: '/unlock', search: { redirect: location.href } });
  },
  component: lazyRouteComponent(() => import('./shell/shell.tsx'), 'Shell'),
});

const homeRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/chat' });
  },
});

const chatRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/chat',
  validateSearch: (search: Record<string, unknown>): { q?: string } => {
    const q = text(search['q']);
    return q ? { q } : {};
  },
  component: lazyRouteComponent(() => import('./chat/chat-page.tsx'), 'ChatPage'),
});

const conversationRoute = createRoute({
  getParentRoute: () => chatRoute,
  path: '$id',
});

const approvalsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/approvals',
  validateSearch: inboxSearch,
  component: lazyRouteComponent(() => import('./approvals/approvals-page.tsx'), 'ApprovalsPage'),
});

const scriptsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/scripts',
  validateSearch: (search: Record<string, unknown>): { q?: string } => {
    const q = text(search['q']);
    return q ? { q } : {};
  },
  component: lazyRouteComponent(() => import('./scripts/scripts-page.tsx'), 'ScriptsPage'),
});

const scriptRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/scripts/$name',
  component: lazyRouteComponent(() => import('./scripts/script-page.tsx'), 'ScriptPage'),
});

const secretsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/secrets',
  validateSearch: (
    search: Record<string, unknown>,
  ): { q?: string; name?: string; show?: 'due'; set?: string } => {
    const [q, name, set] = [text(search['q']), text(search['name']), text(search['set'])];
    return {
      // The name of one that is to be set.
      ...(set ? { set } : {}),
      ...(q ? { q } : {}),
      ...(name ? { name } : {}),
      ...(search['show'] === 'due' ? { show: 'due' as const } : {}),
    };
  },
  component: lazyRouteComponent(() => import('./secrets/secrets-page.tsx'), 'SecretsPage'),
});

const activityRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/activity',
  validateSearch: activitySearch,
  component: lazyRouteComponent(() => import('./activity/activity-page.tsx'), 'ActivityPage'),
});

const capabilitiesRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/capabilities',
  component: lazyRouteComponent(() => import('./capabilities/capabilities-page.tsx'), 'CapabilitiesPage'),
});

const usageRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/usage',
  validateSearch: (search: Record<string, unknown>): { from?: string; to?: string; by?: UsageBy } => {
    const { from, to, by } = search;
    return {
      ...(isDay(from) ? { from } : {}),
      ...(isDay(to) ? { to } : {}),
      ...(by === 'model' || by === 'conversation' ? { by } : {}),
    };
  },
  component: lazyRouteComponent(() => import('./usage/usage-page.tsx'), 'UsagePage'),
});

const settingsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/settings',
  component: lazyRouteComponent(() => import('./settings/settings-layout.tsx'), 'SettingsLayout'),
});

const settingsHomeRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/settings/model' });
  },
});

const modelRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/model',
  component: lazyRouteComponent(() => import('./settings/model-page.tsx'), 'ModelPage'),
});

const policyRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/policy',
  component: lazyRouteComponent(() => import('./settings/policy-page.tsx'), 'PolicyPage'),
});

const identityRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: '/identity',
  validateSearch: (search: Record<string, unknown>): { file?: string } => {
    const file = text(search['file']);
    return file ? { file } : {};
  },
  component: lazyRouteComponent(() => import('./identity/identity-page.tsx'), 'IdentityPage'),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    setupRoute,
    loginRoute,
    unlockRoute,
    appRoute.addChildren([
      homeRoute,
      chatRoute.addChildren([conversationRoute]),
      approvalsRoute,
      scriptsRoute,
      scriptRoute,
      secretsRoute,
      activityRoute,
      usageRoute,
      capabilitiesRoute,
      settingsRoute.addChildren([settingsHomeRoute, modelRoute, policyRoute, identityRoute]),
    ]),
  ]),
  defaultPreload: 'intent',
  defaultErrorComponent: RouteProblem,
  defaultPendingComponent: RoutePending,
  defaultPendingMs: 300,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
