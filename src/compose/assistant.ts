import { isJsonObject, type AnyTool, type FilePowers } from '../core/index.ts';
import type { LoadedConfig } from '../config/index.ts';
import type { EngineAdapter } from '../engine/adapter.ts';
import { createBuiltinEngine } from '../engine/adapters/builtin/index.ts';
import { createContextBuilder } from '../engine/context.ts';
import { createConversations, type Conversations } from '../engine/conversations.ts';
import { createEventLog } from '../engine/event-log.ts';
import { createFallbacks, type ModelName } from '../engine/fallback.ts';
import { historyLimitsFor } from '../engine/history-trim.ts';
import { createOrphans, type Orphans } from '../engine/orphans.ts';
import { recover, type Recovered } from '../engine/recovery.ts';
import { createTranscript, showDecisions } from '../engine/transcript.ts';
import { resultText } from '../engine/history.ts';
import { answerText } from '../engine/turn-runtime.ts';
import { createTurns, type Turns } from '../engine/turns.ts';
import { createDefaultFallback, type DefaultFallback } from '../edge/llm/default-fallback.ts';
import { createHealthBoard, createLlmGateway, createUpstreams, type Upstreams } from '../edge/llm/index.ts';
import { createMcpHandler, type ToolGate } from '../edge/mcp/index.ts';
import type { Approvals } from '../guard/approvals/index.ts';
import type { Budgets } from '../guard/budget/index.ts';
import type { Gate } from '../guard/gate/index.ts';
import { PROFILE_SETTING } from '../guard/identity/index.ts';
import { createKeptFiles, type KeptFiles } from '../guard/kept-files/index.ts';
import { createOwnerRules, createPolicy, type OwnerRules, type Policy } from '../guard/policy/index.ts';
import { scriptNews, watchScripts } from '../guard/scripts/index.ts';
import { revealSecret } from '../guard/secrets/index.ts';
import type { HttpClient } from '../host/net/index.ts';
import type { Launcher, UserIds } from '../host/process/index.ts';
import {
  createApprovalStore,
  createConversationStore,
  createEventStore,
  createToolCallStore,
  createTurnStore,
} from '../host/storage/index.ts';
import { createConversationSearch } from '../host/storage/conversation-search.ts';
import { createFileVersionStore } from '../host/storage/file-version-store.ts';
import { createBudgetStore } from '../host/storage/budget-store.ts';
import { createUpstreamsStore } from '../host/storage/upstreams-store.ts';
import type { Foundation } from './foundation.ts';
import type { Layout } from './layout.ts';
import type { Parts } from './parts.ts';
import type { Scripts } from './scripts.ts';

/** The assistant and everything that decides over it. */
export interface Assistant {
  readonly tools: readonly AnyTool[];
  readonly policy: Policy;
  readonly ownerRules: OwnerRules;
  /** Who it is and what it remembers, with every version. */
  readonly keptFiles: KeptFiles;
  readonly approvals: Approvals;
  readonly gate: Gate;
  readonly turns: Turns;
  readonly orphans: Orphans;
  readonly conversations: Conversations;
  readonly upstreams: Upstreams;
  /** Of conversations that name no fallback of their own. */
  readonly defaultFallback: DefaultFallback;
  readonly budgets: Budgets;
  readonly engine: EngineAdapter;
  readonly recovered: Recovered;
  /** What the engine's process can reach: the model and the tools. */
  readonly doors: {
    readonly llm: (request: Request) => Promise<Response>;
    readonly mcp: (request: Request) => Promise<Response>;
  };
  /** The assistant's name from the setup. */
  agentName(): string;
}

/** Refusals of calls that a well-behaved engine never makes; then the turn ends. */
export const MAX_REFUSALS = 20;
export const MAX_CALLS_PER_TURN = 100;

export function createAssistant(
  base: Foundation,
  parts: Parts,
  layout: Layout,
  means: {
    readonly launcher: Launcher;
    readonly files: FilePowers;
    readonly scripts: Scripts;
    readonly http: HttpClient;
    readonly allowUnfenced: boolean;
    /** Who engines run as, where that can be another user. */
    readonly user: UserIds | undefined;
  },
): Assistant {
  const { database, audit, clock, redactor, settings, vault } = base;
  const { config, secrets } = base.loaded;
  const log = base.log.child('assistant');
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
  const tools = parts.tools();
  const ownerRules = createOwnerRules({ settings, database, audit, clock, log });
  const policy = createPolicy(parts.policyRules(config), () => ownerRules.rules());
  const keptFiles = createKeptFiles({
    files: means.files,
    store: createFileVersionStore(database),
    database,
    audit,
    clock,
    log,
  });
  const approvals = parts.approvals({
    store: createApprovalStore(database),
    database,
    audit,
    redactor,
    clock,
    log,
    expireAfterMs: config.approvals.expireAfterMs,
  });
  const gate = parts.gate({
    tools: new Map(tools.map((tool) => [tool.name, tool])),
    policy,
    approvals,
    calls,
    database,
    audit,
    redactor,
    transcript: createTranscript(events),
    powers: {
      files: (caller) => watchScripts(keptFiles.powers, means.scripts.library, caller),
      clock,
      scripts: means.scripts.powers,
    },
    clock,
    log,
    sealed: () => base.seal.sealed(),
    maxCallsPerTurn: MAX_CALLS_PER_TURN,
  });
  showDecisions(approvals, events);

  const profile = (key: string): string | undefined => {
    const stored = settings.get(PROFILE_SETTING);
    const value = stored !== undefined && isJsonObject(stored) ? stored[key] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const context = createContextBuilder({
    files: means.files,
    tools,
    clock,
    log,
    timezone: () => profile('timezone') ?? 'UTC',
    scriptNews: () => scriptNews(means.scripts.store, clock.now()),
  });

  const health = createHealthBoard(clock);
  const { turn, conversation, day, ...assumed } = config.budget;
  const budgets = parts.budgets({
    store: createBudgetStore(database),
    settings,
    database,
    audit,
    clock,
    defaults: { turn, conversation, day },
  });
  const upstreams = createUpstreams({
    health,
    untilLocked: () => base.seal.untilLocked(),
    store: createUpstreamsStore(database),
    settings,
    database,
    audit,
    clock,
    redactor,
    http: means.http,
    keys: {
      put: (name, value) => void vault.put({ kind: 'llm_key', name }, value),
      has: (name) => vault.has({ kind: 'llm_key', name }),
      remove: (name) => void vault.remove({ kind: 'llm_key', name }),
      use: (name) => revealSecret(vault, { kind: 'llm_key', name }, 'llm_call') ?? null,
    },
    known: base.known,
    environmentKeys: keysFromEnvironment(secrets),
    ollamaHost: config.llm.ollamaHost,
    compatibleBaseUrl: config.llm.compatibleBaseUrl,
    azureBaseUrl: config.llm.azureBaseUrl,
    initialModel: { provider: config.engine.provider, model: config.engine.model },
  });
  const checkModel = (choice: ModelName): void => void upstreams.checkChoice(choice);
  const defaultFallback = createDefaultFallback({
    settings,
    database,
    audit,
    clock,
    checkChoice: (choice) => upstreams.checkChoice(choice),
  });
  const gateway = createLlmGateway({
    database,
    audit,
    redactor,
    clock,
    log: base.log.child('llm'),
    authority: { turnFor: (capability) => turns.turnFor(capability) },
    routes: upstreams,
    budget: budgets,
    assumed,
    health,
  });
  const toolGate: ToolGate = {
    turnFor(capability) {
      const turn = turns.turnFor(capability);
      if (!turn) return undefined;
      return {
        tools: () =>
          tools.map((tool) => ({
            name: tool.name,
            description: tool.description,
            schema: tool.schema,
            title: tool.title,
            annotations: {
              readOnlyHint: tool.effect === 'read',
              destructiveHint: tool.effect === 'write',
              openWorldHint: false,
            },
          })),
        unknown: (name) => turn.unknownTool(name),
        async call(call) {
          const answer = await turn.callTool(call);
          const text = answerText(answer);
          // As data only where the text is whole: the data would carry the rest again.
          const whole = text === resultText(answer.value);
          const structured = whole && isJsonObject(answer.value) ? answer.value : undefined;
          return {
            text,
            structured,
            isError: answer.isError,
            code: answer.isError ? answer.kind : undefined,
          };
        },
      };
    },
  };
  const mcp = createMcpHandler({
    gate: toolGate,
    version: layout.version,
    log: base.log.child('mcp'),
    clock,
  });
  const doors = { llm: gateway.fetch, mcp: mcp.fetch };
  const engine = createBuiltinEngine({
    launcher: means.launcher,
    program: parts.agentProgram(layout),
    handlers: doors,
    log: base.log.child('engine'),
    clock,
    // A turn that waits for a person keeps its process but not its place.
    maxProcesses: config.engine.maxTurnsAtOnce * 4,
    allowUnfenced: means.allowUnfenced,
    user: means.user,
  });
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
    context,
    tools,
    clock,
    log,
    model: () => upstreams.defaultModel(),
    wireOf: (provider) => upstreams.wireOf(provider),
    fallback: createFallbacks({
      conversations: conversationStore,
      byDefault: () => defaultFallback.get(),
      checkModel,
    }),
    historyLimits: (choice) => historyLimitsFor(upstreams.contextWindow(choice)),
    limits: {
      maxSteps: parts.maxSteps(config),
      timeoutMs: config.engine.turnTimeoutMs,
      maxRefusals: MAX_REFUSALS,
    },
    maxAtOnce: config.engine.maxTurnsAtOnce,
    maxWaiting: config.engine.maxTurnsAtOnce * 3,
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
    redactor,
    database,
    clock,
  });
  budgets.recover();
  const recovered = recover({
    turns: turnStore,
    calls,
    approvals,
    gate,
    events,
    audit,
    database,
    clock,
    log,
  });
  return {
    tools,
    policy,
    ownerRules,
    keptFiles,
    approvals,
    gate,
    turns,
    orphans,
    conversations,
    upstreams,
    defaultFallback,
    budgets,
    engine,
    recovered,
    doors,
    agentName: () => profile('agent_name') ?? 'Assistant',
  };
}

/** Keys that the operator handed over; they win over stored ones. */
function keysFromEnvironment(
  secrets: LoadedConfig['secrets'],
): Partial<Record<string, { reveal(): string }>> {
  const found = {
    openai: secrets.get('OPENAI_API_KEY'),
    anthropic: secrets.get('ANTHROPIC_API_KEY'),
    google: secrets.get('GOOGLE_API_KEY'),
    azure: secrets.get('AZURE_OPENAI_API_KEY'),
    openrouter: secrets.get('OPENROUTER_API_KEY'),
    'openai-compatible': secrets.get('OPENAI_COMPATIBLE_API_KEY'),
  };
  return Object.fromEntries(Object.entries(found).filter(([, text]) => text !== undefined));
}
