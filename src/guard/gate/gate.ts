// Guarantees: a tool runs only if the gateway saw a model ask for exactly this call in this turn, the arguments are valid,
// the policy allows it or a person approved these very bytes, and an intent row was stored before. It runs at most once:
// a repeat gets the recorded answer. Nothing begins while the vault is sealed. What it returns was redacted. After a crash
// a call without an end is `unknown`.
// Does not: keep a tool from doing what it may do; the tool's own fences do (the file child, the box of a script).
// An attacker may control: the call id, the name, the arguments, how often and in which order they come.
import {
  canonicalJson,
  type Clock,
  type Json,
  type Log,
  type Redactor,
  type ToolContext,
  type ToolOutcomeKind,
} from '../../core/index.ts';
import type { ApprovalRow, ToolCallRow, ToolCallStore, Transactions } from '../../host/storage/index.ts';
import type { ApprovalEnd, Approvals, FinalEnd } from '../approvals/index.ts';
import type { Audit } from '../audit/index.ts';
import { callIdOf, parseCallId, type CallAnswer, type CallRequest, type CallTurn } from './call.ts';
import { decide, type DecideDeps, type Decided } from './decide.ts';
import { withDeadline } from './deadline.ts';
import { endOfFailure, failureSentence, recordedAnswer, refusalOf } from './outcomes.ts';

/** Writes the conversation's events; called inside the gate's transactions. */
export interface Transcript {
  asked(row: ApprovalRow, callId: string): void;
  ended(
    call: ToolCallRow,
    answer: CallAnswer,
    facts: { durationMs: number | null; auditSeq: number | null },
  ): void;
}

export interface Gate {
  call(turn: CallTurn, request: CallRequest): Promise<CallAnswer>;
  /** Ends a call whose turn is gone (after a restart): an approved one runs, once; the others get their refusal. */
  runOrphan(row: ApprovalRow, end: FinalEnd, signal: AbortSignal): Promise<void>;
  /** Ends a call without running it, such as those that a dead turn left behind. */
  give(row: ToolCallRow, kind: ToolOutcomeKind, sentence: string): void;
}

export interface GateDeps extends DecideDeps {
  readonly approvals: Approvals;
  readonly calls: ToolCallStore;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly redactor: Redactor;
  readonly transcript: Transcript;
  readonly powers: Omit<ToolContext, 'signal' | 'caller' | 'files'> & {
    /** Files for one caller: what is kept of a write says whose it was. */
    readonly files: (caller: ToolContext['caller']) => ToolContext['files'];
  };
  readonly clock: Clock;
  readonly log: Log;
  /** Nothing runs while it is: nobody knows what would have to be hidden. */
  readonly sealed: () => boolean;
  /** Calls of one turn that may be made at most. */
  readonly maxCallsPerTurn: number;
}

const NOTHING_HIDDEN = {};
const SEALED = { rule: 'vault-sealed', sentence: 'The vault is sealed; nothing runs until it is unlocked.' };

export function createGate(deps: GateDeps): Gate {
  const { approvals, calls, database, audit, redactor, transcript, clock, log } = deps;
  const running = new Map<string, Promise<CallAnswer>>();

  const refused = (sentence: string): CallAnswer => ({
    kind: 'refused',
    isError: true,
    value: sentence,
    hidden: NOTHING_HIDDEN,
    rule: null,
  });

  /** Step 2: a durable request, then a person. Null when approved. */
  async function ask(
    turn: CallTurn,
    row: ToolCallRow,
    decided: Decided & { kind: 'allow' | 'ask' },
  ): Promise<ApprovalEnd> {
    const request = database.tx(() => {
      const made = approvals.request({
        kind: 'tool',
        conversationId: row.conversation_id,
        call: row,
        tool: row.tool,
        arguments: JSON.parse(row.arguments) as Json,
        summary: decided.tool.describe(decided.args),
        why: turn.words(),
        principal: turn.principal,
      });
      calls.ask(row, made.id, decided.rule);
      transcript.asked(made, callIdOf(row));
      return made;
    });
    const resume = turn.pause();
    try {
      return await approvals.wait(request.id, turn.signal);
    } finally {
      resume();
    }
  }

  /** Step 3: intent row, then the act with a deadline, then redaction and the record. */
  async function run(
    row: ToolCallRow,
    decided: Decided & { kind: 'allow' | 'ask' },
    who: Pick<CallTurn, 'principal' | 'origin' | 'signal'>,
  ): Promise<CallAnswer> {
    const started = clock.monotonic();
    const details = {
      turn: row.turn_id,
      call: callIdOf(row),
      rule: decided.rule,
      arguments: audit.digest(JSON.parse(row.arguments)),
    };
    const mine = database.tx(() => {
      if (calls.start(row, decided.rule, clock.now()) === 0) return false;
      audit.append({
        event: 'tool.intent',
        principal: who.principal,
        origin: who.origin,
        target: `${row.tool} ${decided.target}`,
        outcome: 'intent',
        details,
      });
      return true;
    });
    if (!mine) return refused('This call was already started.');

    const caller = { principal: who.principal, origin: who.origin };
    let kind: ToolOutcomeKind = 'done';
    let value: Json;
    try {
      value = await withDeadline(decided.tool.deadlineMs, who.signal, (signal) =>
        decided.tool.run(decided.args as never, {
          ...deps.powers,
          files: deps.powers.files(caller),
          caller,
          signal,
        }),
      );
    } catch (error) {
      kind = endOfFailure(error, decided.tool);
      value = failureSentence(error, row, log);
    }
    const clean = redactor.json(value);
    const answer: CallAnswer = {
      kind,
      isError: kind !== 'done',
      value: clean.value,
      hidden: clean.hidden,
      rule: decided.rule,
    };
    record(row, answer, {
      durationMs: Math.round(clock.monotonic() - started),
      event: 'tool.result',
      outcome: kind === 'done' ? 'ok' : kind === 'unknown' ? 'unknown' : 'failed',
      who,
      target: `${row.tool} ${decided.target}`,
      details,
    });
    return answer;
  }

  interface RecordFacts {
    readonly durationMs: number | null;
    readonly event: string;
    readonly outcome: 'ok' | 'refused' | 'failed' | 'unknown';
    readonly who: Pick<CallTurn, 'principal' | 'origin'>;
    readonly target: string;
    readonly details: Readonly<Record<string, Json>>;
  }

  function record(row: ToolCallRow, answer: CallAnswer, facts: RecordFacts): void {
    database.tx(() => {
      const ended = calls.end(row, {
        status: answer.kind,
        result: JSON.stringify(answer.value),
        isError: answer.isError,
        redactions: JSON.stringify(answer.hidden),
        now: clock.now(),
        rule: answer.rule,
      });
      // The conversation may have been deleted meanwhile; what happened stays in the log.
      const gone = ended === 0 && calls.get(row) === undefined;
      if (ended === 0 && !gone) return;
      const auditSeq = audit.append({
        event: facts.event,
        principal: facts.who.principal,
        origin: facts.who.origin,
        target: facts.target,
        outcome: facts.outcome,
        details: {
          ...facts.details,
          ...(facts.durationMs === null ? {} : { duration_ms: facts.durationMs }),
          result: audit.digest(answer.value),
          hidden: answer.hidden,
        },
      });
      if (!gone) transcript.ended(row, answer, { durationMs: facts.durationMs, auditSeq });
    });
  }

  function endWithout(
    row: ToolCallRow,
    who: Pick<CallTurn, 'principal' | 'origin'>,
    kind: ToolOutcomeKind,
    rule: string | null,
    sentence: string,
  ): CallAnswer {
    const answer: CallAnswer = { kind, isError: true, value: sentence, hidden: NOTHING_HIDDEN, rule };
    record(row, answer, {
      durationMs: null,
      event: `tool.${kind}`,
      outcome: kind === 'unknown' ? 'unknown' : 'refused',
      who,
      target: row.tool,
      details: {
        turn: row.turn_id,
        call: callIdOf(row),
        rule,
        arguments: audit.digest(JSON.parse(row.arguments)),
      },
    });
    return answer;
  }

  async function decideAskRun(turn: CallTurn, row: ToolCallRow): Promise<CallAnswer> {
    if (calls.ofTurn(turn.turnId).filter((call) => call.status !== 'seen').length >= deps.maxCallsPerTurn) {
      return endWithout(
        row,
        turn,
        'refused',
        'call-limit',
        `A turn may make at most ${deps.maxCallsPerTurn} tool calls.`,
      );
    }
    if (deps.sealed()) return endWithout(row, turn, 'refused', SEALED.rule, SEALED.sentence);
    const decided = decide(deps, row, turn.origin);
    if (decided.kind === 'no') return endWithout(row, turn, decided.outcome, decided.rule, decided.sentence);
    if (decided.kind === 'ask') {
      const end = await ask(turn, row, decided);
      if (end.status === 'left')
        return { ...refused('OpenPact is stopping.'), kind: 'stopped', rule: decided.rule };
      const refusal = refusalOf(end);
      if (refusal) return endWithout(row, turn, refusal.kind, decided.rule, refusal.sentence);
      // The owner may have changed the policy while the request waited: what is denied now does not run.
      const now = decide(deps, row, turn.origin);
      if (now.kind === 'no') return endWithout(row, turn, now.outcome, now.rule, now.sentence);
    }
    if (turn.signal.aborted) return endWithout(row, turn, 'stopped', decided.rule, 'Stopped before it ran.');
    return run(row, decided, turn);
  }

  function refuse(turn: CallTurn, request: CallRequest, rule: string, sentence: string): CallAnswer {
    audit.append({
      event: 'tool.refused',
      principal: turn.principal,
      origin: turn.origin,
      target: request.tool,
      outcome: 'refused',
      details: {
        turn: turn.turnId,
        call: request.callId.slice(0, 64),
        rule,
        arguments: audit.digest(request.arguments),
      },
    });
    return { ...refused(sentence), rule };
  }

  return {
    async call(turn, request) {
      const key = parseCallId(turn.turnId, request.callId);
      const row = key && calls.get(key);
      if (!row)
        return refuse(turn, request, 'call-not-seen', 'The model did not ask for this call in this turn.');
      if (row.tool !== request.tool || row.arguments !== canonicalJson(request.arguments)) {
        return refuse(turn, request, 'call-changed', 'The call is not the one that the model asked for.');
      }
      const recorded = recordedAnswer(row);
      if (recorded) return recorded;
      const name = `${row.turn_id}/${request.callId}`;
      const known = running.get(name);
      if (known) return known;
      if (row.status !== 'seen')
        return refuse(turn, request, 'call-not-mine', 'This call belongs to an earlier run.');
      if (row.step !== turn.step())
        return refuse(turn, request, 'call-stale', 'The model has gone on since it asked for this call.');
      const promise = decideAskRun(turn, row).finally(() => running.delete(name));
      running.set(name, promise);
      return promise;
    },

    async runOrphan(approval, end, signal) {
      if (approval.turn_id === null || approval.step === null || approval.idx === null) return;
      const row = calls.get({ turn_id: approval.turn_id, step: approval.step, idx: approval.idx });
      if (!row || row.status !== 'asking') return;
      const who = {
        principal: { kind: 'assistant', turnId: row.turn_id, conversationId: row.conversation_id },
        origin: 'page',
        signal,
      } as const;
      const refusal = refusalOf(end);
      if (refusal) {
        endWithout(row, who, refusal.kind, row.rule, refusal.sentence);
        return;
      }
      if (deps.sealed()) {
        endWithout(row, who, 'refused', SEALED.rule, SEALED.sentence);
        return;
      }
      const decided = decide(deps, row, who.origin);
      if (decided.kind === 'no') endWithout(row, who, decided.outcome, decided.rule, decided.sentence);
      else await run(row, decided, who);
    },

    give(row, kind, sentence) {
      const principal = {
        kind: 'assistant',
        turnId: row.turn_id,
        conversationId: row.conversation_id,
      } as const;
      endWithout(row, { principal, origin: 'system' }, kind, row.rule, sentence);
    },
  };
}
