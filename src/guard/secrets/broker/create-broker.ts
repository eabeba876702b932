// Guarantees: a script's process gets nothing but what its grant says, whatever it writes. Secrets are put into a request
// that was judged, go to the sender, and nowhere else; answers are searched before they go back. What the process learns
// follows from its messages, the grant, public facts and the searched answers: no value, no length. Each refusal has one
// code. After a break of the protocol or a leak nothing is answered any more.
// Does not: resolve names or connect (`send`); count the hosts' own clocks; bound the process (its parent does).
// An attacker may control: every message, every answer.
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { BrokerAnswer } from '../../../sandbox/wire/index.ts';
import { answerLine } from './answer-line.ts';
import { createDerivedList } from './derived-list.ts';
import { evaluateRequest, EvaluationError } from './evaluate.ts';
import type { ScriptGrant } from './grant.ts';
import { createJudge, type JudgedRequest, type Request } from './judge.ts';
import { hidingSecret, needlesFor } from './needle-list.ts';
import type {
  BrokerNotice,
  BrokerWatcher,
  OutgoingRequest,
  ScriptSecrets,
  Send,
  SendNow,
  SendResult,
} from './ports.ts';
import { hiddenAnswer, readAnswer } from './read-answer.ts';
import { readMessage } from './read-message.ts';
import { isRedirect, MOST_REDIRECTS, nextHop } from './redirect.ts';
import { createReferences } from './references.ts';
import { refusal, SEND_FAILURES, type RefusalCode } from './refusals.ts';
import { show, showJudged } from './show-request.ts';

/** Requirements 7.8. Bytes are nominal: a secret in an answer counts a fixed size. */
export interface TrafficLimits {
  /** Requests of a run, each hop of a redirect one. */
  readonly requests: number;
  readonly responseBytes: number;
  readonly totalBytes: number;
  readonly timeoutMs: number;
}

export const TRAFFIC_LIMITS: TrafficLimits = {
  requests: 50,
  responseBytes: 10 * 1024 * 1024,
  totalBytes: 50 * 1024 * 1024,
  timeoutMs: 30_000,
};

export interface BrokerDeps {
  readonly grant: ScriptGrant;
  readonly secrets: ScriptSecrets;
  readonly watcher: BrokerWatcher;
  /** Milliseconds that the run still has. */
  readonly remainingMs: () => number;
  readonly limits?: Partial<TrafficLimits>;
  /** Whether the run is over: a long answer is not searched on then. */
  readonly over?: () => boolean;
}

/** The trusted end of one run's pipe. */
export interface ScriptBroker {
  /**
   * One line of the script's process without its line end; the line to write back. Never throws for what is in a
   * message or an answer. Call it for one line at a time.
   */
  handle(line: string, send: Send): Promise<string>;
  /** The same with answers that are there at once. */
  handleNow(line: string, send: SendNow): string;
  /** Why the run must be ended now; undefined while all is well. */
  readonly stopped: 'secret_leak' | 'protocol_violation' | undefined;
}

const USER_AGENT = 'OpenPact-Starlark/1.0';
/** Notices of one run about what its script makes up, names and hosts: more would fill the log. */
const MOST_MADE_UP = 200;
/** Of an answer that is hidden nothing is seen: so much of it is read, and counts, however long it is. */
const HIDDEN_BYTES = 1024 * 1024;
/** Refusals of one run. A script ends with its first; what goes on is not our program. */
const MOST_REFUSALS = 100;
const SECRET_NAME = /^[A-Z][A-Z0-9_]{0,63}$/;

const STOPPED = JSON.stringify({ refused: refusal('stopped') });

/** What is known of a run so far. */
interface RunState {
  stopped: 'secret_leak' | 'protocol_violation' | undefined;
  requests: number;
  bytes: number;
  /** Whether a reference was sent. */
  sent: boolean;
  refusals: number;
  /** By name. An answer may hold one that was changed since it was sent. */
  readonly sentValues: Map<string, Set<string>>;
}

/** Yields a request that is to be sent, or nothing between two slices of work. */
type Steps<T> = Generator<OutgoingRequest | undefined, T, SendResult | undefined>;

function* sent(outgoing: OutgoingRequest): Steps<SendResult> {
  const result = yield outgoing;
  if (result === undefined) throw new TypeError('a request was not sent');
  return result;
}

export function createScriptBroker(deps: BrokerDeps): ScriptBroker {
  const { grant, secrets, watcher } = deps;
  const limits: TrafficLimits = { ...TRAFFIC_LIMITS, ...deps.limits };
  const references = createReferences();
  const mayReach = (name: string, origin: string): boolean => secrets.mayReach?.(name, origin) !== false;
  const judge = createJudge({ grant, facts: (name) => secrets.facts(name), mayReach, references });
  const state: RunState = {
    stopped: undefined,
    requests: 0,
    bytes: 0,
    sent: false,
    refusals: 0,
    sentValues: new Map(),
  };
  const derivedList = createDerivedList();
  const noted = new Set<string>();
  let madeUp = 0;
  let busy = false;

  /** Each notice once. Noise that a script makes must not keep the use of a secret out of the log: only noise is cut. */
  function notice(entry: BrokerNotice): void {
    const key = JSON.stringify(entry);
    if (noted.has(key)) return;
    if (entry.event === 'secret_undeclared' || entry.event === 'request_refused') {
      madeUp += 1;
      if (madeUp > MOST_MADE_UP)
        return madeUp === MOST_MADE_UP + 1 ? notice({ event: 'notices_cut' }) : undefined;
    }
    noted.add(key);
    watcher.notice(entry);
  }

  function reveal(id: string): string | undefined {
    return grant.secrets.has(id) ? secrets.openValue(id) : references.find(id)?.value;
  }

  function refuse(request: Request, code: RefusalCode, host: string | null, about?: string): BrokerAnswer {
    state.refusals += 1;
    notice({ event: 'request_refused', code, host });
    watcher.request?.({ ...show(request), refused: code });
    return { refused: refusal(code, about) };
  }

  function lookUp(name: string, read: boolean): BrokerAnswer {
    if (!grant.secrets.has(name)) {
      notice({ event: 'secret_undeclared', name: SECRET_NAME.test(name) ? name : '(no valid name)' });
      return { found: false };
    }
    const found = secrets.facts(name) !== undefined;
    if (found && read) notice({ event: 'secret_read', name });
    return { found };
  }

  function* answer(line: string): Steps<BrokerAnswer> {
    if (state.stopped !== undefined) return { refused: refusal('stopped') };
    const message = readMessage(line);
    if (message === undefined || state.refusals >= MOST_REFUSALS) {
      state.stopped = 'protocol_violation';
      notice({ event: 'protocol_violation' });
      return { refused: refusal('protocol_violation') };
    }
    switch (message.op) {
      case 'list':
        return { names: [...grant.secrets.keys()].toSorted() };
      case 'get':
      case 'has':
        return lookUp(message.name, message.op === 'get');
      case 'http':
        return yield* exchange(message);
    }
  }

  function* exchange(first: Request): Steps<BrokerAnswer> {
    let request = first;
    /** A secret that was sent on the way may be in every answer from then on. */
    const carried = new Set<string>();
    for (let hop = 0; hop <= MOST_REDIRECTS;) {
      const judgement = judge.judge(request);
      if ('refused' in judgement) {
        const { code, host, about } = judgement.refused;
        if (hop > 0) return refuse(request, 'redirect_refused', host, host ?? undefined);
        return refuse(request, code, host, about);
      }
      const judged = judgement.allowed;
      const { host } = new URL(judged.plan.origin);
      if (carried.size > 0 && judged.plan.scheme !== 'https:')
        return refuse(request, 'redirect_refused', host, host);
      if (state.requests >= limits.requests) return refuse(request, 'request_limit', host);
      if (deps.remainingMs() <= 0) return refuse(request, 'http_timeout', host, host);
      if (state.bytes >= limits.totalBytes) return refuse(request, 'traffic_limit', host);
      if (!derivedList.fits(judged)) return refuse(request, 'request_too_large', host);
      const outgoing = build(judged);
      if (outgoing === undefined) return refuse(request, 'request_not_sent', host, host);
      for (const id of judged.carried) carried.add(id);
      const read = yield* round(judged, outgoing, carried, hop);
      // Judged and filled in anew. Each time counts as a request, so this ends.
      if (read === 'outdated') continue;
      if (!('next' in read)) return read;
      request = read.next;
      hop += 1;
    }
    return refuse(request, 'redirect_limit', null);
  }

  function build(judged: JudgedRequest): OutgoingRequest | undefined {
    const opened = new Map<string, string>();
    try {
      const { derived, ...evaluated } = evaluateRequest(judged, (id) => {
        const value = reveal(id);
        if (value !== undefined && grant.secrets.has(id)) opened.set(id, value);
        return value;
      });
      derivedList.add(derived);
      for (const [name, value] of opened)
        state.sentValues.set(name, new Set([...(state.sentValues.get(name) ?? []), value]));
      const own = new Set(evaluated.headers.map(([name]) => name));
      const usual: [string, string][] = [
        ['user-agent', USER_AGENT],
        ['accept', '*/*'],
        // A compressed answer has a length that tells about what is in it.
        ['accept-encoding', judged.carried.size > 0 || state.sent ? 'identity' : 'gzip, deflate, br'],
      ];
      const bodyless = evaluated.body === '' && (judged.method === 'GET' || judged.method === 'DELETE');
      return {
        method: judged.method,
        url: evaluated.url,
        headers: [...usual.filter(([name]) => !own.has(name)), ...evaluated.headers],
        body: bodyless ? undefined : evaluated.body,
        timeoutMs: Math.max(1, Math.min(limits.timeoutMs, deps.remainingMs())),
        maxBytes: Math.min(
          hiding(judged) === undefined ? limits.responseBytes : HIDDEN_BYTES,
          limits.responseBytes,
          limits.totalBytes - state.bytes,
        ),
        current: () =>
          [...opened].every(
            ([name, value]) => secrets.openValue(name) === value && mayReach(name, judged.plan.origin),
          ),
        secrets: [...opened.keys()],
        shown: showJudged(judged),
      };
    } catch (error) {
      if (error instanceof EvaluationError) return undefined;
      throw error;
    }
  }

  /** The secret because of which nothing of the answer may be seen. */
  function hiding(judged: JudgedRequest): string | undefined {
    const { sentValues } = state;
    return (
      hidingSecret({ grant, secrets, sentValues }, judged.plan.origin) ?? derivedList.unsearchable(judged)
    );
  }

  /** One hop: sends, and reads what comes back. */
  function* round(
    judged: JudgedRequest,
    outgoing: OutgoingRequest,
    carried: ReadonlySet<string>,
    hop: number,
  ): Steps<BrokerAnswer | { readonly next: Request } | 'outdated'> {
    const { origin } = judged.plan;
    const { host } = new URL(origin);
    state.requests += 1;
    if (judged.carried.size > 0) state.sent = true;
    for (const id of judged.carried)
      if (grant.secrets.has(id)) notice({ event: 'secret_sent', name: id, host });
    watcher.request?.(outgoing.shown);
    const result = yield* sent(outgoing);
    const { sentValues } = state;
    const hiddenBy = hiding(judged);
    if (hiddenBy !== undefined) notice({ event: 'answer_hidden', name: hiddenBy, host });
    if ('failed' in result) {
      if (result.failed === 'outdated') return 'outdated';
      if (hiddenBy === undefined || result.failed !== 'too_large' || result.status === undefined)
        return fail(SEND_FAILURES[result.failed], host, outgoing.maxBytes);
      // A body that is not seen must not tell its length by being too long.
      state.bytes += outgoing.maxBytes;
      return { response: hiddenAnswer(result.status, hiddenBy, origin, references) };
    }
    const redirected =
      isRedirect(result.status) && result.headers.some(([name]) => name.toLowerCase() === 'location');
    const read = yield* readAnswer(
      redirected ? { ...result, body: new Uint8Array() } : result,
      {
        origin,
        carried,
        needles: needlesFor({ grant, secrets, references, sentValues }, origin, derivedList.all()),
        hiddenBy,
        hiddenFields: grant.hiddenFields,
        sent: state.sent,
        most: outgoing.maxBytes,
        hideOthers: secrets.hideOthers,
        foreign: (name) => notice({ event: 'foreign_secret', name, host }),
      },
      references,
    );
    if ('leak' in read) {
      state.stopped = 'secret_leak';
      notice({ event: 'secret_leak', name: read.leak, host });
      return { refused: refusal('secret_leak', read.leak) };
    }
    if ('failed' in read) return fail(read.failed, host, outgoing.maxBytes);
    state.bytes += hiddenBy === undefined ? read.nominal : outgoing.maxBytes;
    if (!redirected) return { response: read.response };
    if (hop >= MOST_REDIRECTS) return refuse(judged, 'redirect_limit', host, host);
    const location = read.response.headers.find(([name]) => name === 'location')?.[1] ?? [];
    const next = nextHop(judged, result.status, location);
    // Of a hidden answer no Location is known: one that was not searched could carry a secret to anywhere.
    if (next === undefined) return refuse(judged, 'redirect_refused', host, host);
    return { next };
  }

  /** What was too large counts as much as it was allowed to be: its real size may depend on a secret. */
  function fail(code: RefusalCode, host: string, bytes: number): BrokerAnswer {
    if (code === 'response_too_large') state.bytes += bytes;
    state.refusals += 1;
    notice({ event: 'request_refused', code, host });
    return { refused: refusal(code, host) };
  }

  /** The sender threw, which it never should. */
  function faultOf(outgoing: OutgoingRequest): SendResult {
    notice({ event: 'send_fault', host: new URL(outgoing.url).host });
    return { failed: 'connection_failed' };
  }

  function* begin(line: string): Steps<string> {
    if (busy) throw new Error('the broker was asked while it was answering');
    busy = true;
    try {
      return yield* answerLine(yield* answer(line));
    } finally {
      busy = false;
    }
  }

  return {
    async handle(line, send) {
      const steps = begin(line);
      let step = steps.next();
      while (step.done !== true) {
        const outgoing = step.value;
        if (outgoing === undefined) {
          await othersTurn();
          // Nobody waits for it any more.
          if (deps.over?.() === true) {
            steps.return(STOPPED);
            return STOPPED;
          }
          step = steps.next();
          continue;
        }
        // The text of such an error may quote the request: it goes nowhere.
        const result = await send(outgoing).catch(() => faultOf(outgoing));
        step = steps.next(result);
      }
      return step.value;
    },
    handleNow(line, send) {
      const steps = begin(line);
      let step = steps.next();
      while (step.done !== true) step = steps.next(step.value === undefined ? undefined : send(step.value));
      return step.value;
    },
    get stopped() {
      return state.stopped;
    },
  };
}
