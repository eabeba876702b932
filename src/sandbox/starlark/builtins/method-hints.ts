/** The Starlark way to say what programs try by habit, and the nearest name for a slip of the pen. */
import type { Value } from '../values/objects.ts';
import { typeName } from '../values/objects.ts';

const HINTS: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  list: new Map([
    ['sort', 'use x = sorted(x)'],
    ['reverse', 'use x = reversed(x)'],
    ['copy', 'use list(x)'],
    ['count', 'use len([y for y in x if y == v])'],
    ['join', 'use ", ".join(x)'],
    ['push', 'use x.append(v)'],
    ['add', 'use x.append(v)'],
    ['length', 'use len(x)'],
    ['map', 'use [f(y) for y in x]'],
    ['filter', 'use [y for y in x if ...]'],
  ]),
  dict: new Map([
    ['copy', 'use dict(d)'],
    ['has_key', 'use key in d'],
    ['iteritems', 'use d.items()'],
    ['iterkeys', 'use d.keys()'],
    ['itervalues', 'use d.values()'],
    ['fromkeys', 'use {k: v for k in keys}'],
    ['length', 'use len(d)'],
  ]),
  string: new Map([
    ['encode', 'use bytes(s)'],
    ['decode', 'a string is text already'],
    ['zfill', 'use format("%05d", n) for numbers'],
    ['ljust', 'use format("%-10s", s)'],
    ['rjust', 'use format("%10s", s)'],
    ['center', 'use format("%10s", s)'],
    ['isnumeric', 'use s.isdigit()'],
    ['isdecimal', 'use s.isdigit()'],
    ['casefold', 'use s.lower()'],
    ['trim', 'use s.strip()'],
    ['substring', 'use s[start:end]'],
    ['toUpperCase', 'use s.upper()'],
    ['toLowerCase', 'use s.lower()'],
    ['length', 'use len(s)'],
    ['contains', 'use sub in s'],
    ['append', 'use s + t'],
    ['format_map', 'use s.format(**d)'],
  ]),
  set: new Map([['copy', 'use set(s)']]),
  tuple: new Map([
    ['append', 'a tuple cannot change: use a list, or t + (v,)'],
    ['index', 'use list(t).index(v)'],
  ]),
  bytes: new Map([['decode', 'use str(b)']]),
  NoneType: new Map(),
};

/** ` (...)` with a hint, or ''. */
export function methodHint(v: Value, name: string, known: readonly string[]): string {
  const type = typeName(v);
  const hint = HINTS[type]?.get(name);
  if (hint !== undefined) return ` (${hint})`;
  if (v === null) return ' (the value is None)';
  if (type === 'dict') return ` (use d["${name}"] for a key)`;
  const near = nearest(name, known);
  return near === undefined ? '' : ` (did you mean '${near}'?)`;
}

/** The one known name that differs least, when that is little. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > 40) return undefined;
  let best: string | undefined;
  let least = Math.min(2, Math.floor(name.length / 3)) + 1;
  const plain = name.toLowerCase().replaceAll('_', '');
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > 3 || candidate.length > 40) continue;
    const d = candidate.toLowerCase().replaceAll('_', '') === plain ? 0 : distance(name, candidate);
    if (d < least) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

/** Edits between two short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, change));
    }
    row = next;
  }
  return row[b.length] as number;
}
