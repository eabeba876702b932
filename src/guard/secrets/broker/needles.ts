// Guarantees: the list of what is looked for in an answer: every form of `variants.ts`, bytes written as numbers or pairs
// of digits, and all of these in any case of letters.
// Does not: know forms that a host invents (a cipher, every second character, compression inside the text).
// An attacker may control: nothing here.
import { buildAutomaton, type Automaton } from '../automaton.ts';
import { variantsOf } from '../variants.ts';

/** A value to look for. */
export interface Needle {
  readonly value: string;
  /** The reference that takes the place of the value itself; undefined when every hit is inert. */
  readonly id: string | undefined;
  /** Ids that a request must have carried for a hit to be expected. */
  readonly ids: readonly string[];
}

export interface Form {
  readonly needle: Needle;
  /** Base64 and base32: characters hold bits of several bytes, so that neighbours depend on the value too. */
  readonly grouped: boolean;
}

export interface NeedleSearch {
  readonly automaton: Automaton;
  forms(pattern: number): readonly Form[];
}

const SHORTEST = 8;
/** Beyond this a value is looked for in fewer forms. In UTF-16 units. */
const LONG = 8 * 1024;

/** Letters of ASCII in lower case; positions stay as they are. */
export function foldCase(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function searchFor(needles: readonly Needle[]): NeedleSearch {
  const patterns = new Map<string, Form[]>();
  const add = (form: string, entry: Form): void => {
    const folded = foldCase(form);
    if (folded === '' || (folded.length < SHORTEST && form !== entry.needle.value)) return;
    const list = patterns.get(folded);
    if (list === undefined) patterns.set(folded, [entry]);
    else list.push(entry);
  };
  for (const needle of needles) {
    const bytes = Buffer.from(needle.value, 'utf8');
    // First, because of equal forms the first decides how much is taken in around it.
    if (bytes.length <= LONG)
      for (const form of [...base64Forms(bytes), base32(bytes)]) add(form, { needle, grouped: true });
    for (const form of variantsOf(needle.value)) add(form, { needle, grouped: false });
    if (bytes.length > LONG) continue;
    for (const form of byteForms(needle.value)) add(form, { needle, grouped: false });
  }
  const lists = [...patterns.values()];
  return { automaton: buildAutomaton([...patterns.keys()]), forms: (pattern) => lists[pattern] ?? [] };
}

function byteForms(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
  const numbers = [...bytes].map(String);
  return [
    ...[' ', ':', '-', '\\x', ', ', ',0x', ', 0x'].map((between) => pairs.join(between)),
    ...[',', ', ', ' '].map((between) => numbers.join(between)),
    // One character a line, an element, a word.
    ...[' ', ',', '","', '", "', '-', '.', '\n'].map((between) => Array.from(value).join(between)),
    ...misread(value),
    rot13(value),
    // UTF-16 that was read as something narrower.
    Array.from(value).join('\u0000'),
  ];
}

/** A value beyond ASCII in a text whose character set was declared wrongly. */
function misread(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  if (bytes.length === value.length) return [];
  return [
    bytes.toString('latin1'),
    new TextDecoder('windows-1252').decode(bytes),
    value.replaceAll(/[\u0080-\u00ff]/g, '\ufffd'),
  ];
}

function base32(bytes: Buffer): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  const groups = bits.match(/.{5}/g) ?? [];
  return groups.map((group) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(group, 2)]).join('');
}

function rot13(value: string): string {
  return value.replaceAll(/[a-z]/gi, (letter) => {
    const base = letter <= 'Z' ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
  });
}

/** What the value determines of a base64 text when it stands behind 0, 1 or 2 bytes of a group, once and twice encoded. */
function base64Forms(bytes: Buffer): string[] {
  const once = shifted(bytes);
  const twice = [bytes.toString('base64'), once[0] ?? ''].flatMap((text) =>
    shifted(Buffer.from(text, 'utf8')),
  );
  return [...once, ...twice].flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
}

function shifted(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
}
