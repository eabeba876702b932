// Guarantees: no known strong value leaves through a text, a JSON value or a stream that passed here, in any form of
// `variants.ts`; object keys and numbers included. Fails closed on what is too deep or cyclic: it is left out, not let through.
// Does not: find values split over several strings, or forms that are not on the list.
// An attacker may control: everything that is searched.
import type { Redacted, RedactionCounts, Redactor } from '../../core/index.ts';
import type { KnownSecretsSource, Layer } from './known-secrets.ts';
import { createRedactionPass } from './redaction-pass.ts';

/** Deeper values are replaced by a notice: walking them could exhaust the stack. */
const MAX_DEPTH = 100;
const TOO_DEEP = '[left out: nested too deeply]';
const CYCLE = '[left out: refers to itself]';

export function createRedactor(known: KnownSecretsSource): Redactor {
  const now = (): number => known.now();
  return {
    text: (text) => redactText(text, known.layers(), now),
    json<T>(value: T): Redacted<T> {
      const hidden: Record<string, number> = {};
      const layers = known.layers();
      const redact = (text: string): string => {
        const result = redactText(text, layers, now);
        for (const [name, count] of Object.entries(result.hidden)) hidden[name] = (hidden[name] ?? 0) + count;
        return result.value;
      };
      return { value: walk(value, redact, []) as T, hidden };
    },
    stream: () => createRedactionPass(known.layers(), now),
  };
}

const NOTHING: RedactionCounts = Object.freeze({});

function redactText(text: string, layers: readonly Layer[], now: () => number): Redacted<string> {
  if (layers.length === 0 || text === '') return { value: text, hidden: NOTHING };
  const pass = createRedactionPass(layers, now);
  const value = pass.push(text) + pass.end();
  return { value, hidden: pass.hidden };
}

function walk(value: unknown, redact: (text: string) => string, path: readonly object[]): unknown {
  switch (typeof value) {
    case 'string':
      return redact(value);
    case 'number':
    case 'bigint': {
      const text = String(value);
      const shown = redact(text);
      return shown === text ? value : shown;
    }
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (path.length >= MAX_DEPTH) return TOO_DEEP;
  if (path.includes(value)) return CYCLE;
  const inside = [...path, value];
  if (Array.isArray(value)) return value.map((item) => walk(item, redact, inside));
  if (hasToJson(value)) return walk(value.toJSON(), redact, inside);
  if (value instanceof Error) return { name: redact(value.name), message: redact(value.message) };
  const entries: [string, unknown][] = [];
  const taken = new Set<string>();
  for (const [key, item] of Object.entries(value)) {
    entries.push([freeKey(redact(key), taken), walk(item, redact, inside)]);
  }
  return Object.fromEntries(entries);
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

/** Two keys may become the same marker; neither value may be lost. */
function freeKey(key: string, taken: Set<string>): string {
  let free = key;
  for (let count = 2; taken.has(free); count += 1) free = `${key}#${count}`;
  taken.add(free);
  return free;
}
