/** Methods of string that make another string of it, and the views of its elements. */
import { OBJECT_BYTES } from '../meter.ts';
import { formatBraces } from '../ops/format-braces.ts';
import { native, variadic, wantInt, wantString, type Native } from '../values/native.ts';
import type { Thread } from '../thread.ts';
import type { Value } from '../values/objects.ts';
import { StarTextView, type TextView } from '../values/text-views.ts';
import { chargeSearch } from './string-search.ts';

const SPACES =
  ' \t\n\r\v\f\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';

const SPACE_SET = new Set(SPACES);

function stripper(name: 'strip' | 'lstrip' | 'rstrip'): Native {
  return native(`${name}(chars=)`, (t, self: string, chars?: Value) => {
    const given = chars === undefined || chars === null ? '' : wantString(chars, name, 'chars');
    const set = given === '' ? SPACE_SET : new Set(given);
    t.charge(self.length / 64 + given.length);
    let from = 0;
    let to = self.length;
    if (name !== 'rstrip') {
      while (from < to) {
        const char = String.fromCodePoint(self.codePointAt(from) ?? 0);
        if (!set.has(char)) break;
        from += char.length;
      }
    }
    if (name !== 'lstrip') {
      while (from < to) {
        const pair = self.slice(Math.max(from, to - 2), to);
        if (set.has(pair) && pair.length === 2) to -= 2;
        else if (set.has(self.charAt(to - 1))) to -= 1;
        else break;
      }
    }
    t.allocateString(to - from);
    return self.slice(from, to);
  });
}

/** Up to this many pieces plain addition is fastest. */
const FEW = 8;

function replaceFew(text: string, old: string, fresh: string, hits: number): string {
  let out = '';
  let at = 0;
  for (let i = 0; i < hits; i += 1) {
    const next = text.indexOf(old, at);
    out += text.slice(at, next) + fresh;
    at = next + old.length;
  }
  return out + text.slice(at);
}

/** `text.replace(old, fresh, count)`; the size of the result is known and charged before it is built. */
function replace(t: Thread, text: string, old: string, fresh: string, count: number): string {
  const max = count < 0 ? Infinity : count;
  const marks = old === '' ? [...text] : undefined;
  let hits = 0;
  if (marks === undefined) {
    chargeSearch(t, text.length, old.length);
    for (let at = text.indexOf(old); at >= 0 && hits < max; at = text.indexOf(old, at + old.length))
      hits += 1;
  } else {
    t.charge(text.length / 8);
    t.allocate(16 * text.length);
    hits = Math.min(max, marks.length + 1);
  }
  if (hits === 0) return text;
  t.allocateString(text.length + hits * (fresh.length - old.length));
  t.charge(hits / 8);
  if (marks === undefined) {
    if (hits <= FEW) return replaceFew(text, old, fresh, hits);
    if (hits < max || text.indexOf(old) < 0)
      return fresh.includes('$') ? text.replaceAll(old, () => fresh) : text.replaceAll(old, fresh);
    const parts: string[] = [];
    let at = 0;
    for (let i = 0; i < hits; i += 1) {
      const next = text.indexOf(old, at);
      parts.push(text.slice(at, next), fresh);
      at = next + old.length;
    }
    return parts.join('') + text.slice(at);
  }
  return (
    marks.map((char, i) => (i < hits ? fresh + char : char)).join('') + (marks.length < hits ? fresh : '')
  );
}

function view(name: TextView): Native {
  return native(`${name}()`, (t, self: string) => {
    t.allocate(OBJECT_BYTES);
    return new StarTextView(self, name);
  });
}

export const STRING_EDIT: readonly Native[] = [
  view('codepoint_ords'),
  view('codepoints'),
  view('elem_ords'),
  view('elems'),
  variadic('format', (t, self, args, named) => formatBraces(t, self as string, args, named)),
  stripper('lstrip'),
  native('removeprefix(prefix)', (t, self: string, prefix: Value) => {
    const text = wantString(prefix, 'removeprefix', 'prefix');
    t.allocateString(self.length);
    return self.startsWith(text) ? self.slice(text.length) : self;
  }),
  native('removesuffix(suffix)', (t, self: string, suffix: Value) => {
    const text = wantString(suffix, 'removesuffix', 'suffix');
    t.allocateString(self.length);
    return text !== '' && self.endsWith(text) ? self.slice(0, -text.length) : self;
  }),
  native('replace(old, new, count=)', (t, self: string, old: Value, fresh: Value, count?: Value) =>
    replace(
      t,
      self,
      wantString(old, 'replace', 'old'),
      wantString(fresh, 'replace', 'new'),
      count === undefined ? -1 : wantInt(count, 'replace', 'count'),
    ),
  ),
  stripper('rstrip'),
  stripper('strip'),
];
