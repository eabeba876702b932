// Guarantees: no known secret stands in an answer of the API, whoever put it where; the table alone says what is served.
// Does not: search what is sent piece by piece (who makes such a stream does).
// An attacker may control: the requests, and the texts that answers are made of.
import { Hono, type Context } from 'hono';
import { AppError, errorText, type Log, type Redactor } from '../../core/index.ts';
import { addressKey, type Identity, type KeyedBuckets } from '../../guard/identity/index.ts';
import { requireSetup, runRoute, unknownPath, type Env } from './dispatch.ts';
import { errorAnswer, rateLimited } from './error-answer.ts';
import { isApiPath } from './gatekeeper.ts';
import { createPage } from './page.ts';
import type { PageFiles, VaultPort } from './ports.ts';
import { requireOpenVault } from './sealed-rule.ts';
import type { AnyRoute, Answer } from './route.ts';

export interface AppDeps {
  readonly routes: readonly AnyRoute[];
  readonly identity: Identity;
  readonly vault: VaultPort;
  readonly page: PageFiles;
  readonly log: Log;
  readonly redactor: Redactor;
  /** Per client: for the API, and for the health paths, which monitors ask often. */
  readonly requests: KeyedBuckets;
  readonly health: KeyedBuckets;
  readonly bodyBytes: number;
}

/** The Hono app: every route comes from the table; what isn't there is 404, or 405 with what would be allowed. */
export function createApp(deps: AppDeps): Hono<Env> {
  const { routes, identity, log } = deps;
  const page = createPage(deps.page);
  const app = new Hono<Env>();

  app.use(async (context, next) => {
    const path = context.req.path;
    const buckets = isApiPath(path) ? deps.requests : isHealthPath(path) ? deps.health : undefined;
    const bucket = buckets?.take(addressKey(context.env.client.address));
    if (bucket) {
      context.header('x-ratelimit-limit', String(bucket.limit));
      context.header('x-ratelimit-remaining', String(bucket.remaining));
      context.header('x-ratelimit-reset', String(Math.ceil(bucket.resetMs / 1000)));
      if (!bucket.allowed) throw rateLimited(bucket.retryAfterMs);
    }
    await next();
  });

  for (const row of routes) {
    app.on(row.method, [row.path], async (context) => {
      // Hono answers HEAD from GET; ours may change something (a refresh), so only the health paths do.
      if (context.env.incoming.method === 'HEAD' && isApiPath(row.path)) return refuseMethod(context);
      const requireServed = (): void => {
        requireSetup(row.from, identity.setup.step());
        requireOpenVault(row, deps.vault);
      };
      requireServed();
      const { bodyBytes } = deps;
      const answer = await runRoute(row, context, identity, { bodyBytes, requireServed });
      return respond(context, withoutSecrets(answer), cutOff(context));
    });
  }

  /** Routes that are no part of the API. */
  function isHealthPath(path: string): boolean {
    return !isApiPath(path) && routes.some((row) => matches(row.path, path));
  }

  app.notFound((context) => refuseMethod(context));
  app.onError((error, context) => respondError(context, error));

  function refuseMethod(context: Context<Env>): Response {
    const { path } = context.req;
    const known = routes.filter((row) => matches(row.path, path));
    const [first] = known;
    if (first) {
      const error = methodNotAllowed(known.map((row) => row.method));
      return respondError(context, error);
    }
    if (isApiPath(path)) {
      const step = identity.setup.step();
      return respondError(context, attempt(() => requireSetup('complete', step)) ?? unknownPath());
    }
    const { headers, method = 'GET' } = context.env.incoming;
    const answer = page({
      method,
      path,
      accept: headers.accept ?? '*/*',
      acceptEncoding: headers['accept-encoding'] ?? '',
      ifNoneMatch: headers['if-none-match'],
    });
    if (answer) return answer;
    return respondError(
      context,
      method === 'GET' || method === 'HEAD' ? unknownPath() : methodNotAllowed(['GET', 'HEAD']),
    );
  }

  /** The head of the answer is gone: a broken connection is all that can still say that the rest is missing. */
  function cutOff(context: Context<Env>): (error: unknown) => void {
    return (error) => {
      log.warn('an answer was cut off', { path: context.req.path, problem: errorText(error) });
      context.env.incoming.destroy();
    };
  }

  function respondError(context: Context<Env>, error: unknown): Response {
    const { status, body, headers } = errorAnswer(error, log);
    return respond(context, withoutSecrets({ status, json: body, headers }));
  }

  /** A text may be older than the secret that it holds. */
  function withoutSecrets(answer: Answer): Answer {
    return answer.json === undefined ? answer : { ...answer, json: deps.redactor.json(answer.json).value };
  }

  return app;
}

/** An answer of the table as one of Hono; never stored. */
export function respond(
  context: Context<Env>,
  answer: Answer,
  cutOff: (error: unknown) => void = () => undefined,
): Response {
  for (const [name, value] of Object.entries(answer.headers ?? {})) context.header(name, value);
  context.header('cache-control', 'no-store');
  const { status, json, text, stream } = answer;
  if (stream) {
    context.header('content-type', stream.type);
    return context.body(bytesOf(stream, cutOff), status as 200);
  }
  if (json === undefined && text === undefined) return context.body(null, status as 204);
  context.header('content-type', json === undefined ? 'text/plain; charset=utf-8' : 'application/json');
  return context.body(json === undefined ? (text ?? '') : JSON.stringify(json), status as 200);
}

/** Asks for the next piece when the last one was taken; a reader that goes away ends it, and so does `until`. */
function bytesOf(
  { body, until }: NonNullable<Answer['stream']>,
  cutOff: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]();
  let over = false;
  const fail = (error: unknown): void => {
    if (!over) cutOff(error);
    over = true;
  };
  const end = (): void => {
    fail(until.reason);
    void pieces.return?.();
  };
  until.addEventListener('abort', end, { once: true });
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          until.throwIfAborted();
          const { done, value } = await pieces.next();
          until.throwIfAborted();
          if (done !== true) return controller.enqueue(Buffer.from(value));
        } catch (error) {
          fail(error);
        }
        over = true;
        until.removeEventListener('abort', end);
        controller.close();
      },
      async cancel() {
        over = true;
        until.removeEventListener('abort', end);
        await pieces.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

function attempt(act: () => void): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Whether a path has the form of a pattern such as `/api/sessions/:id`. */
function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const segments = path.split('/');
  return (
    wanted.length === segments.length &&
    wanted.every((part, index) => (part.startsWith(':') ? segments[index] !== '' : part === segments[index]))
  );
}

function methodNotAllowed(methods: readonly string[]): AppError {
  const allow = [...new Set(methods)].join(', ');
  return new AppError({
    family: 'input',
    code: 'method_not_allowed',
    message: `This path knows ${allow}.`,
    details: { allow },
  });
}
