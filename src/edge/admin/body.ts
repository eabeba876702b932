// Guarantees: a request body is at most `maxBytes`, of type JSON, valid UTF-8, and what the schema says, no more.
// What is larger is not read on, whether its length was announced or not.
// An attacker may control: every byte, the announced length, the pace (the server's request timeout ends a slow one).
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { AppError, isShallow } from '../../core/index.ts';

/** Errors: `body_too_large`, `unsupported_media_type`, `invalid_request`, `request_aborted` (input). */
export async function readJson<T>(
  request: IncomingMessage,
  schema: z.ZodType<T>,
  maxBytes: number,
): Promise<T> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  const chunked = request.headers['transfer-encoding'] !== undefined;
  if (announced > 0 || chunked) requireJsonType(request);
  const bytes = announced > 0 || chunked ? await readBytes(request, maxBytes) : new Uint8Array();
  return checked(schema, bytes.length === 0 ? {} : parse(bytes), 'body');
}

/** What an answer tells of a body that is wrong: it repeats names that the client chose, so it is bounded. */
const MOST_PROBLEMS = 20;
const MOST_OF_A_PROBLEM = 200;

/** Errors: `invalid_request` with the first problems by path. */
export function checked<T>(schema: z.ZodType<T>, value: unknown, where: 'body' | 'query'): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, MOST_PROBLEMS).map((issue) => {
    const path = issue.path.map(String).join('.');
    return (path === '' ? issue.message : `${path}: ${issue.message}`).slice(0, MOST_OF_A_PROBLEM);
  });
  throw new AppError({
    family: 'input',
    code: 'invalid_request',
    message: `The ${where} of the request is not valid: ${problems.join('; ')}`.slice(0, 1000),
    details: { problems },
  });
}

function requireJsonType(request: IncomingMessage): void {
  const type = request.headers['content-type'] ?? '';
  if (/^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i.test(type)) return;
  throw new AppError({
    family: 'input',
    code: 'unsupported_media_type',
    message: 'The body must be JSON.',
    fix: 'Send it with Content-Type: application/json.',
  });
}

function readBytes(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (act: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      act();
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      request.pause();
      settle(() => reject(tooLarge(maxBytes)));
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const onGone = (): void => settle(() => reject(aborted()));
    if (request.destroyed) {
      reject(aborted());
      return;
    }
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

/** Values inside values. Deeper ones would exhaust the stack of whoever walks them. */
const MOST_DEPTH = 200;

function parse(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (isShallow(text, MOST_DEPTH)) return JSON.parse(text);
  } catch (error) {
    throw new AppError({
      family: 'input',
      code: 'invalid_request',
      message: 'The body of the request is not valid JSON.',
      cause: error,
    });
  }
  throw new AppError({
    family: 'input',
    code: 'invalid_request',
    message: `The body of the request is nested deeper than ${MOST_DEPTH} values.`,
  });
}

function tooLarge(maxBytes: number): AppError {
  return new AppError({
    family: 'input',
    code: 'body_too_large',
    message: `The body of the request is larger than ${maxBytes} bytes.`,
  });
}

/** Nobody reads the answer to this one. */
function aborted(): AppError {
  return new AppError({
    family: 'input',
    code: 'request_aborted',
    message: 'The request ended before its body was complete.',
  });
}
