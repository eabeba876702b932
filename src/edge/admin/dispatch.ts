import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import { AppError } from '../../core/index.ts';
import type { Identity, SetupStep } from '../../guard/identity/index.ts';
import { checked, readJson } from './body.ts';
import type { Client } from './client.ts';
import { unauthorized } from './error-answer.ts';
import type { Actor } from './ports.ts';
import { readRefreshCookie } from './refresh-cookie.ts';
import type { AnyRoute, Answer, Call } from './route.ts';
import { z } from 'zod';

/** What the server puts beside a request. */
export interface Env {
  readonly Bindings: { readonly incoming: IncomingMessage; readonly client: Client };
}

const STEPS: readonly SetupStep[] = ['account', 'profile', 'complete'];
const NOTHING = z.strictObject({});
/** A name, or a digest. A script's name may carry its ending. */
const SEGMENT = /^(?:[\w.-]{1,69}|sha256:[0-9a-f]{64})$/;

/** Carries out one row of the table: who, then what, then whether that is served at all now, then the handler. */
export async function runRoute(
  row: AnyRoute,
  context: Context<Env>,
  identity: Identity,
  { bodyBytes, requireServed }: { readonly bodyBytes: number; readonly requireServed: () => void },
): Promise<Answer> {
  const { incoming, client } = context.env;
  const bearer = bearerToken(incoming.headers.authorization);
  const access =
    row.auth === 'access' && bearer !== undefined ? await identity.tokens.verify(bearer) : undefined;
  if (row.auth === 'access' && !access) throw unauthorized();
  for (const segment of Object.values(context.req.param())) {
    if (typeof segment !== 'string' || !SEGMENT.test(segment)) throw unknownPath();
  }
  const query: unknown = checked(row.query ?? NOTHING, queryOf(context.req.url), 'query');
  const body: unknown =
    row.method === 'POST' || row.method === 'PUT'
      ? await readJson(incoming, row.body ?? NOTHING, bodyBytes)
      : undefined;
  // Asked again: a body comes as slowly as its sender likes.
  requireServed();
  const actor: Actor | undefined = access && {
    principal: { kind: 'user', id: access.user.id, name: access.user.username },
    address: client.address,
  };
  const call: Call<unknown, unknown, 'access' | 'none'> = {
    body,
    query,
    param: (name) => context.req.param(name) ?? '',
    client,
    refreshCookie: row.auth === 'cookie' ? readRefreshCookie(incoming.headers.cookie) : undefined,
    bearer,
    access: access,
    actor: actor,
  };
  return row.handle(call);
}

/** 503 while the setup has not come far enough. */
export function requireSetup(needed: SetupStep, step: SetupStep): void {
  if (STEPS.indexOf(step) >= STEPS.indexOf(needed)) return;
  throw new AppError({
    family: 'config',
    code: 'setup_required',
    message: 'OpenPact is not set up yet.',
    fix: 'Open /setup.',
    details: { setup_required: true, setup_step: step, redirect: '/setup' },
  });
}

export function unknownPath(): AppError {
  return new AppError({ family: 'missing', code: 'not_found', message: 'There is nothing under this path.' });
}

function bearerToken(header: string | undefined): string | undefined {
  return /^bearer +([\w.-]+)$/i.exec(header ?? '')?.[1];
}

/** Names that come twice are refused by the schema: they arrive as a list. */
function queryOf(url: string): Record<string, string | string[]> {
  const values = new URL(url).searchParams;
  return Object.fromEntries(
    [...new Set(values.keys())].map((name) => {
      const all = values.getAll(name);
      return [name, all.length === 1 ? (all[0] ?? '') : all];
    }),
  );
}
