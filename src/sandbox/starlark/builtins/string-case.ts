/** Methods of string about letters: case and character classes. Unicode, and never a locale. */
import { TextSink } from '../ops/text-sink.ts';
import { native, type Native } from '../values/native.ts';
import type { Thread } from '../thread.ts';

const UPPER = /\p{Lu}/u;
const LOWER = /\p{Ll}/u;
const TITLE = /\p{Lt}/u;
/** Letters whose title case is neither their upper nor their lower case. */
const DIGRAPHS = new Map([...'ǄǅǆǇǈǉǊǋǌǱǲǳ'].map((char, i) => [char, 'ǅǈǋǲ'.charAt(Math.floor(i / 3))]));

function titleCase(text: string): string {
  const out = new TextSink();
  let inside = false;
  for (const char of text) {
    out.add(inside ? char.toLowerCase() : (DIGRAPHS.get(char) ?? char.toUpperCase()));
    inside = /\p{L}/u.test(char);
  }
  return out.finish();
}

function capitalize(text: string): string {
  const first = String.fromCodePoint(text.codePointAt(0) ?? 0);
  return text === ''
    ? ''
    : (DIGRAPHS.get(first) ?? first.toUpperCase()) + text.slice(first.length).toLowerCase();
}

function isTitle(text: string): boolean {
  let cased = false;
  let any = false;
  for (const char of text) {
    if (UPPER.test(char) || TITLE.test(char)) {
      if (cased) return false;
      cased = any = true;
    } else if (LOWER.test(char)) {
      if (!cased) return false;
      any = true;
    } else cased = false;
  }
  return any;
}

function transform(name: string, map: (text: string) => string): Native {
  return native(`${name}()`, (t: Thread, self: string) => {
    // Upper case can be up to three times as long.
    t.allocateString(self.length);
    t.charge(self.length / (name === 'title' ? 1 : 16));
    const out = map(self);
    if (out.length > self.length) t.allocateString(out.length - self.length);
    return out;
  });
}

function predicate(name: string, test: (text: string) => boolean): Native {
  return native(`${name}()`, (t: Thread, self: string) => {
    t.charge(self.length / 16);
    return test(self);
  });
}

export const STRING_CASE: readonly Native[] = [
  transform('capitalize', capitalize),
  transform('lower', (text) => text.toLowerCase()),
  transform('title', titleCase),
  transform('upper', (text) => text.toUpperCase()),
  predicate('isalnum', (text) => /^[\p{L}\p{Nd}]+$/u.test(text)),
  predicate('isalpha', (text) => /^\p{L}+$/u.test(text)),
  predicate('isdigit', (text) => /^\p{Nd}+$/u.test(text)),
  predicate('islower', (text) => LOWER.test(text) && !UPPER.test(text) && !TITLE.test(text)),
  predicate('isspace', (text) => /^[\s\u0085]+$/u.test(text) && !text.includes('\ufeff')),
  predicate('istitle', isTitle),
  predicate('isupper', (text) => UPPER.test(text) && !LOWER.test(text) && !TITLE.test(text)),
];
