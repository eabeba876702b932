import { AppError, type Json, type Log } from '../core/index.ts';
import type { Approval, ToolView } from '../edge/admin/api.ts';
import type {
  Accepted,
  Actor,
  ApprovalsPort,
  ConversationsPort,
  ModelsPort,
  SystemPort,
  ToolsPort,
} from '../edge/admin/ports.ts';
import type { Conversations } from '../engine/conversations.ts';
import type { StepUp } from '../guard/identity/index.ts';
import type { IsolationReport } from '../host/process/index.ts';
import { isolationSentence } from '../host/process/index.ts';
import type { ApprovalRow, ToolCallStore } from '../host/storage/index.ts';
import type { InboxStore } from '../host/storage/inbox-store.ts';
import type { Assistant } from './assistant.ts';
import { decideBatch } from './inbox-batch.ts';
import { createInbox } from './inbox.ts';
import type { Scripts } from './scripts.ts';

/** The admin edge knows shapes of the wire; here they are made from what the guard and the engine know. */

export function conversationsPort(conversations: Conversations): ConversationsPort {
  const accepted = (act: () => unknown): Accepted => {
    try {
      act();
      return { ok: true };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return {
        ok: false,
        code: error.code,
        content: error.fix === undefined ? error.message : `${error.message} ${error.fix}`,
      };
    }
  };
  const known = <T>(id: string, act: () => T): T | undefined =>
    conversations.exists(id) ? act() : undefined;
  return {
    create: (title, actor) => conversations.create(title, actor.principal),
    list: (query) => conversations.list(query),
    search: (query) => conversations.search(query),
    get: (id) => known(id, () => conversations.get(id)),
    change: (id, change, actor) => known(id, () => conversations.change(id, change, actor.principal)),
    export: (id, format, actor) => known(id, () => conversations.export(id, format, actor.principal)),
    async delete(id, actor) {
      if (!conversations.exists(id)) return false;
      await conversations.delete(id, actor.principal);
      return true;
    },
    messages: (id, limit) => known(id, () => conversations.messages(id, limit)),
    tail: (id, messages) => conversations.tail(id, messages),
    earlier: (id, before, messages) => known(id, () => conversations.earlier(id, before, messages)),
    head: (id) => known(id, () => ({ seq: conversations.lastSeq(id), running: conversations.isRunning(id) })),
    send: (id, content, actor) => accepted(() => conversations.send(id, content, actor.principal)),
    edit: (id, messageId, content, actor) =>
      accepted(() => conversations.edit(id, messageId, content, actor.principal)),
    retry: (id, actor) => accepted(() => conversations.resume(id, actor.principal)),
    continue: (id, actor) => accepted(() => conversations.resume(id, actor.principal)),
    abort: (id, actor) => accepted(() => conversations.stop(id, actor.principal)),
    subscribe: (id, after, listener) => conversations.subscribe(id, after, listener),
  };
}

export interface ApprovalsMeans {
  readonly calls: ToolCallStore;
  readonly inbox: InboxStore;
  readonly scripts: Pick<Scripts, 'library' | 'store' | 'decisions'>;
  /** Where approving asks for the password again. */
  readonly stepUp: StepUp | undefined;
  /** Looks at the folder of scripts; not waited for. */
  readonly look: () => void;
  readonly log: Log;
}

export function approvalsPort(
  { approvals, conversations }: Pick<Assistant, 'approvals' | 'conversations'>,
  { calls, inbox: store, scripts, stepUp, look, log }: ApprovalsMeans,
): ApprovalsPort {
  const view = (row: ApprovalRow): Approval => approvalView(row, conversations, calls);
  const inbox = createInbox({
    approvals,
    scripts,
    store,
    toolView: view,
    titleOf: (id) => (conversations.exists(id) ? conversations.get(id).title : null),
    look,
  });
  return {
    list: (query) => inbox.list(query),
    waiting: () => inbox.waiting(),
    batch: decideBatch({ approvals, scripts, stepUp, log }),
    async approve(id, { digest, password }, actor) {
      await stepUp?.requireStepUp({
        principal: actor.principal,
        address: actor.address,
        act: 'approval.approve',
        password,
      });
      return view(approvals.decide(id, 'approve', actor.principal, digest === undefined ? {} : { digest }));
    },
    deny: (id, reason, actor) =>
      view(approvals.decide(id, 'deny', actor.principal, reason === undefined ? {} : { reason })),
  };
}

function approvalView(row: ApprovalRow, conversations: Conversations, calls: ToolCallStore): Approval {
  const id = row.conversation_id;
  const call =
    row.turn_id === null || row.step === null || row.idx === null
      ? undefined
      : calls.get({ turn_id: row.turn_id, step: row.step, idx: row.idx });
  const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return {
    id: row.id,
    kind: row.kind,
    status: row.status,
    conversation_id: id,
    conversation_title: id !== null && conversations.exists(id) ? conversations.get(id).title : null,
    turn_id: row.turn_id,
    tool: row.tool,
    arguments: JSON.parse(row.arguments) as Json,
    digest: row.digest,
    summary: row.summary,
    why: row.why,
    created_at: new Date(row.created_at).toISOString(),
    expires_at: new Date(row.expires_at).toISOString(),
    decided_at: time(row.decided_at),
    decided_by: row.decided_by,
    reason: row.reason,
    // Between the decision and the start of the call there is nothing to tell yet.
    outcome: row.status === 'approved' && call && call.status !== 'asking' ? call.status : null,
  };
}

export function modelsPort({ upstreams, defaultFallback }: Assistant): ModelsPort {
  return {
    upstreams: () => upstreams.list(),
    change: (name, change, actor) => upstreams.change(name, change, actor.principal),
    models: async () => ({ ...(await upstreams.models()), fallback: defaultFallback.get() }),
    setDefault: (choice, actor) => upstreams.setDefault(choice, actor.principal),
    setFallback: (choice, actor) => defaultFallback.set(choice, actor.principal),
    test: (name, model, actor) => upstreams.test(name, model, actor.principal),
  };
}

export function toolsPort({ tools, policy }: Assistant): ToolsPort {
  return {
    list: (): ToolView[] =>
      tools.map((tool) => ({
        name: tool.name,
        title: tool.title,
        description: tool.description,
        effect: tool.effect,
        rules: policy.overview(tool, 'page'),
      })),
  };
}

export interface SystemFacts {
  readonly version: string;
  readonly isolation: () => IsolationReport | undefined;
  /** Why the last change could not be stored. */
  readonly databaseProblem: () => string | null;
  readonly sealed: () => boolean;
  readonly stopScripts: () => number;
  /** Versions that wait. */
  readonly pendingScripts: () => number;
  readonly log: Log;
}

export function systemPort(assistant: Assistant, facts: SystemFacts): SystemPort {
  const isolation = () => {
    const report = facts.isolation();
    if (!report) return { level: 0 as const, summary: 'The fences are being tried.', missing: [] };
    return { level: report.level, summary: isolationSentence(report.level), missing: report.missing };
  };
  return {
    status() {
      const { state, detail } = assistant.engine.state();
      return {
        version: facts.version,
        isolation: isolation(),
        engine: { state, detail },
        pending_approvals: assistant.approvals.countPending(),
        pending_scripts: facts.pendingScripts(),
        running_turns: assistant.turns.runningCount() + assistant.orphans.count(),
        agent_name: assistant.agentName(),
      };
    },
    stopAll(actor: Actor) {
      // Runs that belong to no turn, such as tests on the page, end too.
      facts.stopScripts();
      return assistant.turns.stopAll(actor.principal) + assistant.orphans.stopAll();
    },
    health() {
      const { level, summary } = isolation();
      const { state } = assistant.engine.state();
      const problem = facts.databaseProblem();
      return {
        isolation: { level, summary },
        checks: {
          database: problem === null ? { status: 'healthy' } : { status: 'unhealthy', message: problem },
          vault: facts.sealed()
            ? { status: 'degraded', message: 'the vault is sealed' }
            : { status: 'healthy' },
          engine:
            state === 'ready' || state === 'starting'
              ? { status: 'healthy' }
              : { status: 'degraded', message: `the engine is ${state}` },
        },
      };
    },
  };
}
