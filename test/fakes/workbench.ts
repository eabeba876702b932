/** The trusted side on a real database in a temporary folder, with an engine and files that a test scripts. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AppError,
  canonicalJson,
  silentLog,
  systemClock,
  type AnyTool,
  type Clock,
  type FilePowers,
  type Json,
  type Principal,
  type ScriptPowers,
  type StoredEvent,
} from '../../src/core/index.ts';
import type { EngineAdapter, EngineOutcome, EngineTurn } from '../../src/engine/adapter.ts';
import { createConversations } from '../../src/engine/conversations.ts';
import { createFallbacks, type ModelName } from '../../src/engine/fallback.ts';
import { createEventLog } from '../../src/engine/event-log.ts';
import { HISTORY_LIMITS, type HistoryLimits } from '../../src/engine/history-trim.ts';
import { createOrphans } from '../../src/engine/orphans.ts';
import { recover } from '../../src/engine/recovery.ts';
import { createTranscript, showDecisions } from '../../src/engine/transcript.ts';
import type { TurnRuntime } from '../../src/engine/turn-runtime.ts';
import { createTurns } from '../../src/engine/turns.ts';
import { createApprovals } from '../../src/guard/approvals/index.ts';
import { createAudit } from '../../src/guard/audit/index.ts';
import { createGate } from '../../src/guard/gate/index.ts';
import { createPolicy, type PolicyRule } from '../../src/guard/policy/index.ts';
import {
  createApprovalStore,
  createAuditStore,
  createConversationStore,
  createEventStore,
  createToolCallStore,
  createTurnStore,
  openDatabase,
} from '../../src/host/storage/index.ts';
import { createConversationSearch } from '../../src/host/storage/conversation-search.ts';
import { plainRedactor } from './plain-redactor.ts';

export const OWNER: Principal = { kind: 'user', id: 'usr_1', name: 'owner' };

/** What an engine does in one turn. */
export type Play = (turn: EngineTurn, runtime: TurnRuntime) => Promise<EngineOutcome>;

export interface WorkbenchOptions {
  readonly tools?: readonly AnyTool[];
  readonly rules?: readonly PolicyRule[];
  readonly clock?: Clock;
  readonly play?: Play;
  readonly directory?: string;
  readonly expireAfterMs?: number;
  readonly timeoutMs?: number;
  readonly maxAtOnce?: number;
  readonly maxWaiting?: number;
  readonly maxCallsPerTurn?: number;
  readonly sealed?: () => boolean;
  readonly historyLimits?: HistoryLimits;
  /** What all conversations go on with when their model can't be had. */
  readonly fallback?: ModelName;
}

export type Workbench = ReturnType<typeof createWorkbench>;

export function createWorkbench(options: WorkbenchOptions = {}) {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'openpact-bench-'));
  const database = openDatabase({ path: join(directory, 'openpact.db') });
  const clock = options.clock ?? systemClock;
  const log = silentLog;
  const auditStore = createAuditStore(database);
  const audit = createAudit({
    store: auditStore,
    database,
    clock,
    log,
    redactor: plainRedactor,
    key: new Uint8Array(32).fill(7),
    fresh: options.directory === undefined,
  });
  const conversationStore = createConversationStore(database);
  const turnStore = createTurnStore(database);
  const calls = createToolCallStore(database);
  const events = createEventLog({
    events: createEventStore(database),
    conversations: conversationStore,
    database,
    clock,
    log,
  });
  const approvals = createApprovals({
    store: createApprovalStore(database),
    database,
    audit,
    redactor: plainRedactor,
    clock,
    log,
    expireAfterMs: options.expireAfterMs ?? 60_000,
  });
  const tools = options.tools ?? [];
  const gate = createGate({
    tools: new Map(tools.map((tool) => [tool.name, tool])),
    policy: createPolicy(options.rules ?? []),
    approvals,
    calls,
    database,
    audit,
    redactor: plainRedactor,
    transcript: createTranscript(events),
    powers: { files: () => noFiles, clock, scripts: noScripts },
    clock,
    log,
    sealed: options.sealed ?? (() => false),
    maxCallsPerTurn: options.maxCallsPerTurn ?? 100,
  });
  showDecisions(approvals, events);
  const checkModel = (choice: ModelName): void => {
    if (choice.provider === 'none')
      throw new AppError({ family: 'missing', code: 'not_found', message: 'There is no such provider.' });
  };
  let play: Play = options.play ?? (async () => ({ kind: 'finished' }));
  const engine: EngineAdapter = {
    start: async () => undefined,
    stop: async () => undefined,
    state: () => ({ state: 'ready', detail: null, pids: [] }),
    runTurn: (turn) => {
      const runtime = turns.turnFor(turn.capability);
      if (!runtime) throw new Error('the capability of a running turn is not known');
      return play(turn, runtime);
    },
  };
  const turns = createTurns({
    conversations: conversationStore,
    turns: turnStore,
    calls,
    database,
    events,
    gate,
    approvals,
    audit,
    engine,
    context: { build: async () => 'You are a test.' },
    tools,
    clock,
    log,
    model: () => ({ provider: 'demo', model: 'demo' }),
    wireOf: () => 'chat-completions',
    fallback: createFallbacks({
      conversations: conversationStore,
      byDefault: () => options.fallback ?? null,
      checkModel,
    }),
    limits: { maxSteps: 10, timeoutMs: options.timeoutMs ?? 60_000, maxRefusals: 20 },
    maxAtOnce: options.maxAtOnce ?? 4,
    maxWaiting: options.maxWaiting ?? 12,
    ...(options.historyLimits === undefined
      ? {}
      : { historyLimits: () => options.historyLimits ?? HISTORY_LIMITS }),
  });
  const orphans = createOrphans({ gate, approvals, log });
  const conversations = createConversations({
    store: conversationStore,
    finder: createConversationSearch(database),
    checkModel,
    turnStore,
    turns,
    orphans,
    events,
    approvals,
    audit,
    redactor: plainRedactor,
    database,
    clock,
  });
  let closed = false;
  return {
    directory,
    database,
    audit,
    orphans,
    auditStore,
    approvals,
    calls,
    events,
    gate,
    turns,
    turnStore,
    conversations,
    setPlay: (next: Play) => (play = next),
    recover: () => recover({ turns: turnStore, calls, approvals, gate, events, audit, database, clock, log }),
    eventsOf: (id: string): readonly StoredEvent[] => events.all(id),
    /** The folder as a power cut would leave it now, for another workbench; this one goes on with its own. */
    afterCrash(): string {
      const left = mkdtempSync(join(tmpdir(), 'openpact-bench-'));
      cpSync(directory, left, { recursive: true });
      return left;
    },
    /** As the program does it: the database is closed when nothing is left that could touch it. */
    async close() {
      if (closed) return;
      closed = true;
      await orphans.shutdown();
      await turns.shutdown();
      database.close();
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Plays one step of a model: text, then calls. Returns the call ids. */
export function step(
  runtime: TurnRuntime,
  text: string,
  calls: readonly { name: string; args: Json }[] = [],
): string[] {
  const begun = runtime.beginStep();
  if (!begun.ok) throw new AppError({ family: 'limit', code: begun.code, message: begun.message });
  if (text !== '') runtime.partEnd(begun.step, 'text', text);
  const seen = calls.map((call, index) => ({
    index,
    id: `c${String(begun.step).padStart(4, '0')}${String(index).padStart(4, '0')}`,
    name: call.name,
    argumentsText: canonicalJson(call.args),
    arguments: call.args,
  }));
  if (seen.length > 0) runtime.toolCalls(begun.step, seen);
  runtime.stepEnd(begun.step, {
    outcome: 'ok',
    finishReason: 'stop',
    usage: { input: 10, output: 5, cached: null },
    costUsd: 0,
  });
  return seen.map((call) => call.id);
}

/** A tool for tests; `resource` is what its argument `path` starts with. */
export function testTool(
  name: string,
  run: (args: { path: string }, signal: AbortSignal) => Promise<Json>,
  facts: { effect?: 'read' | 'write'; deadlineMs?: number } = {},
): AnyTool {
  return {
    name,
    title: name,
    description: `The tool ${name}.`,
    effect: facts.effect ?? 'write',
    schema: { type: 'object' },
    parse: (args) =>
      typeof (args as { path?: unknown }).path === 'string'
        ? { ok: true, args: args as { path: string } }
        : { ok: false, problem: 'path must be a text' },
    target: (args: { path: string }) => ({ target: args.path, resource: args.path.split('/')[0] ?? '' }),
    describe: (args: { path: string }) => `Act on ${args.path}`,
    deadlineMs: facts.deadlineMs ?? 5_000,
    run: (args: { path: string }, context) => run(args, context.signal),
  };
}

const noFile = () =>
  Promise.reject(new AppError({ family: 'missing', code: 'not_found', message: 'no file' }));
const noScript = () =>
  Promise.reject(new AppError({ family: 'missing', code: 'not_found', message: 'no script' }));
export const noScripts: ScriptPowers = {
  list: noScript,
  reload: noScript,
  status: noScript,
  write: noScript,
  run: noScript,
  exec: noScript,
};
const noFiles: FilePowers = { read: noFile, write: noFile, append: noFile, list: noFile };

/** Resolves once `done()` is true; fails after five seconds. */
export async function until(done: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!done()) {
    if (performance.now() > end) throw new Error('it did not happen within 5 seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
