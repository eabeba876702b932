import { z } from 'zod';
import { AppError, isoTime, principalText, type Principal } from '../../../core/index.ts';
import type { StartedSession } from '../../../guard/identity/index.ts';
import type { LoginSessionList, MeAnswer, SessionAnswer, TicketAnswer } from '../api.ts';
import type { Client } from '../client.ts';
import { notFound } from '../error-answer.ts';
import { clearRefreshCookie, setRefreshCookie } from '../refresh-cookie.ts';
import { noContent, ok, route, type AnyRoute, type Answer } from '../route.ts';
import type { RouteDeps } from './deps.ts';

type User = Parameters<RouteDeps['identity']['tokens']['issue']>[0];

const password = z.string().min(1).max(2048);
const username = z.string().min(1).max(256);

export function authRoutes({ identity, clock }: RouteDeps): AnyRoute[] {
  const { login, account, sessions, tokens, tickets, users } = identity;

  async function sessionAnswer(user: User, session: StartedSession, client: Client): Promise<Answer> {
    const { token, expiresAt } = await tokens.issue(user, session.familyId);
    return ok(
      {
        access_token: token,
        expires_at: isoTime(expiresAt),
        username: user.username,
      } satisfies SessionAnswer,
      setRefreshCookie(session.refreshToken, session.expiresAt, clock.now(), client),
    );
  }

  /** Who ends a session by showing a token of it. */
  function holder(familyUser: User | undefined, client: Client): Principal {
    return familyUser
      ? { kind: 'user', id: familyUser.id, name: familyUser.username }
      : { kind: 'anonymous', address: client.address };
  }

  return [
    route({
      method: 'POST',
      path: '/api/auth/login',
      auth: 'none',
      from: 'profile',
      body: z.strictObject({ username, password }),
      async handle({ body, client }) {
        const { user, session } = await login.login(body, client);
        return sessionAnswer(user, session, client);
      },
    }),
    route({
      method: 'GET',
      path: '/api/session',
      auth: 'cookie',
      from: 'profile',
      async handle({ refreshCookie, client }) {
        if (refreshCookie === undefined) throw noRefresh('no_refresh_token', 'There is no session here.');
        const outcome = sessions.refresh(refreshCookie, client);
        if (outcome.kind === 'ok') return sessionAnswer(outcome.user, outcome.session, client);
        return {
          status: 401,
          json: {
            error: 'invalid_refresh_token',
            message: 'The session has ended.',
            fix: 'Log in again.',
          },
          headers: clearRefreshCookie(client),
        };
      },
    }),
    route({
      // The cookie is sent to this path only: a page without a live access token ends its session here.
      method: 'DELETE',
      path: '/api/session',
      auth: 'cookie',
      from: 'profile',
      handle({ refreshCookie, client }) {
        const family = refreshCookie === undefined ? undefined : sessions.familyOf(refreshCookie);
        if (family) {
          sessions.end(family.id, 'logout', holder(users.byId(family.user_id), client), 'login.logout');
        }
        return noContent(clearRefreshCookie(client));
      },
    }),
    route({
      method: 'POST',
      path: '/api/auth/logout',
      auth: 'none',
      from: 'profile',
      async handle({ bearer, client }) {
        const facts = bearer === undefined ? undefined : await tokens.familyOf(bearer);
        if (facts) {
          const by = holder(users.byId(facts.userId), client);
          sessions.end(facts.familyId, 'logout', by, 'login.logout');
        }
        return noContent(clearRefreshCookie(client));
      },
    }),
    route({
      method: 'GET',
      path: '/api/auth/me',
      auth: 'access',
      from: 'profile',
      handle: ({ access }) => ok({ username: access.user.username, role: 'admin' } satisfies MeAnswer),
    }),
    route({
      method: 'POST',
      path: '/api/auth/ws-ticket',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({}),
      handle({ access }) {
        const issued = tickets.issue({ userId: access.user.id, familyId: access.familyId });
        return ok({ ticket: issued.ticket, expires_at: isoTime(issued.expiresAt) } satisfies TicketAnswer);
      },
    }),
    route({
      method: 'GET',
      path: '/api/auth/sessions',
      auth: 'access',
      from: 'complete',
      handle: ({ access }) =>
        ok({
          sessions: sessions.list(access.user.id).map((family) => ({
            id: family.id,
            current: family.id === access.familyId,
            address: family.address,
            user_agent: family.user_agent,
            created_at: isoTime(family.created_at),
            last_used_at: isoTime(family.last_used_at),
            expires_at: isoTime(family.expires_at),
          })),
        } satisfies LoginSessionList),
    }),
    route({
      method: 'DELETE',
      path: '/api/auth/sessions/:id',
      auth: 'access',
      from: 'complete',
      handle({ param, access, actor }) {
        const mine = sessions.list(access.user.id).some((family) => family.id === param('id'));
        if (!mine) throw notFound('session');
        sessions.end(param('id'), `by ${principalText(actor.principal)}`, actor.principal, 'session.revoked');
        return noContent();
      },
    }),
    route({
      // Every session but the one that asks.
      method: 'DELETE',
      path: '/api/auth/sessions',
      auth: 'access',
      from: 'complete',
      handle({ access, actor }) {
        const others = sessions.list(access.user.id).filter((family) => family.id !== access.familyId);
        const by = `by ${principalText(actor.principal)}`;
        for (const family of others) sessions.end(family.id, by, actor.principal, 'session.revoked');
        return ok({ ended: others.length });
      },
    }),
    route({
      method: 'POST',
      path: '/api/auth/password',
      auth: 'access',
      from: 'complete',
      body: z.strictObject({
        current_password: password,
        new_password: password,
        confirm_password: password,
      }),
      async handle({ body, access, client }) {
        const session = await account.changePassword(access.user, body, client);
        return sessionAnswer(access.user, session, client);
      },
    }),
  ];
}

function noRefresh(code: string, message: string): AppError {
  return new AppError({ family: 'auth', code, message, fix: 'Log in.' });
}
