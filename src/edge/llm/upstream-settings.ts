// Guarantees: a stored key goes only to the address for which it was entered (another address removes it), a key from the
// environment only to the upstream's own address or one from the environment; every change is in the audit log, in the
// same transaction.
// Does not: decide who may change an upstream (the admin edge does).
// An attacker may control: with a stolen page session, every argument of `change`.
import {
  AppError,
  type Clock,
  type Origin,
  type Principal,
  UPSTREAM_NAMES,
  type UpstreamName,
} from '../../core/index.ts';
import type { Audit } from '../../guard/audit/index.ts';
import type { KnownSecrets } from '../../guard/secrets/index.ts';
import type { Transactions } from '../../host/storage/index.ts';
import type { UpstreamsStore } from '../../host/storage/upstreams-store.ts';
import { azureBaseUrl, checkBaseUrl, ollamaBaseUrl } from './base-url.ts';
import type { KeyPort } from './ports.ts';
import { isUpstreamName, UPSTREAM_KINDS } from './upstream-kinds.ts';

export interface UpstreamView {
  readonly name: UpstreamName;
  readonly label: string;
  readonly enabled: boolean;
  readonly needs_key: boolean;
  readonly has_key: boolean;
  readonly key_source: 'environment' | 'stored' | null;
  readonly base_url: string | null;
  readonly default_base_url: string | null;
  readonly note: string | null;
}

/** Absent: unchanged; null: removed. */
export interface UpstreamChange {
  readonly api_key?: string | null;
  readonly base_url?: string | null;
  readonly enabled?: boolean;
}

export interface UpstreamSettingsDeps {
  readonly store: UpstreamsStore;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly keys: KeyPort;
  /** Keys from the environment; they win over stored ones. */
  readonly environmentKeys?: Readonly<Partial<Record<UpstreamName, { reveal(): string } | undefined>>>;
  /** Keys from the environment are registered here, so that they are hidden in texts as stored ones are. */
  readonly known: Pick<KnownSecrets, 'add'>;
  /** OLLAMA_HOST. */
  readonly ollamaHost?: string | undefined;
  /** The base URL for `openai-compatible` from the environment; the only place to which its key from there goes. */
  readonly compatibleBaseUrl?: string | undefined;
  /** The same for `azure`. */
  readonly azureBaseUrl?: string | undefined;
}

export interface UpstreamSettings {
  /** Where requests go; null when nobody said. With a key from the environment the page's word does not count. */
  baseUrlOf(name: UpstreamName): string | null;
  hasKey(name: UpstreamName): boolean;
  /** The plaintext, for a request header. */
  useKey(name: UpstreamName): string | null;
  isEnabled(name: UpstreamName): boolean;
  view(name: UpstreamName): UpstreamView;
  change(name: string, change: UpstreamChange, principal: Principal): UpstreamView;
}

/** Bearer tokens of RFC 6750 and what providers make of them; never a space or a control character. */
const API_KEY = /^[\x21-\x7e]{1,4096}$/;

/** Errors when made: input `base_url_invalid`, `base_url_not_encrypted` for an address from the environment. */
export function createUpstreamSettings(deps: UpstreamSettingsDeps): UpstreamSettings {
  const { store, database, audit, clock, keys } = deps;
  for (const name of UPSTREAM_NAMES) {
    const key = deps.environmentKeys?.[name]?.reveal();
    if (key !== undefined) deps.known.add(`${name.toUpperCase().replaceAll('-', '_')}_API_KEY`, key);
  }
  // Checked once, so that a wrong variable is an error at start and not at the first call.
  const given: Readonly<Partial<Record<UpstreamName, string>>> = {
    ...(deps.ollamaHost ? { ollama: ollamaBaseUrl(deps.ollamaHost) } : {}),
    ...(deps.compatibleBaseUrl ? { 'openai-compatible': checkBaseUrl(deps.compatibleBaseUrl) } : {}),
    ...(deps.azureBaseUrl ? { azure: azureBaseUrl(deps.azureBaseUrl) } : {}),
  };

  const keySource = (name: UpstreamName): UpstreamView['key_source'] =>
    deps.environmentKeys?.[name] ? 'environment' : keys.has(name) ? 'stored' : null;

  /** Where requests go now. With a key from the environment the page's word on the address does not count. */
  function baseUrlOf(name: UpstreamName): string | null {
    const own = given[name] ?? UPSTREAM_KINDS[name].baseUrl;
    if (keySource(name) === 'environment') return own;
    return store.get(name)?.base_url ?? own;
  }

  function isEnabled(name: UpstreamName): boolean {
    if (name === 'demo') return true;
    const row = store.get(name);
    if (row) return row.enabled;
    return keySource(name) === 'environment' || given[name] !== undefined;
  }

  function view(name: UpstreamName): UpstreamView {
    const kind = UPSTREAM_KINDS[name];
    const source = keySource(name);
    return {
      name,
      label: kind.label,
      enabled: isEnabled(name),
      needs_key: kind.needsKey,
      has_key: source !== null,
      key_source: source,
      base_url: baseUrlOf(name),
      default_base_url: given[name] ?? kind.baseUrl,
      note: noteOf(name) ?? kind.note,
    };
  }

  function noteOf(name: UpstreamName): string | undefined {
    if (keySource(name) !== 'environment') return undefined;
    return baseUrlOf(name) === null
      ? 'The key comes from the environment and goes only to a base URL from there, which is not set.'
      : 'The key comes from the environment and goes only to this address.';
  }

  function change(name: string, wanted: UpstreamChange, principal: Principal): UpstreamView {
    const upstream = knownUpstream(name);
    const { api_key: apiKey, base_url: baseUrl } = wanted;
    if (upstream === 'demo') {
      throw conflict(
        'demo_fixed',
        'The demo has no settings.',
        'Choose another model as the default instead.',
      );
    }
    if (keySource(upstream) === 'environment' && (apiKey !== undefined || baseUrl !== undefined)) {
      throw conflict(
        'key_from_environment',
        `The key of ${UPSTREAM_KINDS[upstream].label} comes from the environment, so key and address can't be changed here.`,
        'Change them where OpenPact is started.',
      );
    }
    const key = typeof apiKey === 'string' ? apiKey.trim() : apiKey;
    if (typeof key === 'string' && !API_KEY.test(key)) {
      throw new AppError({
        family: 'input',
        code: 'key_invalid',
        message: 'The API key holds a space, a line break or a character that no key has.',
        fix: 'Copy it again from the provider.',
      });
    }
    const check = upstream === 'azure' ? azureBaseUrl : checkBaseUrl;
    const url = typeof baseUrl === 'string' ? check(baseUrl) : baseUrl;
    return database.tx(() => {
      const before = baseUrlOf(upstream);
      const row = store.get(upstream);
      store.put(
        {
          name: upstream,
          enabled: wanted.enabled ?? row?.enabled ?? true,
          base_url: url === undefined ? (row?.base_url ?? null) : url,
        },
        clock.now(),
      );
      const moved = baseUrlOf(upstream) !== before;
      const orphaned = moved && key === undefined && keys.has(upstream);
      if (typeof key === 'string') keys.put(upstream, key);
      else if (key === null || orphaned) keys.remove(upstream);
      const changed = view(upstream);
      audit.append({
        event: 'llm.upstream_changed',
        principal,
        origin: originOf(principal),
        target: upstream,
        outcome: 'ok',
        details: {
          enabled: changed.enabled,
          base_url: changed.base_url,
          address_changed: moved,
          key:
            typeof key === 'string'
              ? 'set'
              : orphaned
                ? 'removed_with_address'
                : key === null
                  ? 'removed'
                  : 'unchanged',
        },
      });
      if (!orphaned) return changed;
      const note = 'The stored key was removed, because it was given for another address. Enter it again.';
      return { ...changed, note };
    });
  }

  return {
    baseUrlOf,
    hasKey: (name) => keySource(name) !== null,
    useKey: (name) => deps.environmentKeys?.[name]?.reveal() ?? keys.use(name),
    isEnabled,
    view,
    change,
  };
}

/** Error: missing `not_found`. */
export function knownUpstream(name: string): UpstreamName {
  if (isUpstreamName(name)) return name;
  throw new AppError({ family: 'missing', code: 'not_found', message: 'There is no such provider.' });
}

function conflict(code: string, message: string, fix?: string): AppError {
  return new AppError({ family: 'conflict', code, message, fix });
}

export function originOf(principal: Principal): Origin {
  return principal.kind === 'user' ? 'page' : principal.kind === 'operator' ? 'cli' : 'system';
}
