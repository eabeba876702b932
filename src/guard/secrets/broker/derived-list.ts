// Guarantees: functions of secrets that a run has sent are known, to be looked for in its answers; how many there may be,
// and whether one can be looked for, is counted in public sizes.
// Does not: search.
// An attacker may control: which functions are asked for.
import { createHash } from 'node:crypto';
import { nominalBytes, referencesOf, type WireNode, type WireRope } from '../../../sandbox/wire/index.ts';
import type { Derived } from './evaluate.ts';
import type { JudgedRequest } from './judge.ts';

/** Of one run: each costs memory in proportion while an answer is searched. */
const MOST = 200;
const MOST_BYTES = 1024 * 1024;
/** Longer ones are not kept: the secrets in them are found in the forms that each secret has. Nominal bytes. */
const LONG = 64 * 1024;

export interface DerivedList {
  /** Whether there is room for the functions in this request. */
  fits(request: JudgedRequest): boolean;
  add(derived: readonly Derived[]): void;
  all(): Iterable<Derived>;
  /** A secret in a function of a function that is too long to be kept: in an answer it would not be found. */
  unsearchable(request: JudgedRequest): string | undefined;
}

export function createDerivedList(): DerivedList {
  const known = new Map<string, Derived>();
  let bytes = 0;

  function news(request: JudgedRequest): ReadonlyMap<string, number> {
    const out = new Map<string, number>();
    for (const node of functionsIn(request)) {
      const size = nominalBytes([node]);
      if (size > LONG) continue;
      const key = keyOf(node);
      if (!known.has(key)) out.set(key, size);
    }
    return out;
  }

  return {
    fits(request) {
      const added = news(request);
      const size = [...added.values()].reduce((sum, one) => sum + one, 0);
      return known.size + added.size <= MOST && bytes + size <= MOST_BYTES;
    },
    add(derived) {
      for (const entry of derived) {
        const size = nominalBytes([entry.node]);
        const key = keyOf(entry.node);
        if (size > LONG) continue;
        if (!known.has(key)) bytes += size;
        // The newest value: a secret may have been changed since.
        known.set(key, entry);
      }
    },
    all: () => known.values(),
    unsearchable(request) {
      for (const node of functionsIn(request)) {
        if (nominalBytes([node]) <= LONG || functionsOf(node[1]).length === 0) continue;
        const [id] = referencesOf([node]);
        if (id !== undefined) return id;
      }
      return undefined;
    },
  };
}

/** Public text inside a function may be long: the list keeps a digest of it. */
function keyOf(node: WireNode): string {
  return createHash('sha256').update(JSON.stringify(node)).digest('base64');
}

type FunctionNode = Exclude<WireNode, string | readonly ['ref', string]>;

function functionsIn(request: JudgedRequest): FunctionNode[] {
  const ropes = [request.url, request.body, ...request.headers.map(([, value]) => value)];
  return ropes.flatMap(functionsOf);
}

/** All functions of references in a rope, those inside others included. */
function functionsOf(rope: WireRope): FunctionNode[] {
  return rope.flatMap((node): FunctionNode[] => {
    if (typeof node === 'string' || node[0] === 'ref' || referencesOf([node]).size === 0) return [];
    return [node, ...functionsOf(node[1]), ...(node[0] === 'hmac' ? functionsOf(node[2]) : [])];
  });
}
