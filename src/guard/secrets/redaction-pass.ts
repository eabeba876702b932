// Guarantees: the output is the same however the text was cut into chunks. Every matched unit is replaced; matches that
// overlap become one marker, named after the longest (leftmost on a tie), so that no piece of any of them is left.
// Does not: see matches across two passes. Holds back at most as many units as the longest form has.
// An attacker may control: the text and its chunks.
import type { RedactionStream } from '../../core/index.ts';
import type { Layer } from './known-secrets.ts';

interface Region {
  start: number;
  end: number;
  /** The longest match in it. */
  name: string;
  length: number;
}

function marker(name: string): string {
  return `[REDACTED:${name}]`;
}

/** One text, from its start to its end. `now` is asked per match: a value may retire while a long text runs. */
export function createRedactionPass(layers: readonly Layer[], now: () => number): RedactionStream {
  const hidden: Record<string, number> = {};
  const states = new Int32Array(layers.length);
  /** What was read and not yet given out; starts at position `base` of the whole text. */
  let held = '';
  let base = 0;
  /** Ordered, not overlapping, all within `held`. */
  let regions: Region[] = [];

  function found(start: number, end: number, name: string): void {
    const region: Region = { start, end, name, length: end - start };
    for (let last = regions.at(-1); last !== undefined && last.end > region.start; last = regions.at(-1)) {
      regions.pop();
      region.start = Math.min(region.start, last.start);
      region.end = Math.max(region.end, last.end);
      if (last.length >= region.length) {
        region.length = last.length;
        region.name = last.name;
      }
    }
    regions.push(region);
  }

  function longestMatch(
    layer: Layer,
    state: number,
  ): { readonly name: string; readonly length: number } | null {
    let match = layer.automaton.match(state);
    while (match !== 0) {
      const name = layer.nameOf(layer.automaton.pattern(match), now());
      if (name !== undefined) return { name, length: layer.automaton.depth(match) };
      match = layer.automaton.shorterMatch(match);
    }
    return null;
  }

  /** Gives out everything before position `safe`, which no later match can reach. */
  function release(safe: number): string {
    let out = '';
    let from = base;
    let done = 0;
    for (const region of regions) {
      if (region.end > safe) break;
      out += held.slice(from - base, region.start - base) + marker(region.name);
      hidden[region.name] = (hidden[region.name] ?? 0) + 1;
      from = region.end;
      done += 1;
    }
    regions = done === 0 ? regions : regions.slice(done);
    const open = regions[0];
    const to = open === undefined ? safe : Math.min(safe, open.start);
    if (to > from) {
      out += held.slice(from - base, to - base);
      from = to;
    }
    held = held.slice(from - base);
    base = from;
    return out;
  }

  return {
    hidden,
    push(chunk) {
      const offset = base + held.length;
      held += chunk;
      let deepest = 0;
      for (let at = 0; at < chunk.length; at += 1) {
        const unit = chunk.charCodeAt(at);
        for (let index = 0; index < layers.length; index += 1) {
          const layer = layers[index] as Layer;
          const state = layer.automaton.next(states[index] ?? 0, unit);
          states[index] = state;
          if (layer.automaton.match(state) === 0) continue;
          const match = longestMatch(layer, state);
          if (match !== null) found(offset + at + 1 - match.length, offset + at + 1, match.name);
        }
      }
      for (let index = 0; index < layers.length; index += 1) {
        deepest = Math.max(deepest, layers[index]?.automaton.depth(states[index] ?? 0) ?? 0);
      }
      let safe = base + held.length - deepest;
      // Never end between the two halves of a character: each piece may be encoded on its own.
      if (safe > base && isHighSurrogate(held.charCodeAt(safe - base - 1))) safe -= 1;
      return release(safe);
    },
    end() {
      return release(base + held.length);
    },
  };
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
