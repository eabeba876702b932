// Guarantees: the only way of an engine to a model. Who has no live capability of a turn gets nothing; who has one gets
// this turn's model with this turn's tools, and nothing that a provider would run. What the model said is recorded here,
// from the upstream's own bytes; the engine only reads a copy. The key never comes near the engine.
// Before a call is sent its worst case is taken from the budgets, in one transaction with its intent.
// Does not: limit what may be said to a model that the owner has chosen, nor keep the budgets (the guard does).
// An attacker may control: every request of the engine, and every answer of an upstream.
import { AppError, errorText, newToken } from '../../core/index.ts';
import type { CallAssumptions, CallBudget } from './budget-port.ts';
import { limitOutput, planCall, type CallPlan } from './call-cost.ts';
import { BROKEN, errorResponse, REFUSED, UPSTREAM_FAILED } from './error-response.ts';
import { DEFAULT_LIMITS, type LlmLimits } from './limits.ts';
import type { GatewayTurn, LlmGateway, StepStart, TurnAuthority } from './ports.ts';
import { createRefusalLog, whoOf } from './refusal-log.ts';
import type { ModelRoutes } from './route.ts';
import { createSealStore } from './seal-store.ts';
import { runStep, type StepDeps } from './step.ts';
import { createTurnMemory } from './turn-memory.ts';
import { explained, llmError } from './upstream-errors.ts';
import type { Refusal } from './wires/refusals.ts';
import type { Wire } from './wires/wire.ts';

export interface GatewayDeps extends Omit<StepDeps, 'limits' | 'seals'> {
  readonly authority: TurnAuthority;
  readonly routes: ModelRoutes;
  readonly limits?: Partial<LlmLimits>;
  readonly budget: CallBudget;
  readonly assumed: CallAssumptions;
}

type BudgetRefusal = Extract<ReturnType<CallBudget['check']>, { readonly ok: false }>;

export function createLlmGateway(deps: GatewayDeps): LlmGateway {
  const limits: LlmLimits = { ...DEFAULT_LIMITS, ...deps.limits };
  const seals = createSealStore(deps.redactor);
  const stepDeps: StepDeps = { ...deps, limits, seals };
  const logRefusal = createRefusalLog(deps.audit, deps.clock);
  const memory = createTurnMemory(limits.badArgumentSteps);

  function refuse(refusal: Refusal, turn?: GatewayTurn, wire?: Wire, status = REFUSED): Response {
    logRefusal(refusal, turn);
    turn?.refused(refusal.code, refusal.message);
    return errorResponse(status, refusal, wire);
  }

  async function answer(request: Request): Promise<Response> {
    const turn = turnOf(request, deps.authority);
    if (!turn) {
      return refuse({
        code: 'llm_capability_refused',
        message: 'This is not the capability of a running turn.',
      });
    }
    const found = deps.routes.routeTo(turn.provider);
    if (!found.ok) return refuse(found, turn, undefined, UPSTREAM_FAILED);
    const { route } = found;
    const { wire } = route;
    const url = new URL(request.url);
    const path = wire.enginePath(turn.model);
    if (url.pathname + url.search !== path || request.method !== 'POST') {
      return refuse({ code: 'llm_path_refused', message: `Only POST ${path} exists here.` }, turn, wire);
    }
    const text = await bodyOf(request, limits.requestBytes);
    if (text === undefined) {
      const message = `The engine's request is no UTF-8 text of at most ${limits.requestBytes} bytes.`;
      return refuse({ code: 'llm_body_refused', message }, turn, wire);
    }
    const { model, tools } = turn;
    const prompt = wire.check(text, request.headers, { model, tools, maxDepth: limits.requestDepth });
    if (!prompt.ok) return refuse(prompt, turn, wire);
    if (memory.isVoid(turn.turnId)) {
      const error = llmError('llm_bad_arguments', { label: route.label, model });
      return refuse({ code: error.code, message: explained(error) }, turn, wire);
    }
    const limited = limitOutput(prompt.maxOutput, route, model, deps.assumed);
    const outbound = prompt.outbound({
      tools,
      maxOutput: limited.send,
      redactor: deps.redactor,
      sealed: (seal) => seals.find(turn.turnId, seal),
    });
    if (!outbound.ok) return refuse(outbound, turn, wire);
    if (!memory.enter(turn.turnId)) {
      return refuse(
        { code: 'llm_busy', message: 'The engine asked the model twice at the same time.' },
        turn,
        wire,
      );
    }
    const plan = planCall(turn, route, outbound.body, limited.outputTokens, deps.assumed);
    let begun: StepStart | BudgetRefusal;
    try {
      begun = begin(turn, prompt.messages, outbound.body.length, plan);
    } catch (error) {
      memory.leave(turn.turnId);
      throw error;
    }
    if (!begun.ok) {
      memory.leave(turn.turnId);
      if ('facts' in begun) turn.refused(begun.code, begun.message);
      logRefusal(begun, turn, 'facts' in begun ? begun.facts : undefined);
      return errorResponse(REFUSED, begun, wire);
    }
    return runStep(stepDeps, {
      turn,
      step: begun.step,
      route,
      plan,
      body: outbound.body,
      hidden: outbound.hidden,
      signal: request.signal,
      argumentsRead: (readable) => memory.argumentsRead(turn.turnId, readable),
      onEnd: () => memory.leave(turn.turnId),
    });
  }

  /**
   * The intent is in the log and the worst case reserved before anything is sent; without them nothing is. Looking and
   * taking are one transaction, so that turns side by side can't both take what is left.
   */
  function begin(
    turn: GatewayTurn,
    messages: number,
    chars: number,
    plan: CallPlan | undefined,
  ): StepStart | BudgetRefusal {
    return deps.database.tx(() => {
      const verdict = plan === undefined ? undefined : deps.budget.check(plan);
      if (verdict && !verdict.ok) return verdict;
      const begun = turn.beginStep();
      if (begun.ok) {
        if (plan) deps.budget.reserve(plan, begun.step);
        deps.audit.append({
          event: 'llm.call',
          ...whoOf(turn),
          target: `${turn.provider}/${turn.model}`,
          outcome: 'intent',
          details: {
            turn: turn.turnId,
            step: begun.step,
            provider: turn.provider,
            model: turn.model,
            messages,
            request_chars: chars,
            ...(plan ? { reserved_tokens: plan.tokens, reserved_usd: plan.usd } : {}),
          },
        });
      }
      return begun;
    });
  }

  return {
    async fetch(request) {
      try {
        return await answer(request);
      } catch (error) {
        if (error instanceof AppError) {
          return errorResponse(BROKEN, { code: error.code, message: explained(error) });
        }
        const reference = newToken().slice(0, 12);
        deps.log.error('the gateway failed', { reference, problem: errorText(error), error });
        const message = `OpenPact failed inside (reference ${reference} in the log).`;
        return errorResponse(BROKEN, { code: 'internal_error', message });
      }
    },
  };
}

function turnOf(request: Request, authority: TurnAuthority): GatewayTurn | undefined {
  const [, capability] =
    /^Bearer ([\w.~+/=-]{1,512})$/.exec(request.headers.get('authorization') ?? '') ?? [];
  const turn = capability === undefined ? undefined : authority.turnFor(capability);
  return turn === undefined || turn.signal.aborted ? undefined : turn;
}

async function bodyOf(request: Request, maxBytes: number): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of request.body ?? []) {
    bytes += part.byteLength;
    // Leaving the loop cancels the rest.
    if (bytes > maxBytes) return undefined;
    parts.push(part);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    return undefined;
  }
}
