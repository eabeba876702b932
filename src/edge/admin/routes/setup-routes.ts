import { z } from 'zod';
import { PERSONALITIES, type SetupAnswer, type SetupStatus, type VersionAnswer } from '../api.ts';
import { setRefreshCookie } from '../refresh-cookie.ts';
import { ok, route, type AnyRoute } from '../route.ts';
import type { RouteDeps } from './deps.ts';

/** Longer than any good value; the rules behind say it exactly. */
const text = z.string().max(2048);

export function setupRoutes({ identity, clock, version }: RouteDeps): AnyRoute[] {
  const { setup, tokens } = identity;
  return [
    route({
      method: 'GET',
      path: '/api/version',
      auth: 'none',
      from: 'account',
      handle: () => ok({ version } satisfies VersionAnswer),
    }),
    route({
      method: 'GET',
      path: '/api/setup/status',
      auth: 'none',
      from: 'account',
      handle() {
        const setup_step = setup.step();
        return ok({ setup_required: setup_step !== 'complete', setup_step } satisfies SetupStatus);
      },
    }),
    route({
      method: 'POST',
      path: '/api/setup',
      auth: 'none',
      from: 'account',
      body: z.strictObject({ username: text, password: text, confirm_password: text, setup_code: text }),
      async handle({ body, client }) {
        const { user, session } = await setup.createAccount(body, client);
        const { token } = await tokens.issue(user, session.familyId);
        return ok(
          {
            success: true,
            message: 'The account is made. Next: your assistant.',
            access_token: token,
          } satisfies SetupAnswer,
          setRefreshCookie(session.refreshToken, session.expiresAt, clock.now(), client),
        );
      },
    }),
    route({
      method: 'POST',
      path: '/api/setup/profile',
      // Before there is an account nobody can have a token: 401 says as much as an error of its own.
      auth: 'access',
      from: 'account',
      body: z.strictObject({
        agent_name: text,
        personality: z.enum(PERSONALITIES),
        user_name: text,
        timezone: text,
      }),
      async handle({ body, actor }) {
        await setup.saveProfile(body, actor.principal);
        return ok({ success: true, message: 'The setup is complete.' });
      },
    }),
  ];
}
