// Guarantees: one request to an upstream (asked again only while nothing of an answer has come) ends in a complete answer
// or in one error of the table, within the limits; the connection is closed when the caller stops or the answer is over.
// Does not: record anything, nor hand out tool calls. An attacker may control: the upstream's answer in full.
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, type Redactor } from '../../core/index.ts';
import type { HttpAnswer } from '../../host/net/index.ts';
import type { Answer, PartDelta } from './answer.ts';
import { parseBoundedJson } from './bounded-json.ts';
import type { LlmLimits } from './limits.ts';
import type { ModelRoute } from './route.ts';
import { SseReader } from './sse-reader.ts';
import {
  codeOfConnection,
  codeOfReport,
  llmError,
  worthRetrying,
  type LlmErrorCode,
  type LlmErrorFacts,
} from './upstream-errors.ts';
import type { UpstreamReport } from './wires/upstream-chunk.ts';
import type { UpstreamReader } from './wires/wire.ts';

export interface ModelCall {
  readonly route: ModelRoute;
  readonly model: string;
  readonly body: string;
  /** Aborts the call: it rejects with `llm_stopped`. */
  readonly signal: AbortSignal;
  readonly limits: LlmLimits;
  readonly redactor: Redactor;
  /** New, of the route's wire. */
  readonly reader: UpstreamReader;
  /** Collects the answer; the caller ends it. */
  readonly answer: Answer;
  readonly onParts: (deltas: readonly PartDelta[]) => void;
  /** Resolves when more may be read. */
  readonly ready: () => Promise<void>;
}

const ERROR_BODY_BYTES = 64 * 1024;
const ERROR_BODY_MS = 5_000;
const RELEASE_MS = 500;

/** Resolves with the number of retries once the upstream has ended its answer. Rejects with an AppError. */
export async function callModel(call: ModelCall): Promise<{ readonly retries: number }> {
  const overtime = new AbortController();
  const timer = setTimeout(() => overtime.abort(), call.limits.totalMs);
  const bounded = { ...call, signal: AbortSignal.any([call.signal, overtime.signal]) };
  try {
    const { http, retries } = await open(bounded);
    try {
      await read(http, bounded);
    } catch (error) {
      http.close();
      throw error;
    }
    return { retries };
  } catch (error) {
    if (call.signal.aborted) throw stopped(error);
    if (overtime.signal.aborted) throw problem(call, 'llm_timeout_total', { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function stopped(cause: unknown): AppError {
  return new AppError({
    family: 'upstream',
    code: 'llm_stopped',
    message: 'The call to the model was stopped.',
    cause,
  });
}

async function open(call: ModelCall): Promise<{ http: HttpAnswer; retries: number }> {
  for (let retries = 0; ; retries += 1) {
    const http = await send(call);
    if (http.status === 200) return { http, retries };
    const report = await reportOf(http, call);
    const asked = retryAfterMs(http.headers['retry-after']);
    const wait = asked ?? call.limits.retryDefaultMs * 3 ** retries;
    const code = codeOfReport(http.status, report);
    const again = worthRetrying(http.status) && code !== 'llm_no_credit';
    if (!again || retries >= call.limits.retries || wait > call.limits.retryWaitMs) {
      const waitSeconds = asked === undefined ? undefined : Math.ceil(asked / 1000);
      throw problem(call, code, { report, waitSeconds });
    }
    await sleep(wait, undefined, { signal: call.signal });
  }
}

async function send(call: ModelCall): Promise<HttpAnswer> {
  const { limits, signal, body } = call;
  const { connectMs, headersMs, idleMs, totalMs } = limits;
  try {
    return await call.route.send({
      path: call.route.wire.upstreamPath(call.model),
      body,
      signal,
      timeouts: { connectMs, headersMs, idleMs, totalMs },
      maxBytes: limits.answerBytes,
    });
  } catch (error) {
    throw connectionProblem(call, error);
  }
}

async function read(http: HttpAnswer, call: ModelCall): Promise<void> {
  const type = (http.headers['content-type'] ?? '').toLowerCase();
  if (type.includes('html')) throw problem(call, 'llm_web_page');
  if (type.includes('json') && !type.includes('event')) {
    const report = await reportOf(http, call);
    throw problem(call, report ? codeOfReport(report.status, report) : 'llm_garbled', { report });
  }
  const reader = new SseReader(call.limits);
  const pieces = http.body[Symbol.asyncIterator]();
  for (;;) {
    const piece = await nextPiece(pieces, call);
    const events = piece === undefined ? reader.end() : reader.push(piece);
    if (typeof events === 'string') throw problem(call, 'llm_too_large');
    for (const event of events) {
      if (!take(event, call)) continue;
      void release(http, pieces);
      return;
    }
    if (piece === undefined) {
      http.close();
      return;
    }
    await unlessAborted(call.ready(), call.signal);
  }
}

/** Most servers end right behind their last event: waiting for it, beside the answer, lets the connection be used again. */
async function release(http: HttpAnswer, pieces: AsyncIterator<Uint8Array>): Promise<void> {
  const end = pieces.next().then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([end, sleep(RELEASE_MS, undefined, { ref: false })]);
  http.close();
}

/** Undefined at the end. Once the finish reason is there, a broken or silent connection is as good as an end. */
async function nextPiece(
  pieces: AsyncIterator<Uint8Array>,
  call: ModelCall,
): Promise<Uint8Array | undefined> {
  const next = pieces.next().then(
    ({ done, value }) => (done === true ? undefined : value),
    (error: unknown) => {
      if (call.answer.finishReason !== null && !call.signal.aborted) return undefined;
      throw connectionProblem(call, error);
    },
  );
  if (call.answer.finishReason === null) return next;
  const tail = new AbortController();
  try {
    return await Promise.race([
      next,
      sleep(call.limits.tailMs, undefined, { signal: tail.signal }).then(
        () => undefined,
        () => undefined,
      ),
    ]);
  } finally {
    tail.abort();
  }
}

/** True: it was the last. */
function take(event: string, call: ModelCall): boolean {
  const chunk = call.reader.read(event, call.limits.argumentsDepth);
  if (!chunk) throw problem(call, 'llm_garbled');
  if (chunk.error) {
    const report = redacted(chunk.error, call.redactor);
    throw problem(call, codeOfReport(report.status, report), { report });
  }
  const deltas = call.answer.push(chunk);
  if (typeof deltas === 'string') throw problem(call, deltas);
  if (deltas.length > 0) call.onParts(deltas);
  return chunk.last;
}

/** What an answer that is no stream says of itself. Its status is the news: a body that can't be had changes nothing. */
async function reportOf(
  http: HttpAnswer,
  { route, redactor }: ModelCall,
): Promise<UpstreamReport | undefined> {
  const timer = setTimeout(() => http.close(), ERROR_BODY_MS);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of http.body) {
      parts.push(part);
      bytes += part.byteLength;
      if (bytes > ERROR_BODY_BYTES) return undefined;
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return undefined;
  } finally {
    clearTimeout(timer);
    http.close();
  }
  const parsed = parseBoundedJson(Buffer.concat(parts).toString('utf8'), 16);
  // Some wrap the answer in a list.
  const value =
    parsed.ok && Array.isArray(parsed.value) ? parsed.value[0] : parsed.ok ? parsed.value : undefined;
  const report = value === undefined ? undefined : route.wire.readFailure(value);
  return report && redacted(report, redactor);
}

function redacted(report: UpstreamReport, redactor: Redactor): UpstreamReport {
  return {
    ...report,
    // Marks that nobody sees go first: one inside of a key would hide it from the redactor.
    message:
      report.message === undefined
        ? undefined
        : redactor.text(report.message.replaceAll(/\p{Cf}+/gu, '')).value,
  };
}

/** RFC 9110 §10.2.3: seconds or a date. */
function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function connectionProblem(call: ModelCall, error: unknown): unknown {
  // Other AppErrors, such as a key that can't be opened, explain themselves.
  if (!(error instanceof AppError) || error.family !== 'upstream') return error;
  return problem(call, codeOfConnection(error.code), { cause: error });
}

function problem(call: ModelCall, code: LlmErrorCode, facts: Partial<LlmErrorFacts> = {}): AppError {
  return llmError(code, { label: call.route.label, model: call.model, ...facts });
}

async function unlessAborted(ready: Promise<void>, signal: AbortSignal): Promise<void> {
  const gone = Promise.withResolvers<void>();
  const onAbort = (): void => gone.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    await Promise.race([ready, gone.promise]);
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
