// Guarantees: what was added is hidden from the next text on, until its keep time after retirement is over. Weak values
// are never matched (a model that sees which of its guesses are hidden would learn the value).
// Does not: hide weak values; reach streams that were opened before the value was added.
// An attacker may control: a value that a person enters (it can at worst hide a text that somebody else needs).
import type { Clock } from '../../core/index.ts';
import { buildAutomaton, type Automaton } from './automaton.ts';
import { isStrong } from './strength.ts';
import type { KnownSecret, KnownSecretOptions, KnownSecrets } from './types.ts';
import { variantsOf } from './variants.ts';

/** A set of values with the automaton that finds them. */
export interface Layer {
  readonly automaton: Automaton;
  /** The name to put in the marker when this pattern was found now, or undefined when it is no longer to be hidden. */
  nameOf(pattern: number, now: number): string | undefined;
}

/** What the redactor needs: adding a value stays cheap, however many are there. */
export interface KnownSecretsSource extends KnownSecrets {
  layers(): readonly Layer[];
  now(): number;
}

const DEFAULT_KEEP_MS = 24 * 60 * 60 * 1000;
const MAX_NAME = 80;
/** A new value joins the smallest level; only a full level is poured into the next, bigger one. */
const LEVEL_SIZES = [8, 64, Number.POSITIVE_INFINITY];

interface Entry {
  readonly name: string;
  readonly forms: readonly string[];
  /** Ms on the forward clock. */
  until: number;
}

interface Level {
  entries: Entry[];
  layer: Layer | null;
}

export function createKnownSecrets(deps: { readonly clock: Clock }): KnownSecretsSource {
  const { clock } = deps;
  const levels: Level[] = LEVEL_SIZES.map(() => ({ entries: [], layer: null }));

  function insert(entry: Entry): void {
    let moving = [entry];
    for (const [index, level] of levels.entries()) {
      level.layer = null;
      const now = clock.monotonic();
      level.entries = [...level.entries, ...moving].filter((one) => one.until > now);
      if (level.entries.length <= (LEVEL_SIZES[index] ?? 0)) return;
      moving = level.entries;
      level.entries = [];
    }
  }

  function addForms(name: string, forms: readonly string[], options?: KnownSecretOptions): KnownSecret {
    // A marker stands in JSON, URLs and HTML: nothing in it may need escaping.
    const plainName = name.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, MAX_NAME);
    const entry: Entry = { name: plainName, forms, until: Number.POSITIVE_INFINITY };
    insert(entry);
    return {
      strong: true,
      retire() {
        entry.until = Math.min(entry.until, clock.monotonic() + (options?.keepMs ?? DEFAULT_KEEP_MS));
      },
    };
  }

  return {
    add(name, value, options) {
      // White space at the ends is often an accident of pasting; what leaks is the value without it.
      const bare = value.trim();
      if (!isStrong(bare)) return { strong: false, retire: () => undefined };
      return addForms(name, variantsOf(bare), options);
    },
    addBytes(name, bytes, options) {
      const hex = Buffer.from(bytes).toString('hex');
      const forms = variantsOf(Buffer.from(bytes).toString('base64'));
      const plain = Buffer.from(bytes).toString('base64url');
      return addForms(name, [...new Set([...forms, plain, hex, hex.toUpperCase()])], options);
    },
    layers() {
      const now = clock.monotonic();
      const built: Layer[] = [];
      for (const level of levels) {
        if (level.entries.some((entry) => entry.until <= now)) {
          level.entries = level.entries.filter((entry) => entry.until > now);
          level.layer = null;
        }
        if (level.entries.length === 0) continue;
        level.layer ??= buildLayer(level.entries);
        built.push(level.layer);
      }
      return built;
    },
    now: () => clock.monotonic(),
  };
}

function buildLayer(entries: readonly Entry[]): Layer {
  const owners = new Map<string, Entry[]>();
  for (const entry of entries) {
    for (const form of entry.forms) {
      const list = owners.get(form);
      if (list) list.push(entry);
      else owners.set(form, [entry]);
    }
  }
  const lists = [...owners.values()];
  return {
    automaton: buildAutomaton([...owners.keys()]),
    nameOf: (pattern, now) => lists[pattern]?.find((entry) => entry.until > now)?.name,
  };
}
