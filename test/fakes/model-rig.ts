/** The LLM gateway with a fake model, a recorded turn and a real database with its audit log: for tests of the gateway. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock, type Json, type Log, type Redactor } from '../../src/core/index.ts';
import {
  createHealthBoard,
  createLlmGateway,
  type CallBudget,
  type LlmGateway,
  type LlmLimits,
  type ModelRoute,
} from '../../src/edge/llm/index.ts';
import { createChatCompletionsWire } from '../../src/edge/llm/wires/chat-completions/index.ts';
import type { Wire } from '../../src/edge/llm/wires/wire.ts';
import { createAudit, type Audit } from '../../src/guard/audit/index.ts';
import { createKnownSecrets, createRedactor } from '../../src/guard/secrets/index.ts';
import { createHttpClient } from '../../src/host/net/index.ts';
import { createAuditStore, openDatabase, type Database } from '../../src/host/storage/index.ts';
import { authorityOf, recordedTurn, type RecordedTurn, type RecordedTurnOptions } from './model-turn.ts';
import { startFakeModel, type FakeModel, type FakeModelOptions } from './openai-server.ts';

/** Hidden as `[REDACTED:TOKEN]`. */
export const RIG_SECRET = 'qX7-mP2vK9_tR4wZ8nB3jL6c';
export const RIG_KEY = 'sk-upstream-key';

export interface ModelRigOptions {
  readonly model?: FakeModelOptions;
  readonly turn?: RecordedTurnOptions;
  readonly limits?: Partial<LlmLimits>;
  readonly route?: Partial<ModelRoute>;
  readonly wrapAudit?: (audit: Audit) => Audit;
  readonly log?: Log;
  readonly budget?: CallBudget;
  /** Another model server than the fake one, by its base URL. */
  readonly upstreamUrl?: string;
  /** Default: chat completions. */
  readonly wire?: Wire;
}

export interface ModelRig {
  readonly model: FakeModel;
  readonly turn: RecordedTurn;
  readonly gateway: LlmGateway;
  readonly database: Database;
  readonly redactor: Redactor;
  /** Sends a chat completion as the engine would; fields override or add. */
  readonly ask: (fields?: Readonly<Record<string, unknown>>, init?: RequestInit) => Promise<EngineView>;
  readonly raw: (init: RequestInit, path?: string) => Promise<Response>;
  readonly auditRows: (event?: string) => { event: string; outcome: string; details: Record<string, Json> }[];
  readonly close: () => Promise<void>;
}

/** What the engine sees of one answer. */
export interface EngineView {
  readonly status: number;
  readonly text: string;
  readonly thinking: string;
  readonly calls: { id: string; name: string; arguments: string }[];
  readonly finish: string | null;
  // eslint-disable-next-line typescript/no-explicit-any -- tests read what they expect
  readonly usage: any;
  readonly error: { code: string; message: string } | undefined;
  readonly done: boolean;
}

export async function startModelRig(options: ModelRigOptions = {}): Promise<ModelRig> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'));
  const database = openDatabase({ path: join(folder, 'test.db') });
  const known = createKnownSecrets({ clock: systemClock });
  known.add('TOKEN', RIG_SECRET);
  const redactor = createRedactor(known);
  const log = options.log ?? silentLog;
  const plainAudit = createAudit({
    store: createAuditStore(database),
    database,
    clock: systemClock,
    log,
    redactor,
    key: new Uint8Array(32),
    fresh: true,
  });
  const audit = options.wrapAudit?.(plainAudit) ?? plainAudit;
  const model = await startFakeModel(options.model);
  const http = createHttpClient();
  const turn = recordedTurn(options.turn);
  const wire =
    options.wire ?? createChatCompletionsWire({ maxTokensField: 'max_tokens', reasoningInHistory: true });
  const route: ModelRoute = {
    provider: 'openai-compatible',
    label: 'Fake',
    wire,
    reportsCost: false,
    cost: () => null,
    price: () => undefined,
    send: ({ path, body, ...rest }) =>
      http.send({
        ...rest,
        url: `${options.upstreamUrl ?? model.url}/${path}`,
        reach: 'own',
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'content-type': 'application/json', ...wire.upstreamHeaders(RIG_KEY) },
        ...(body === undefined ? {} : { body }),
        redirects: 'refuse',
      }),
    ...options.route,
  };
  const gateway = createLlmGateway({
    authority: authorityOf(turn),
    routes: { routeTo: () => ({ ok: true, route }) },
    database,
    audit,
    redactor,
    clock: systemClock,
    log,
    limits: { retryDefaultMs: 10, ...options.limits },
    budget: options.budget ?? {
      check: () => ({ ok: true }),
      reserve: () => undefined,
      settle: () => undefined,
    },
    assumed: { maxOutputTokens: 32_768, fallbackPrice: { input: 5, output: 25 } },
    health: createHealthBoard(systemClock),
  });
  const raw = (init: RequestInit, path = '/v1/chat/completions'): Promise<Response> =>
    gateway.fetch(new Request(`http://gateway${path}`, { method: 'POST', ...init }));
  return {
    model,
    turn,
    gateway,
    database,
    redactor,
    raw,
    async ask(fields = {}, init = {}) {
      const body = {
        model: turn.model,
        stream: true,
        messages: [{ role: 'user', content: 'hi' }],
        ...fields,
      };
      const response = await raw({
        headers: { authorization: `Bearer ${turn.capability}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...init,
      });
      return readEngineView(response);
    },
    auditRows: (event) =>
      plainAudit
        .list({ after: 0, limit: 1_000, event })
        .map((row) => ({ ...row, details: JSON.parse(row.details) as Record<string, Json> })),
    async close() {
      await http.close();
      await model.close();
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function readEngineView(response: Response): Promise<EngineView> {
  const body = await response.text();
  if (!(response.headers.get('content-type') ?? '').includes('event-stream')) {
    const { error } = JSON.parse(body) as { error: EngineView['error'] };
    return {
      status: response.status,
      text: '',
      thinking: '',
      calls: [],
      finish: null,
      usage: null,
      error,
      done: false,
    };
  }
  let [text, thinking, finish, done] = ['', '', null as string | null, false];
  let usage: unknown = null;
  let error: EngineView['error'];
  const calls: EngineView['calls'] = [];
  for (const event of body.split('\n\n').filter((line) => line !== '')) {
    const data = event.slice('data: '.length);
    if (data === '[DONE]') {
      done = true;
      continue;
    }
    const chunk = JSON.parse(data);
    if (chunk.error) error = chunk.error;
    usage = chunk.usage ?? usage;
    const choice = chunk.choices?.[0];
    text += choice?.delta.content ?? '';
    thinking += choice?.delta.reasoning_content ?? '';
    finish = choice?.finish_reason ?? finish;
    for (const call of choice?.delta.tool_calls ?? []) {
      calls.push({ id: call.id, name: call.function.name, arguments: call.function.arguments });
    }
  }
  return { status: response.status, text, thinking, calls, finish, usage, error, done };
}
