// Guarantees: values of fields that are named like credentials, in JSON and form texts, and of cookies and headers so
// named, are found as places of the text. Linear in the text, whatever it holds.
// Does not: understand other formats; hide numbers.
// An attacker may control: the text.
import { SLICE, type Slices } from './slices.ts';

export interface FieldValue {
  readonly start: number;
  readonly end: number;
  /** The name of the field. */
  readonly label: string;
  readonly value: string;
}

export interface FieldSearch {
  readonly contentType: string;
  readonly names: RegExp;
  /** More fields than these need not be told: the answer is too large then. */
  readonly most: number;
}

export function* findHiddenFields(text: string, search: FieldSearch): Slices<FieldValue[]> {
  const first = /\S/.exec(text)?.[0];
  if (first === '{' || first === '[') return yield* inJson(text, search);
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(search.contentType);
  return isForm ? yield* inForm(text, search) : [];
}

function* inJson(text: string, { names, most }: FieldSearch): Slices<FieldValue[]> {
  const found: FieldValue[] = [];
  /** For each open bracket the name that hides what is in it. */
  const open: (string | undefined)[] = [];
  /** The name of the value that comes next. */
  let field: string | undefined;
  let pause = SLICE;
  for (let at = 0; at < text.length && found.length <= most; at += 1) {
    if (at >= pause) {
      yield;
      pause = at + SLICE;
    }
    const char = text[at];
    if (char === '{' || char === '[') {
      open.push(field ?? open.at(-1));
      field = undefined;
    } else if (char === '}' || char === ']') {
      open.pop();
      field = undefined;
    } else if (char === ',') field = undefined;
    else if (char === '"') {
      const end = yield* endOfString(text, at + 1);
      if (end < 0) return found;
      const value = unquote(text.slice(at, end + 1));
      if (isKey(text, end + 1)) field = names.test(value) ? value.slice(0, 100) : undefined;
      else {
        const label = field ?? open.at(-1);
        if (label !== undefined && value !== '') found.push({ start: at + 1, end, label, value });
        field = undefined;
      }
      at = end;
    }
  }
  return found;
}

function isKey(text: string, from: number): boolean {
  let at = from;
  while (at < text.length && /\s/.test(text[at] ?? '')) at += 1;
  return text[at] === ':';
}

function* endOfString(text: string, from: number): Slices<number> {
  let pause = from + SLICE;
  for (let at = from; at < text.length; at += 1) {
    if (at >= pause) {
      yield;
      pause = at + SLICE;
    }
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return -1;
}

/** A JSON string as its text; what is none, as it stands. */
function unquote(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    return text.slice(1, -1);
  }
}

function* inForm(text: string, { names, most }: FieldSearch): Slices<FieldValue[]> {
  const found: FieldValue[] = [];
  let pause = SLICE;
  for (let at = 0; at <= text.length && found.length <= most;) {
    if (at >= pause) {
      yield;
      pause = at + SLICE;
    }
    const next = text.indexOf('&', at);
    const end = next < 0 ? text.length : next;
    const pair = text.slice(at, end);
    const equals = pair.indexOf('=');
    const name = equals < 0 ? '' : pair.slice(0, equals);
    const value = pair.slice(equals + 1);
    if (equals >= 0 && names.test(name) && value !== '')
      found.push({ start: at + equals + 1, end, label: name.slice(0, 100), value });
    at = end + 1;
  }
  return found;
}

/** What of a header's value is a credential: the value of a cookie, all of a header that is named so. */
export function hiddenHeader(name: string, value: string, names: RegExp): FieldValue | undefined {
  if (name === 'set-cookie' || name === 'set-cookie2') {
    const equals = value.indexOf('=');
    const semicolon = value.indexOf(';');
    const end = semicolon < 0 ? value.length : semicolon;
    const start = equals < 0 || equals > end ? 0 : equals + 1;
    if (start >= end) return undefined;
    const label = start === 0 ? 'cookie' : value.slice(0, equals).trim();
    return { start, end, label, value: value.slice(start, end) };
  }
  if (!names.test(name) || value === '') return undefined;
  return { start: 0, end: value.length, label: name, value };
}
