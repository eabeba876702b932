// Guarantees: what is tried is the program itself, composed of the same parts and with the owner's configuration, on a
// workspace of its own in a new folder that is removed afterwards. A running instance, its data and its keys are not used:
// no secret of the owner is handed on, no provider is asked, and the port is a free one of this machine.
// Does not: try the instance that runs beside it. An attacker may control: nothing.
import { randomBytes } from 'node:crypto';
import type { TurnEvent } from '../../core/index.ts';
import type { Config, LoadedConfig } from '../../config/index.ts';
import { SecretText } from '../../config/secret-text.ts';
import { makeTrialFolder, type TrialFolder } from '../../host/files/trial-folder.ts';
import { workspacePaths, type WorkspacePaths } from '../../host/files/workspace-paths.ts';
import { askLoopback, type LoopbackAnswer } from '../../host/net/loopback.ts';
import {
  probeIsolation,
  usersOfChildren,
  type IsolationReport,
  type Users,
} from '../../host/process/index.ts';
import type { Layout } from '../layout.ts';
import type { Parts } from '../parts.ts';
import { startProgram, type Program } from '../program.ts';
import { lookAtOwnDatabase, type OwnDatabase } from './own-database.ts';
import { startScriptedModel, type ScriptedAnswer, type ScriptedModel } from './scripted-model.ts';
import { setUp, type SetupTrial } from './set-up.ts';

/** From where a trusted proxy of the trial speaks. Elsewhere than on Linux 127.0.0.1 is the only such address. */
const PROXY = process.platform === 'linux' ? '127.0.2.1' : '127.0.0.1';
/** Reserved for documents (RFC 5737): nobody's address, so the trial's clients bear them. */
const CLIENTS = '198.51.100.0/24';

export interface PageRequest {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: that of the owner. Null: none. */
  readonly token?: string | null;
  /** The client's address, as the trial's own proxy tells it. Default: each request comes from another. */
  readonly client?: string;
  /** Sent by no proxy. */
  readonly direct?: boolean;
}

export interface PageAnswer extends LoopbackAnswer {
  readonly json: Readonly<Record<string, unknown>>;
}

export interface TurnTrial {
  readonly conversation: string;
  readonly events: readonly TurnEvent[];
  /** What the model was told in this turn. */
  readonly prompts: readonly string[];
  /** The results of its calls, in order. */
  readonly results: readonly (TurnEvent & { readonly type: 'tool_result' })[];
}

export interface Bench {
  /** As the owner configured it, for what is off by intention. */
  readonly wanted: Config;
  readonly loaded: LoadedConfig;
  readonly paths: WorkspacePaths;
  /** The owner's own workspace; perhaps there is none yet. */
  readonly own: WorkspacePaths;
  /** What stands in the owner's database, read only; undefined where there is none. */
  readonly ownDatabase: () => Promise<OwnDatabase | undefined>;
  readonly trial: TrialFolder;
  readonly parts: Parts;
  readonly layout: Layout;
  readonly program: Program;
  readonly isolation: IsolationReport;
  /** What this machine can do, whatever the program makes of it. */
  readonly machine: Promise<IsolationReport>;
  readonly users: Users | null;
  readonly model: ScriptedModel;
  readonly setup: SetupTrial;
  /** A value that the program knows as a secret. */
  readonly secret: string;
  readonly password: string;
  ask(request: PageRequest): Promise<PageAnswer>;
  /** A turn in a new conversation whose model says this. */
  turn(answers: readonly ScriptedAnswer[], options?: TurnOptions): Promise<TurnTrial>;
}

export interface TurnOptions {
  readonly message?: string;
  readonly otherwise?: ScriptedAnswer;
  readonly provider?: 'demo' | 'openai-compatible';
  /** Called for each event while the turn runs. */
  readonly hear?: (event: TurnEvent) => void;
}

const TURN_MS = 60_000;

export async function withBench<T>(
  given: { readonly loaded: LoadedConfig; readonly parts: Parts; readonly layout: Layout },
  use: (bench: Bench) => Promise<T>,
): Promise<T> {
  const { loaded, parts, layout } = given;
  const undo: (() => Promise<void> | void)[] = [];
  try {
    const own = workspacePaths(loaded.config.workspace.path);
    const trial = makeTrialFolder(own.root);
    undo.push(() => trial.remove());
    const secret = `doctor/${randomBytes(18).toString('base64')}&x`;
    const program = await startProgram(
      trialConfig(loaded, trial.path, secret),
      // In a container of our own a start ends all processes of the children's users: those of the instance beside us too.
      { ...parts, sweep: (list) => parts.sweep(list, null) },
      layout,
    );
    undo.push(() => program.stop('the doctor is done'));
    const model = await startScriptedModel();
    undo.push(() => model.close());
    const ask = asker(Number(new URL(program.address).port));
    const setup = await setUp(ask, program);
    let known: Promise<OwnDatabase | undefined> | undefined;
    const asOwner: Bench['ask'] = (request) => ask({ ...request, token: tokenOf(request, setup.token) });
    await chooseModel(asOwner, model);
    return await use({
      wanted: loaded.config,
      loaded,
      paths: workspacePaths(trial.path),
      own,
      ownDatabase: () => (known ??= lookAtOwnDatabase(own, loaded)),
      trial,
      parts,
      layout,
      program,
      isolation: program.isolation,
      machine: probeIsolation({ assets: layout.processAssets, users: usersOfChildren() }),
      users: parts.users(),
      model,
      setup,
      secret,
      password: setup.password,
      ask: asOwner,
      turn: (answers, options = {}) => runTurn(program, model, answers, options),
    });
  } finally {
    for (const act of undo.toReversed()) await act();
  }
}

function tokenOf({ token }: PageRequest, owner: string): string | null {
  return token === undefined ? owner : token;
}

const PLENTY = { tokens: 1_000_000_000, usd: 10_000 };

/** As many as the owner allows, but enough for a call and its answer, and not more than can be waited for. */
export function stepsOf({ engine }: Config): number {
  return Math.min(Math.max(engine.maxSteps, 2), 25);
}

/** The owner's, but for places, addresses and secrets. What is looser here is judged against the owner's own. */
function trialConfig({ config, notices, origins }: LoadedConfig, path: string, secret: string): LoadedConfig {
  const { admin } = config;
  const text = new SecretText(secret);
  return {
    notices,
    origins,
    config: {
      ...config,
      workspace: { path },
      admin: {
        ...admin,
        bind: { host: '127.0.0.1', port: 0 },
        trustedProxies: [...admin.trustedProxies, PROXY],
        allowedIps: admin.allowedIps.length === 0 ? [] : [...admin.allowedIps, '127.0.0.0/8', CLIENTS],
      },
      logging: { level: 'error', json: true },
      engine: {
        ...config.engine,
        maxSteps: stepsOf(config),
        provider: 'demo',
        model: 'demo',
      },
      // Every turn must have its chance; the refusal of a budget is tried with one that is set for it.
      budget: { ...config.budget, turn: PLENTY, conversation: PLENTY, day: PLENTY },
      llm: { ollamaHost: '', compatibleBaseUrl: '', azureBaseUrl: '' },
      security: { minIsolation: 0, allowUnsandboxed: false },
      server: { ...config.server, healthAddress: undefined },
    },
    secrets: {
      get: () => undefined,
      all: () => [['OPENPACT_SECRET_DOCTOR', text]],
      source: () => undefined,
      named: new Map([['DOCTOR', text]]),
    },
  };
}

export type Ask = (request: PageRequest) => Promise<PageAnswer>;

function asker(port: number): Ask {
  let count = 0;
  return async ({ method = 'GET', path, body, headers, token, client, direct = false }) => {
    count = (count + 1) % 200;
    const answer = await askLoopback({
      port,
      method,
      path,
      headers: {
        host: `127.0.0.1:${port}`,
        ...(direct ? {} : { 'x-forwarded-for': client ?? `198.51.100.${count + 1}` }),
        ...(typeof token === 'string' ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(direct ? {} : { from: PROXY }),
    });
    return { ...answer, json: jsonOf(answer) };
  };
}

function jsonOf({ headers, text }: LoopbackAnswer): PageAnswer['json'] {
  if (!(headers['content-type'] ?? '').includes('json')) return {};
  return JSON.parse(text) as PageAnswer['json'];
}

async function chooseModel(ask: Ask, model: ScriptedModel): Promise<void> {
  const changed = await ask({
    method: 'PUT',
    path: '/api/llm/upstreams/openai-compatible',
    body: {
      base_url: model.baseUrl,
      enabled: true,
      api_key: `sk-doctor-${randomBytes(18).toString('base64url')}`,
    },
  });
  if (changed.status !== 200) throw new Error(`the model of the trial was refused: ${changed.text}`);
}

async function runTurn(
  { inside: { assistant } }: Program,
  model: ScriptedModel,
  answers: readonly ScriptedAnswer[],
  { message = 'go', otherwise, provider = 'openai-compatible', hear }: TurnOptions,
): Promise<TurnTrial> {
  const { conversations } = assistant;
  const by = { kind: 'operator' } as const;
  const { id } = conversations.create('doctor', by);
  conversations.change(id, { model: { provider, model: provider === 'demo' ? 'demo' : 'doctor' } }, by);
  model.say(answers, otherwise);
  const events: TurnEvent[] = [];
  let unsubscribe = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('a turn did not end within a minute')), TURN_MS);
      unsubscribe = conversations.subscribe(id, 0, (event) => {
        events.push(event);
        hear?.(event);
        if (event.type === 'done') resolve();
      });
      conversations.send(id, message, by);
    });
  } finally {
    clearTimeout(timer);
    unsubscribe();
  }
  const results = events.filter((event) => event.type === 'tool_result');
  return { conversation: id, events, prompts: model.heard(), results };
}
