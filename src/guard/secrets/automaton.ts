// Guarantees: finds every occurrence of every pattern in one pass over the text (Aho and Corasick 1975): time grows with
// the text's length, whatever the text and however many patterns. Works on UTF-16 units, so positions are string indexes.
// Does not: decide what is hidden; see `redaction-pass.ts`.
// An attacker may control: the text.

export interface Automaton {
  /** The state after one more unit. The start state is 0. */
  next(state: number, unit: number): number;
  /** Length of the longest pattern prefix that ends here: what a later match may still reach back to. */
  depth(state: number): number;
  /** The state of the longest pattern that ends here, or 0. */
  match(state: number): number;
  /** The next shorter pattern that ends where this one ends, or 0. */
  shorterMatch(state: number): number;
  /** The index of the pattern that this state completes. */
  pattern(state: number): number;
  readonly states: number;
}

/** Patterns must be distinct and not empty. */
export function buildAutomaton(patterns: readonly string[]): Automaton {
  const capacity = 1 + patterns.reduce((sum, pattern) => sum + pattern.length, 0);
  const edges = createEdges(capacity);
  const parents = new Int32Array(capacity);
  const units = new Uint16Array(capacity);
  const depths = new Int32Array(capacity);
  const completes = new Int32Array(capacity).fill(-1);
  let states = 1;
  for (const [index, pattern] of patterns.entries()) {
    let state = 0;
    for (let at = 0; at < pattern.length; at += 1) {
      const unit = pattern.charCodeAt(at);
      let child = edges.get(state, unit);
      if (child === 0) {
        child = states;
        states += 1;
        edges.set(state, unit, child);
        parents[child] = state;
        units[child] = unit;
        depths[child] = at + 1;
      }
      state = child;
    }
    completes[state] = index;
  }

  const fails = new Int32Array(states);
  const matches = new Int32Array(states);
  const shorter = new Int32Array(states);
  const next = (from: number, unit: number): number => {
    let state = from;
    for (;;) {
      const child = edges.get(state, unit);
      if (child !== 0 || state === 0) return child;
      state = fails[state] ?? 0;
    }
  };
  for (const state of byDepth(depths, states)) {
    const parent = parents[state] ?? 0;
    const fail = parent === 0 ? 0 : next(fails[parent] ?? 0, units[state] ?? 0);
    fails[state] = fail;
    shorter[state] = matches[fail] ?? 0;
    matches[state] = (completes[state] ?? -1) >= 0 ? state : (matches[fail] ?? 0);
  }
  return {
    next,
    depth: (state) => depths[state] ?? 0,
    match: (state) => matches[state] ?? 0,
    shorterMatch: (state) => shorter[state] ?? 0,
    pattern: (state) => completes[state] ?? -1,
    states,
  };
}

/** All states but the start, shallow ones first: a state's failure state is always shallower. */
function byDepth(depths: Int32Array, states: number): Int32Array {
  let deepest = 0;
  for (let state = 1; state < states; state += 1) deepest = Math.max(deepest, depths[state] ?? 0);
  const starts = new Int32Array(deepest + 2);
  for (let state = 1; state < states; state += 1) {
    const after = (depths[state] ?? 0) + 1;
    starts[after] = (starts[after] ?? 0) + 1;
  }
  for (let depth = 1; depth < starts.length; depth += 1) {
    starts[depth] = (starts[depth] ?? 0) + (starts[depth - 1] ?? 0);
  }
  const order = new Int32Array(states - 1);
  for (let state = 1; state < states; state += 1) {
    const depth = depths[state] ?? 0;
    const place = starts[depth] ?? 0;
    order[place] = state;
    starts[depth] = place + 1;
  }
  return order;
}

interface Edges {
  /** The child, or 0: no edge leads back to the start. */
  get(state: number, unit: number): number;
  set(state: number, unit: number, child: number): void;
}

/** An open-addressing table at most half full: a few bytes an edge, where objects would cost a hundred. */
function createEdges(count: number): Edges {
  let size = 16;
  while (size < count * 2) size *= 2;
  const mask = size - 1;
  const froms = new Int32Array(size);
  const units = new Uint16Array(size);
  const children = new Int32Array(size);
  const slotOf = (state: number, unit: number): number => {
    const mixed = Math.imul(state, 0x9e3779b1) ^ Math.imul(unit + 1, 0x85ebca6b);
    let slot = (mixed ^ (mixed >>> 15)) & mask;
    while (children[slot] !== 0 && (froms[slot] !== state || units[slot] !== unit)) slot = (slot + 1) & mask;
    return slot;
  };
  return {
    get: (state, unit) => children[slotOf(state, unit)] ?? 0,
    set(state, unit, child) {
      const slot = slotOf(state, unit);
      froms[slot] = state;
      units[slot] = unit;
      children[slot] = child;
    },
  };
}
