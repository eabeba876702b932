// Guarantees: what it returns is at most `maxDepth` deep and has no `__proto__` key (and no `constructor` that holds a
// `prototype`) at any depth, so that walking and copying it is safe. Depth is counted before anything is built.
// Does not: limit the size (callers do) nor refuse a key that is given twice: the last one counts, and since callers
// build anew from the parsed value, nobody behind them can read it another way.
// An attacker may control: the whole text.
import type { Json } from '../../core/index.ts';

export type BoundedJson =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly problem: string };

export function parseBoundedJson(text: string, maxDepth: number): BoundedJson {
  if (depthExceeds(text, maxDepth)) return { ok: false, problem: `nested deeper than ${maxDepth} levels` };
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return { ok: false, problem: 'not valid JSON' };
  }
  const key = forbiddenKey(value);
  return key === undefined ? { ok: true, value } : { ok: false, problem: `a key named ${key}` };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function depthExceeds(text: string, maxDepth: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      // Jump over the string: brackets inside don't count.
      for (i += 1; i < text.length; i += 1) {
        const inner = text.charCodeAt(i);
        if (inner === BACKSLASH) i += 1;
        else if (inner === QUOTE) break;
      }
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
  return false;
}

function forbiddenKey(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, '__proto__')) return '__proto__';
  const { constructor } = value as Record<string, unknown>;
  if (typeof constructor === 'object' && constructor !== null && Object.hasOwn(constructor, 'prototype')) {
    return 'constructor.prototype';
  }
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    const found = forbiddenKey(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
