// Guarantees: the fallback model of all conversations that name none of their own; only what may be chosen at that moment
// is stored, together with its audit row. An attacker may control: with a stolen page session, the choice.
import { isJsonObject, type Clock, type Principal, type UpstreamName } from '../../core/index.ts';
import type { Audit } from '../../guard/audit/index.ts';
import type { SettingsStore, Transactions } from '../../host/storage/index.ts';
import { isUpstreamName } from './upstream-kinds.ts';
import { originOf } from './upstream-settings.ts';

interface ModelChoice {
  readonly provider: UpstreamName;
  readonly model: string;
}

export interface DefaultFallback {
  /** Null, the default: a turn fails when its model can't be had. */
  get(): ModelChoice | null;
  /** Errors: as of `checkChoice` of the upstreams. */
  set(
    choice: { readonly provider: string; readonly model: string } | null,
    principal: Principal,
  ): ModelChoice | null;
}

export interface DefaultFallbackDeps {
  readonly settings: SettingsStore;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly checkChoice: (choice: { readonly provider: string; readonly model: string }) => ModelChoice;
}

const KEY = 'llm.fallback';

export function createDefaultFallback(deps: DefaultFallbackDeps): DefaultFallback {
  const { settings, database, audit, clock } = deps;
  return {
    get() {
      const stored = settings.get(KEY);
      if (!isJsonObject(stored)) return null;
      const { provider, model } = stored;
      return typeof provider === 'string' && isUpstreamName(provider) && typeof model === 'string'
        ? { provider, model }
        : null;
    },
    set(wanted, principal) {
      const choice = wanted === null ? null : deps.checkChoice(wanted);
      return database.tx(() => {
        settings.set(KEY, choice === null ? null : { ...choice }, clock.now());
        audit.append({
          event: 'llm.fallback_changed',
          principal,
          origin: originOf(principal),
          target: choice === null ? 'none' : `${choice.provider}/${choice.model}`,
          outcome: 'ok',
        });
        return choice;
      });
    },
  };
}
