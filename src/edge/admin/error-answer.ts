import { AppError, errorText, newId, type ErrorFamily, type Log } from '../../core/index.ts';

/** The one table of families and HTTP statuses. */
const STATUS: Readonly<Record<ErrorFamily, number>> = {
  input: 400,
  auth: 401,
  forbidden: 403,
  missing: 404,
  conflict: 409,
  limit: 429,
  upstream: 502,
  config: 503,
};

/** Codes whose status is finer than that of their family. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  method_not_allowed: 405,
  request_timeout: 408,
  body_too_large: 413,
  unsupported_media_type: 415,
};

export interface ErrorAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the outside hears of anything thrown. A bug is a reference to find in the log, and nothing else. */
export function errorAnswer(error: unknown, log: Log): ErrorAnswer {
  if (!(error instanceof AppError)) return internalError(error, log);
  const { code, message, fix, details } = error;
  const retry = details['retry_after_s'];
  return {
    status: STATUS_OF_CODE[code] ?? STATUS[error.family],
    body: { ...details, error: code, message, ...(fix === undefined ? {} : { fix }) },
    headers: {
      ...(typeof retry === 'number' ? { 'retry-after': String(retry) } : {}),
      ...(typeof details['allow'] === 'string' ? { allow: details['allow'] } : {}),
    },
  };
}

function internalError(error: unknown, log: Log): ErrorAnswer {
  const reference = newId('err');
  log.error('unexpected error', {
    reference,
    problem: errorText(error),
    stack: error instanceof Error ? error.stack : undefined,
  });
  return {
    status: 500,
    body: {
      error: 'internal_error',
      message: 'Something went wrong inside OpenPact.',
      fix: `Look for ${reference} in the log.`,
      reference,
    },
    headers: {},
  };
}

export function notFound(what: string): AppError {
  return new AppError({ family: 'missing', code: 'not_found', message: `There is no such ${what}.` });
}

export function unauthorized(): AppError {
  return new AppError({
    family: 'auth',
    code: 'unauthorized',
    message: 'This needs a valid access token.',
    fix: 'Log in, or refresh the token with GET /api/session.',
  });
}

export function rateLimited(retryAfterMs: number): AppError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new AppError({
    family: 'limit',
    code: 'rate_limited',
    message: 'Too many requests.',
    fix: `Try again in ${seconds} s.`,
    details: { retry_after_s: seconds },
  });
}
