// Guarantees: the way to each upstream, with the key of this moment for the address of this moment; lists of models and the
// default model. What the owner may change, and where a key may go: upstream-settings.ts.
// Does not: decide who may ask (the admin edge does).
// An attacker may control: with a stolen page session, every argument; and what an upstream answers.
import {
  AppError,
  isJsonObject,
  type Json,
  type Principal,
  type Redactor,
  type WireName,
  UPSTREAM_NAMES,
  type UpstreamName,
} from '../../core/index.ts';
import type { HttpClient } from '../../host/net/index.ts';
import type { SettingsStore } from '../../host/storage/index.ts';
import { createContextWindows } from './context-windows.ts';
import { createDemoSend, DEMO_MODEL } from './demo/index.ts';
import { fetchModels, type ModelList, type ModelView } from './model-list.ts';
import { estimateCost, priceOf } from './prices.ts';
import type { ModelRoute, ModelRoutes, RouteAnswer, UpstreamRequest } from './route.ts';
import { testCall } from './test-call.ts';
import { explained, llmError } from './upstream-errors.ts';
import type { HealthBoard, UpstreamHealth } from './upstream-health.ts';
import { actsByItself, isModelName, isUpstreamName, UPSTREAM_KINDS } from './upstream-kinds.ts';
import {
  createUpstreamSettings,
  knownUpstream,
  originOf,
  type UpstreamChange,
  type UpstreamSettingsDeps,
  type UpstreamView,
} from './upstream-settings.ts';
import type { Wire } from './wires/wire.ts';

interface ModelChoice {
  readonly provider: UpstreamName;
  readonly model: string;
}

interface ModelsAnswer {
  readonly models: readonly ModelView[];
  readonly default: ModelChoice;
  readonly problems: Readonly<Record<string, string>>;
}

interface UpstreamTest {
  readonly ok: boolean;
  readonly message: string;
  readonly duration_ms: number;
}

type UpstreamWithHealth = UpstreamView & { readonly health: UpstreamHealth | null };

export interface Upstreams extends ModelRoutes {
  list(): readonly UpstreamWithHealth[];
  /** Errors: missing `not_found`; input `base_url_invalid`, `base_url_not_encrypted`, `key_invalid`; conflict `key_from_environment`, `demo_fixed`. */
  change(name: string, change: UpstreamChange, principal: Principal): UpstreamWithHealth;
  models(): Promise<ModelsAnswer>;
  defaultModel(): ModelChoice;
  /** What a turn on this provider speaks with the gateway. For one that is gone: any, the gateway refuses its call. */
  wireOf(provider: string): WireName;
  /** Tokens that a model can take, as far as it is known without asking anybody; null: not known. */
  contextWindow(choice: { readonly provider: string; readonly model: string }): number | null;
  /** Whether it may be chosen now. Errors: as of `setDefault`. */
  checkChoice(choice: { readonly provider: string; readonly model: string }): ModelChoice;
  /** Errors: input `model_invalid`, `model_acts_by_itself`; conflict with the code and words of `routeTo`. */
  setDefault(
    choice: { readonly provider: string; readonly model: string },
    principal: Principal,
  ): ModelChoice;
  /** One tiny call, also to an upstream that is switched off. Error: missing `not_found`. */
  test(name: string, model: string | undefined, principal: Principal): Promise<UpstreamTest>;
}

export interface UpstreamsDeps extends UpstreamSettingsDeps {
  readonly settings: SettingsStore;
  readonly redactor: Redactor;
  readonly http: HttpClient;
  readonly health: HealthBoard;
  /** Ends test calls and lists of models, which no turn ends. */
  readonly untilLocked: () => AbortSignal;
  /** From the configuration; one that was chosen on the page wins. */
  readonly initialModel?: ModelChoice | undefined;
  /** Between the demo's pieces, in ms. */
  readonly demoDelayMs?: number | undefined;
}

const LIST_KEPT_MS = 5 * 60_000;
const DEFAULT_KEY = 'llm.default';
const DEMO: ModelChoice = { provider: 'demo', model: DEMO_MODEL };

export function createUpstreams(deps: UpstreamsDeps): Upstreams {
  const { settings, database, audit, clock } = deps;
  const upstreams = createUpstreamSettings(deps);
  const lists = new Map<UpstreamName, { readonly until: number; readonly list: Promise<ModelList> }>();
  const windows = createContextWindows();
  const demoSend = createDemoSend({ delayMs: deps.demoDelayMs });

  async function send(name: UpstreamName, request: UpstreamRequest): ReturnType<ModelRoute['send']> {
    if (name === 'demo') return demoSend(request);
    const { path, body, ...limits } = request;
    // Address and key are read together: a change in between can't send one to the other.
    const base = upstreams.baseUrlOf(name);
    const key = upstreams.useKey(name);
    if (base === null) throw noBaseUrl(name);
    return deps.http.send({
      ...limits,
      url: `${base}/${path}`,
      reach: reachOf(name, base),
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        accept: body === undefined ? 'application/json' : 'text/event-stream',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...wireAt(name, base).upstreamHeaders(key),
        'user-agent': 'openpact',
      },
      ...(body === undefined ? {} : { body }),
      redirects: 'refuse',
    });
  }

  function route(name: UpstreamName): RouteAnswer {
    const kind = UPSTREAM_KINDS[name];
    const refuse = (code: string, message: string): RouteAnswer => ({ ok: false, code, message });
    if (kind.needsKey && !upstreams.hasKey(name)) {
      return refuse('llm_no_key', explained(llmError('llm_no_key', { label: kind.label, model: '' })));
    }
    if (name !== 'demo' && upstreams.baseUrlOf(name) === null) {
      return refuse('llm_no_base_url', explained(noBaseUrl(name)));
    }
    return {
      ok: true,
      route: {
        provider: name,
        label: kind.label,
        wire: wireAt(name, upstreams.baseUrlOf(name)),
        reportsCost: kind.reportsCost,
        send: (request) => send(name, request),
        cost: (model, usage) => (hasListPrices(name) ? estimateCost(name, model, usage) : null),
        price: (model) => (hasListPrices(name) ? priceOf(name, model) : undefined),
      },
    };
  }

  /** Another address may have other prices. */
  function hasListPrices(name: UpstreamName): boolean {
    const { baseUrl } = UPSTREAM_KINDS[name];
    return name === 'ollama' || name === 'demo' || upstreams.baseUrlOf(name) === baseUrl;
  }

  function routeTo(provider: string): RouteAnswer {
    if (!isUpstreamName(provider)) {
      return {
        ok: false,
        code: 'llm_unknown_provider',
        message: 'There is no such provider. Choose another model.',
      };
    }
    if (!upstreams.isEnabled(provider)) {
      const message = `${UPSTREAM_KINDS[provider].label} is switched off. Switch it on on the Models page, or choose another model.`;
      return { ok: false, code: 'llm_disabled', message };
    }
    return route(provider);
  }

  function listOf(name: UpstreamName): Promise<ModelList> {
    const now = clock.monotonic();
    const kept = lists.get(name);
    if (kept && kept.until > now) return kept.list;
    const found = route(name);
    const list: Promise<ModelList> = found.ok
      ? UPSTREAM_KINDS[name].unlisted === undefined
        ? fetchModels(name, found.route, deps.untilLocked())
        : Promise.resolve({ ok: true, models: [] })
      : Promise.resolve({ ok: false, problem: found.message });
    lists.set(name, { until: now + LIST_KEPT_MS, list });
    // A failure is not kept: what was wrong may be put right the next moment.
    const forget = (): void => {
      if (lists.get(name)?.list === list) lists.delete(name);
    };
    list.then((result) => (result.ok ? windows.learn(result.models) : forget()), forget);
    return list;
  }

  function checkChoice(choice: { readonly provider: string; readonly model: string }): ModelChoice {
    const provider = knownUpstream(choice.provider);
    checkModel(choice.model, deps.redactor);
    const found = routeTo(provider);
    if (!found.ok) throw new AppError({ family: 'conflict', code: found.code, message: found.message });
    return { provider, model: choice.model };
  }

  function defaultModel(): ModelChoice {
    const stored = settings.get(DEFAULT_KEY);
    if (isJsonObject(stored)) {
      const { provider, model } = stored;
      if (typeof provider === 'string' && isUpstreamName(provider) && typeof model === 'string') {
        return { provider, model };
      }
    }
    return deps.initialModel ?? DEMO;
  }

  return {
    list: () => UPSTREAM_NAMES.map((name) => ({ ...upstreams.view(name), health: deps.health.of(name) })),
    change(name, change, principal) {
      const changed = upstreams.change(name, change, principal);
      lists.delete(changed.name);
      windows.forget(changed.name);
      return { ...changed, health: deps.health.of(changed.name) };
    },
    routeTo,
    async models() {
      const names = UPSTREAM_NAMES.filter((name) => upstreams.isEnabled(name));
      const found = await Promise.all(names.map(async (name) => [name, await listOf(name)] as const));
      return {
        models: found.flatMap(([, list]) => (list.ok ? list.models : [])),
        default: defaultModel(),
        problems: Object.fromEntries(
          found.flatMap(([name, list]) => (list.ok ? [] : [[name, list.problem]])),
        ),
      };
    },
    defaultModel,
    wireOf: (provider) =>
      isUpstreamName(provider) ? wireAt(provider, upstreams.baseUrlOf(provider)).name : 'chat-completions',
    contextWindow: ({ provider, model }) =>
      windows.of(provider, model, isUpstreamName(provider) && hasListPrices(provider)),
    checkChoice,
    setDefault(wanted, principal) {
      const choice = checkChoice(wanted);
      return database.tx(() => {
        settings.set(DEFAULT_KEY, { ...choice }, clock.now());
        audit.append({
          event: 'llm.default_changed',
          principal,
          origin: originOf(principal),
          target: `${choice.provider}/${choice.model}`,
          outcome: 'ok',
        });
        return choice;
      });
    },
    async test(name, model, principal) {
      const upstream = knownUpstream(name);
      if (model !== undefined) checkModel(model, deps.redactor);
      const began = clock.monotonic();
      const signal = deps.untilLocked();
      const tried = await tryOut(upstream, model, (chosen) => note(chosen, 'intent', {}), signal);
      const duration = Math.round(clock.monotonic() - began);
      const message =
        !tried.ok && signal.aborted ? 'The vault was locked, which ended the call.' : tried.message;
      note(tried.model, tried.ok ? 'ok' : 'failed', { duration_ms: duration, message });
      return { ok: tried.ok, message, duration_ms: duration };

      function note(
        used: string | undefined,
        outcome: 'intent' | 'ok' | 'failed',
        details: Record<string, Json>,
      ): void {
        audit.append({
          event: 'llm.test',
          principal,
          origin: originOf(principal),
          target: used === undefined ? upstream : `${upstream}/${used}`,
          outcome,
          details,
        });
      }
    },
  };

  async function tryOut(
    name: UpstreamName,
    wanted: string | undefined,
    before: (model: string) => void,
    signal: AbortSignal,
  ): Promise<{ readonly ok: boolean; readonly message: string; readonly model: string | undefined }> {
    const found = route(name);
    if (!found.ok) return { ok: false, message: found.message, model: wanted };
    let model = wanted;
    if (model === undefined) {
      const chosen = defaultModel();
      const list = chosen.provider === name ? undefined : await listOf(name);
      if (list && !list.ok) return { ok: false, message: list.problem, model };
      model = list ? list.models[0]?.model : chosen.model;
    }
    if (model === undefined) {
      const message =
        UPSTREAM_KINDS[name].unlisted ?? `${found.route.label} offers no model for conversations.`;
      return { ok: false, message, model };
    }
    before(model);
    const tried = await testCall(found.route, model, deps.redactor, signal);
    // That it was stopped says nothing about the provider.
    if (!signal.aborted) deps.health.note(name, tried.ok ? null : (tried.code ?? 'llm_test_failed'));
    return { ok: tried.ok, message: tried.message, model };
  }
}

/** A key for one address stays one upstream, but at another address may stand another kind of server. */
function wireAt(name: UpstreamName, base: string | null): Wire {
  const { baseUrl, wire, wireElsewhere } = UPSTREAM_KINDS[name];
  return base === baseUrl ? wire : (wireElsewhere ?? wire);
}

function checkModel(model: string, redactor: Redactor): void {
  // A key that was pasted into the wrong field would be stored, shown and sent as a name.
  if (Object.keys(redactor.text(model).hidden).length > 0) {
    throw new AppError({
      family: 'input',
      code: 'model_invalid',
      message: 'That is a stored secret, not the name of a model.',
      fix: 'Enter the name of the model; the key belongs into the field of the provider.',
    });
  }
  if (!isModelName(model)) {
    throw new AppError({
      family: 'input',
      code: 'model_invalid',
      message: 'This is not the name of a model.',
    });
  }
  if (actsByItself(model)) {
    throw new AppError({
      family: 'input',
      code: 'model_acts_by_itself',
      message:
        'This model searches the web or runs tools at the provider, where OpenPact can neither see nor stop it.',
      fix: 'Choose a model without it.',
    });
  }
}

/** A provider's own address must be public, whatever its name resolves to; what the owner gave may be near. */
function reachOf(name: UpstreamName, base: string): 'public' | 'own' {
  const hosted = UPSTREAM_KINDS[name].baseUrl;
  return hosted !== null && hosted.startsWith('https:') && base === hosted ? 'public' : 'own';
}

function noBaseUrl(name: UpstreamName): AppError {
  return new AppError({
    family: 'config',
    code: 'llm_no_base_url',
    message: `${UPSTREAM_KINDS[name].label} has no base URL.`,
    fix: 'Set it on the Models page.',
  });
}
