// Guarantees: one turn at a time in a conversation, a bounded number at once; a turn always ends, with `done` as its last
// event; a stop ends it within a second whatever the engine, a model or a tool does; nothing runs by itself after a restart.
import { timingSafeEqual } from 'node:crypto';
import {
  AppError,
  errorText,
  newId,
  type AnyTool,
  type Log,
  type Principal,
  type TurnStatus,
} from '../core/index.ts';
import type { ConversationStore, TurnRow } from '../host/storage/index.ts';
import type { EngineOutcome } from './adapter.ts';
import { replaceable, replaceMessage } from './edit-message.ts';
import type { Fallback, ModelName } from './fallback.ts';
import { createTurnEndings } from './turn-endings.ts';
import { createTurnRuntime, type TurnRuntime } from './turn-runtime.ts';
import { createTurnWork, type TurnWorkDeps } from './turn-work.ts';

export interface Turns {
  /** Stores the message and queues a turn for it. Errors: `queue_full`, `stopping`. */
  send(conversationId: string, text: string, by: Principal): TurnRow;
  /**
   * The newest message written anew, as a new turn. The turns that came of it before leave the history; what their tools
   * did stays done. Errors: `not_the_last_message`, `turn_running`, `stopping`.
   */
  edit(conversationId: string, messageId: string, text: string, by: Principal): TurnRow;
  /** Goes on from what is recorded: after a failed, stopped or interrupted turn. Errors: `nothing_to_continue`, `turn_running`. */
  resume(conversationId: string, by: Principal): TurnRow;
  /** Ends the running turn and the waiting messages of a conversation. Returns how many turns it ended. */
  stop(conversationId: string, by: Principal): number;
  stopAll(by: Principal): number;
  /** For the gateway and the tools. */
  turnFor(capability: string): TurnRuntime | undefined;
  isRunning(conversationId: string): boolean;
  runningCount(): number;
  /** Resolves when no turn of the conversation is running or queued. */
  idle(conversationId: string): Promise<void>;
  /**
   * Ends everything for a shutdown: turns become `interrupted`. Once it resolves, neither a turn nor one of its calls
   * touches the database any more, so that this may be closed.
   */
  shutdown(): Promise<void>;
}

export interface TurnsDeps extends TurnWorkDeps {
  readonly conversations: ConversationStore;
  readonly tools: readonly AnyTool[];
  readonly log: Log;
  /** For conversations that have no model of their own. */
  readonly model: () => { provider: string; model: string };
  /** What a turn of the conversation goes on with when its model can't be had. */
  readonly fallback: (conversationId: string, current: ModelName) => Fallback | undefined;
  readonly maxAtOnce: number;
  /** Turns that wait for a person and keep their process; one more frees the oldest. */
  readonly maxWaiting: number;
}

const QUEUE_LIMIT = 5;
/** What an open call to the model gets to be written off once its turn is over. */
const SETTLE_MS = 200;

interface Line {
  running: TurnRuntime | undefined;
  readonly queue: TurnRow[];
  /** The running turn waits for a person, so it takes no place. */
  waiting: boolean;
  readonly idle: (() => void)[];
}

export function createTurns(deps: TurnsDeps): Turns {
  const { turns, events, database, audit, clock, log } = deps;
  const lines = new Map<string, Line>();
  const byCapability = new Map<string, TurnRuntime>();
  const endings = createTurnEndings(deps);
  const work = createTurnWork(deps);
  let closing = false;

  const lineOf = (id: string): Line => {
    const known = lines.get(id);
    if (known) return known;
    const line: Line = { running: undefined, queue: [], waiting: false, idle: [] };
    lines.set(id, line);
    return line;
  };

  const busy = (): number => [...lines.values()].filter((line) => line.running && !line.waiting).length;

  function modelOf(conversationId: string): { provider: string; model: string } {
    const own = deps.conversations.get(conversationId);
    if (!own || own.provider === null || own.model === null) return deps.model();
    return { provider: own.provider, model: own.model };
  }

  function requireIdle(conversationId: string): void {
    const line = lines.get(conversationId);
    if (!line?.running && (line?.queue.length ?? 0) === 0) return;
    throw new AppError({
      family: 'conflict',
      code: 'turn_running',
      message: 'A turn is running in this conversation.',
      fix: 'Wait for it, or stop it.',
    });
  }

  function create(conversationId: string, by: Principal, before: (turn: TurnRow) => void): TurnRow {
    if (closing)
      throw new AppError({
        family: 'conflict',
        code: 'stopping',
        message: 'OpenPact is stopping.',
        fix: 'Send it again after the restart.',
      });
    const line = lineOf(conversationId);
    if (line.queue.length >= QUEUE_LIMIT) {
      throw new AppError({
        family: 'limit',
        code: 'queue_full',
        message: `${QUEUE_LIMIT} messages already wait in this conversation.`,
        fix: 'Wait for an answer, or stop the running turn.',
      });
    }
    const now = clock.now();
    const { provider, model } = modelOf(conversationId);
    const row: TurnRow = {
      id: newId('trn', now),
      conversation_id: conversationId,
      status: 'queued',
      provider,
      model,
      created_at: now,
      started_at: null,
      ended_at: null,
      error_code: null,
      error_text: null,
    };
    const position = line.queue.length + (line.running ? 1 : 0);
    database.tx(() => {
      turns.insert(row);
      deps.conversations.touch(conversationId, now);
      before(row);
      audit.append({
        event: 'turn.created',
        principal: by,
        origin: 'page',
        target: row.id,
        outcome: 'ok',
        details: { conversation: conversationId, provider, model },
      });
      if (position > 0) events.append(conversationId, row.id, { type: 'queued', position });
      database.afterCommit(() => {
        line.queue.push(row);
        schedule();
      });
    });
    return row;
  }

  function schedule(): void {
    for (const [id, line] of lines) {
      if (closing || busy() >= deps.maxAtOnce) return;
      if (line.running || line.queue.length === 0) continue;
      const row = line.queue.shift();
      if (!row) continue;
      const runtime = createTurnRuntime(row, {
        ...deps,
        log: events,
        fallback: (current) => deps.fallback(row.conversation_id, current),
        onWaiting: (waiting) => {
          line.waiting = waiting;
          setWaiting(row, waiting);
          if (waiting) parkOldest();
          schedule();
        },
      });
      line.running = runtime;
      byCapability.set(runtime.capability, runtime);
      void run(id, line, runtime);
    }
  }

  function setWaiting(row: TurnRow, waiting: boolean): void {
    // The status is for display only; a full disk must not end a turn that waits.
    try {
      if (turns.get(row.id)?.ended_at === null) turns.setStatus(row.id, waiting ? 'waiting' : 'running');
    } catch (error) {
      log.warn('the state of a turn could not be stored', { turn: row.id, problem: errorText(error) });
    }
  }

  async function run(id: string, line: Line, first: TurnRuntime): Promise<void> {
    let outcome: EngineOutcome;
    let runtime = first;
    try {
      outcome = await work(first, (next) => {
        byCapability.delete(runtime.capability);
        byCapability.set(next.capability, next);
        line.running = next;
        runtime = next;
      });
    } catch (error) {
      const known = error instanceof AppError;
      if (!known)
        log.error('a turn failed unexpectedly', { turn: runtime.turnId, problem: errorText(error) });
      outcome = {
        kind: 'failed',
        code: known ? error.code : 'internal_error',
        message: known
          ? `${error.message} ${error.fix ?? ''}`.trim()
          : 'The turn failed unexpectedly; the log has the details. Retry.',
      };
    }
    byCapability.delete(runtime.capability);
    await runtime.settled(SETTLE_MS);
    runtime.dispose();
    endings.finish(runtime, outcome);
    line.running = undefined;
    line.waiting = false;
    if (line.queue.length === 0) for (const tell of line.idle.splice(0)) tell();
    if (line.queue.length === 0 && line.idle.length === 0) lines.delete(id);
    schedule();
  }

  /** Each waiting turn keeps a process. When too many do, the one that waits longest gives its own up. */
  function parkOldest(): void {
    const waiting = [...lines.values()].filter(
      (line) => line.waiting && line.running?.abortedBy() === undefined,
    );
    if (waiting.length > deps.maxWaiting) waiting[0]?.running?.abort('parked');
  }

  function stop(id: string, by: Principal): number {
    const line = lines.get(id);
    if (!line) return 0;
    let count = 0;
    for (const row of line.queue.splice(0)) {
      count += 1;
      endQueued(row, 'stopped');
      audit.note({
        event: 'turn.stopped',
        principal: by,
        origin: 'page',
        target: row.id,
        outcome: 'ok',
        details: { queued: true },
      });
    }
    const runtime = line.running;
    if (runtime && runtime.abortedBy() === undefined) {
      count += 1;
      runtime.abort('user');
      audit.note({
        event: 'turn.stopped',
        principal: by,
        origin: 'page',
        target: runtime.turnId,
        outcome: 'ok',
      });
    }
    return count;
  }

  function endQueued(row: TurnRow, status: TurnStatus): void {
    try {
      database.tx(() => {
        turns.end(row.id, { status, now: clock.now(), code: null, text: null });
        events.append(row.conversation_id, row.id, { type: 'aborted', by: 'owner' });
        events.append(row.conversation_id, row.id, {
          type: 'done',
          status,
          can_retry: true,
          can_continue: false,
        });
      });
    } catch (error) {
      log.error('the end of a queued turn could not be stored', { turn: row.id, problem: errorText(error) });
    }
  }

  return {
    send(conversationId, text, by) {
      return create(conversationId, by, (turn) =>
        events.append(conversationId, turn.id, {
          type: 'user',
          message_id: newId('msg', clock.now()),
          content: text,
        }),
      );
    },
    edit(conversationId, messageId, text, by) {
      requireIdle(conversationId);
      const replaced = replaceable(
        events.all(conversationId),
        turns.ofConversation(conversationId),
        messageId,
      );
      return create(conversationId, by, (turn) =>
        replaceMessage(deps, { conversationId, messageId, replaced, text, by }, turn.id),
      );
    },
    resume(conversationId, by) {
      requireIdle(conversationId);
      const last = turns.latest(conversationId);
      if (!last || last.status === 'done') {
        throw new AppError({
          family: 'conflict',
          code: 'nothing_to_continue',
          message: 'The last answer is complete; there is nothing to go on with.',
        });
      }
      return create(conversationId, by, () => undefined);
    },
    stop,
    stopAll: (by) => [...lines.keys()].reduce((sum, id) => sum + stop(id, by), 0),
    turnFor(capability) {
      // Compared in constant time against each of the few running turns.
      const offered = Buffer.from(capability);
      for (const [known, runtime] of byCapability) {
        const own = Buffer.from(known);
        if (own.length === offered.length && timingSafeEqual(own, offered))
          return runtime.departure() ? undefined : runtime;
      }
      return undefined;
    },
    isRunning: (id) => lines.get(id)?.running !== undefined,
    runningCount: () => [...lines.values()].filter((line) => line.running).length,
    async idle(id) {
      const line = lines.get(id);
      if (!line || (!line.running && line.queue.length === 0)) return;
      await new Promise<void>((resolve) => line.idle.push(resolve));
    },
    async shutdown() {
      closing = true;
      const running = [...lines.values()].flatMap((line) => (line.running ? [line] : []));
      for (const line of lines.values())
        for (const row of line.queue.splice(0)) endQueued(row, 'interrupted');
      const ends = running.map((line) => new Promise<void>((resolve) => line.idle.push(resolve)));
      const runtimes = running.flatMap((line) => line.running ?? []);
      for (const runtime of runtimes) runtime.abort('shutdown');
      await Promise.all(ends);
      // Calls are cut off with their turn, but write their own end a moment later.
      await Promise.all(runtimes.map((runtime) => runtime.callsSettled(SETTLE_MS)));
      endings.close();
      events.close();
    },
  };
}
