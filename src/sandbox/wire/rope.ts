/**
 * Ropes as they travel between a script's process and the broker: public text, and references to what that process
 * never holds. Both ends share these words; the broker checks every rope that it receives.
 *
 * Guarantees: sizes and markers depend on public text and on the names of references only.
 */

/** Functions of a rope that the broker computes when it sends. */
export type WireFunction = 'b64' | 'b64url' | 'sha256' | 'url' | 'json';

/** `hmac` has key and message. `json` is a JSON string with its quotes; hashes are 64 lower-case hex digits. */
export type WireNode =
  | string
  | readonly ['ref', string]
  | readonly [WireFunction, WireRope]
  | readonly ['hmac', WireRope, WireRope];

/** One after the other. */
export type WireRope = readonly WireNode[];

export const ROPE_LIMITS = {
  /** Nodes of a rope, those inside functions included. */
  nodes: 4_096,
  /** Functions inside each other. */
  depth: 4,
} as const;

/** What a reference counts as, in bytes, whatever it stands for. No secret is longer. */
export const NOMINAL_BYTES = 4_096;
const HASH_BYTES = 64;

/** `NAME` is a granted secret; `NAME@1` is something that an answer of this run held. */
export const REFERENCE = /^[A-Z][A-Z0-9_]{0,63}(?:@[1-9][0-9]{0,5})?$/;

/** The name in the marker of a reference. */
export function referenceName(id: string): string {
  const at = id.indexOf('@');
  return at < 0 ? id : id.slice(0, at);
}

export function markerOf(id: string): string {
  return `[REDACTED:${referenceName(id)}]`;
}

/** Bytes of a public text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // Two bytes below U+0800, three beyond; a pair of surrogates is four. A lone one is sent as U+FFFD: three.
    const pair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
    bytes += unit < 0x800 ? 1 : 2;
    if (pair) i += 1;
  }
  return bytes;
}

/** Nominal size in bytes: public text as it is, references by the fixed size, functions by their growth. */
export function nominalBytes(rope: WireRope): number {
  let bytes = 0;
  for (const node of rope) bytes += typeof node === 'string' ? utf8Bytes(node) : nodeBytes(node);
  return bytes;
}

function nodeBytes(node: Exclude<WireNode, string>): number {
  switch (node[0]) {
    case 'ref':
      return NOMINAL_BYTES;
    case 'sha256':
    case 'hmac':
      return HASH_BYTES;
    case 'url':
      return 3 * nominalBytes(node[1]);
    case 'json':
      return 2 + 6 * nominalBytes(node[1]);
    default:
      return 4 * Math.ceil(nominalBytes(node[1]) / 3);
  }
}

/** The ids of all references, those inside functions included, in order, without duplicates. */
export function referencesOf(rope: WireRope, found: Set<string> = new Set()): Set<string> {
  for (const node of rope) {
    if (typeof node === 'string') continue;
    if (node[0] === 'ref') found.add(node[1]);
    else {
      referencesOf(node[1], found);
      if (node[0] === 'hmac') referencesOf(node[2], found);
    }
  }
  return found;
}

/** What people see: public text, and a marker for each reference. Hashes and base64 show as the marker alone. */
export function renderRope(rope: WireRope): string {
  return rope.map(renderNode).join('');
}

function renderNode(node: WireNode): string {
  if (typeof node === 'string') return node;
  if (node[0] === 'ref') return markerOf(node[1]);
  if (node[0] === 'json') return `"${pieces(node[1], (text) => JSON.stringify(text).slice(1, -1))}"`;
  if (node[0] === 'url') return pieces(node[1], percentEncode);
  const [first] = referencesOf([node]);
  // Functions of public text alone are computed where they are made.
  return first === undefined ? '[REDACTED]' : markerOf(first);
}

function pieces(rope: WireRope, encode: (text: string) => string): string {
  return rope.map((node) => (typeof node === 'string' ? encode(node) : renderNode(node))).join('');
}

/** Everything but letters, digits and `-_.~` (RFC 3986, section 2.3). */
export function percentEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
