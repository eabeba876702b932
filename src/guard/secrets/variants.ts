// Guarantees: the one list of the forms in which a secret value is looked for (K-25). Every place that hides secrets uses it.
// Does not: know every encoding. Not found: a value that is split, encrypted, compressed, encoded twice in other ways than
// here, wrapped into lines, or written in percent- or \u-escapes that mix escaped and plain characters unusually.
// An attacker may control: the text that is searched, never the values.
import { Buffer } from 'node:buffer';

/** Shorter forms are left out: they would match by chance. In UTF-16 units. */
const MIN_LENGTH = 8;
/** Longer values (no API key is) are looked for in two forms only: each form costs memory in proportion. In UTF-16 units. */
const MAX_LENGTH = 8 * 1024;

/** All forms of a value, without duplicates, the value itself first. */
export function variantsOf(value: string): readonly string[] {
  if (value.length > MAX_LENGTH) return [...new Set([value, inner(value)])];
  const bytes = Buffer.from(value, 'utf8');
  const hex = bytes.toString('hex');
  const forms = [
    value,
    ...jsonForms(value),
    ...urlForms(value, bytes),
    htmlForm(value),
    ...base64Forms(bytes),
    hex,
    hex.toUpperCase(),
    Array.from(value).reverse().join(''),
  ];
  const found = new Set(forms);
  found.delete(value);
  return [value, ...[...found].filter((form) => form.length >= MIN_LENGTH)];
}

function jsonForms(value: string): string[] {
  const plain = inner(value);
  const ascii = plain.replaceAll(/[\u0080-\uffff]/g, escapeUnit);
  return [
    plain,
    // JSON text as a string inside JSON: a tool's result in a prompt.
    inner(plain),
    // PHP and others escape the slash, Python all that is not ASCII, Go and HTML-safe writers < > &.
    plain.replaceAll('/', '\\/'),
    ascii,
    ascii.replaceAll(/\\u[0-9a-f]{4}/g, (unit) => `\\u${unit.slice(2).toUpperCase()}`),
    plain.replaceAll(/[<>&]/g, escapeUnit),
  ];
}

function inner(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function urlForms(value: string, bytes: Buffer): string[] {
  const component = encodeURIComponent(value);
  const strict = component.replaceAll(/[!'()*]/g, percent);
  const form = new URLSearchParams([['', value]]).toString().slice(1);
  const loose = encodeURI(value);
  const every = bytes.toString('hex').toUpperCase().replaceAll(/../g, '%$&');
  const upper = [component, strict, form, form.replaceAll('+', '%20'), loose, every];
  return upper.flatMap((text) => [text, text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

function htmlForm(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/**
 * Base64 of the value alone, and the characters that it determines when it stands anywhere inside longer encoded bytes
 * (as `user:key` in basic authentication): the bytes before shift it by 0, 2 or 4 bits, and up to 5 bits at each end
 * depend on the neighbours, so those characters are not matched.
 */
function base64Forms(bytes: Buffer): string[] {
  const forms = [bytes.toString('base64'), bytes.toString('base64').replaceAll('=', '')];
  for (const before of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const first = Math.ceil((before * 8) / 6);
    const end = Math.floor(((before + bytes.length) * 8) / 6);
    forms.push(text.slice(first, end));
  }
  return [...forms, ...forms.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}
