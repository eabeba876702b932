// Guarantees: what a script gets of an answer holds no secret that was looked for, no other one that is known and hard to
// guess (in the forms of `variants.ts`), no credential in a field or header that is named so, and no size that counts a
// secret's length.
// Does not: see through what a host encodes in its own way.
// An attacker may control: the answer (the host may work with the script).
import {
  NOMINAL_BYTES,
  referenceName,
  type BrokerResponse,
  type WireNode,
  type WireRope,
} from '../../../sandbox/wire/index.ts';
import type { RedactionStream } from '../../../core/index.ts';
import { isStrong } from '../strength.ts';
import { decodeBody } from './decode-body.ts';
import { findHiddenFields, hiddenHeader, type FieldValue } from './hidden-fields.ts';
import { searchFor, type Needle } from './needles.ts';
import type { References } from './references.ts';
import { searchText, type Region } from './search-text.ts';
import { SLICE, type Slices } from './slices.ts';

export interface AnswerContext {
  readonly origin: string;
  /** Ids that the request carried. */
  readonly carried: ReadonlySet<string>;
  readonly needles: readonly Needle[];
  /** The secret because of which nothing of it may be seen. */
  readonly hiddenBy: string | undefined;
  /** Names of fields and headers that hold credentials. */
  readonly hiddenFields: RegExp;
  /** Whether this run has sent references: sizes and digests of answers are left out from then on. */
  readonly sent: boolean;
  /** Nominal bytes of the body. */
  readonly most: number;
  /** Hides the secrets that this script was not granted. */
  readonly hideOthers: (() => RedactionStream) | undefined;
  /** Hears of each of them by name. */
  readonly foreign: (name: string) => void;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

export type Answer =
  | { readonly response: BrokerResponse; readonly nominal: number }
  /** The base name of a secret that should not be there. */
  | { readonly leak: string }
  | { readonly failed: 'bad_response' | 'response_too_large' };

/** Counts for a hit that is not the bare value: no form of a value is longer. */
const INERT_BYTES = 16 * NOMINAL_BYTES;
const MOST_HEADERS = 100;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
/** They tell the length or a digest of what the body was before it was searched. */
const TELLING =
  /^(?:content-length|content-range|etag|digest|content-digest|repr-digest|content-md5|want-.*digest|x-goog-hash|x-amz-checksum-.*|.*-(?:sha\d*|md5|crc\d*c?))$/;
const FRAMING = /^(?:content-encoding|transfer-encoding|connection|keep-alive|trailer)$/;

class Leak extends Error {
  readonly secret: string;
  constructor(secret: string) {
    super('an answer held a secret that its request did not carry');
    this.secret = secret;
  }
}

export function* readAnswer(raw: RawAnswer, context: AnswerContext, references: References): Slices<Answer> {
  const { hiddenBy, origin } = context;
  const header = (wanted: string): string =>
    raw.headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? '';
  if (hiddenBy !== undefined) {
    return { response: hiddenAnswer(raw.status, hiddenBy, origin, references), nominal: 0 };
  }
  const decoded = decodeBody(raw.body, header, context.most);
  if (typeof decoded === 'string') return { failed: decoded };
  // Each place that is hidden counts as the size of a secret at least.
  const most = Math.floor(context.most / NOMINAL_BYTES);
  const once = function* (needles: readonly Needle[]): Slices<Answer> {
    const reader = createTextReader({ ...context, needles }, references, most);
    const headers = yield* readHeaders(raw.headers, context, reader);
    const names = context.hiddenFields;
    const fields = yield* findHiddenFields(decoded.text, {
      contentType: header('content-type'),
      names,
      most,
    });
    if (fields.length > most) return { failed: 'response_too_large' };
    const read = yield* reader.read(decoded.text, fields);
    if (read === undefined) return { failed: 'response_too_large' };
    const nominal = read.nominal * decoded.width;
    if (nominal > context.most) return { failed: 'response_too_large' };
    const [first] = context.carried;
    const body: WireRope =
      decoded.plain || first === undefined
        ? read.rope
        : [['ref', references.inert(referenceName(first), origin).id]];
    const shown: (readonly [string, WireRope])[] = [];
    for (const [name, value] of headers) shown.push([name, yield* withoutOthers(value, context)]);
    const shownBody = yield* withoutOthers(body, context);
    // A marker may be longer than what it stands for.
    const size = shownBody.reduce((sum, node) => sum + (typeof node === 'string' ? node.length : 0), 0);
    if (size > context.most) return { failed: 'response_too_large' };
    return { response: { status: raw.status, headers: shown, body: shownBody }, nominal };
  };
  try {
    const known = new Set(context.needles.map(({ id }) => id));
    const answer = yield* once(context.needles);
    // A credential that stands in one place of the answer under its name may stand in others without.
    const minted = references.fresh().filter(({ id, value }) => !known.has(id) && isStrong(value ?? ''));
    if (minted.length === 0) return answer;
    return yield* once([
      ...context.needles,
      ...minted.map(({ id, value }) => ({ value: value ?? '', id, ids: [] })),
    ]);
  } catch (error) {
    if (error instanceof Leak) return { leak: error.secret };
    throw error;
  }
}

/** All that is seen of an answer that could be used to guess this secret. */
export function hiddenAnswer(
  status: number,
  hiddenBy: string,
  origin: string,
  references: References,
): BrokerResponse {
  const { id } = references.inert(referenceName(hiddenBy), origin);
  return { status, headers: [], body: [['ref', id]] };
}

/** The text between references. A value that is split over one of them is none that somebody sent. */
function* withoutOthers(rope: WireRope, { hideOthers, foreign }: AnswerContext): Slices<WireRope> {
  if (hideOthers === undefined) return rope;
  const out: WireNode[] = [];
  for (const node of rope) {
    if (typeof node !== 'string') {
      out.push(node);
      continue;
    }
    const pass = hideOthers();
    const parts: string[] = [];
    for (let at = 0; at < node.length; at += SLICE) {
      parts.push(pass.push(node.slice(at, at + SLICE)));
      yield;
    }
    out.push(parts.join('') + pass.end());
    for (const name of Object.keys(pass.hidden)) foreign(name);
  }
  return out;
}

interface TextReader {
  /** Undefined: more than so many places must not be seen. */
  read(
    text: string,
    fields: readonly FieldValue[],
  ): Slices<{ readonly rope: WireRope; readonly nominal: number } | undefined>;
}

interface Hole {
  readonly start: number;
  readonly end: number;
  readonly id: string;
  readonly bytes: number;
}

function createTextReader(context: AnswerContext, references: References, most: number): TextReader {
  const search = searchFor(context.needles);

  function expected(region: Region): void {
    const stray = region.needle.ids.find((id) => !id.includes('@') && !context.carried.has(id));
    if (stray !== undefined) throw new Leak(stray);
  }

  function holeOf(region: Region): Hole {
    const { start, end, needle } = region;
    if (region.id !== undefined) return { start, end, id: region.id, bytes: NOMINAL_BYTES };
    const name = referenceName(needle.ids[0] ?? needle.id ?? 'CREDENTIAL');
    return { start, end, id: references.inert(name, context.origin).id, bytes: INERT_BYTES };
  }

  /** A field that is a known value keeps that value's reference; one that holds more than it is inert. */
  function fieldHole(field: FieldValue, regions: readonly Region[]): Hole {
    const { start, end } = field;
    const touching = regions.filter((region) => region.start < end && region.end > start);
    const [first] = touching;
    if (first === undefined) {
      const { id, value } = references.mint(field.label, field.value, context.origin);
      return { start, end, id, bytes: value === undefined ? INERT_BYTES : NOMINAL_BYTES };
    }
    if (first.id !== undefined && first.start === start && first.end === end) return holeOf(first);
    return holeOf({ ...first, start, end, id: undefined });
  }

  return {
    *read(text, fields) {
      const regions = yield* searchText(text, search, most);
      regions.forEach(expected);
      if (regions.length > most) return undefined;
      const holes = [...fieldHoles(fields, regions, fieldHole), ...regions.map(holeOf)];
      return cut(text, holes);
    },
  };
}

/** Linear in both: each field looks at the regions near it only. */
function fieldHoles(
  fields: readonly FieldValue[],
  regions: readonly Region[],
  holeOf: (field: FieldValue, near: readonly Region[]) => Hole,
): Hole[] {
  let from = 0;
  return fields.map((field) => {
    while ((regions[from]?.end ?? Infinity) <= field.start) from += 1;
    let to = from;
    while ((regions[to]?.start ?? Infinity) < field.end) to += 1;
    return holeOf(field, regions.slice(from, to));
  });
}

function cut(text: string, holes: readonly Hole[]): { rope: WireRope; nominal: number } {
  const rope: WireNode[] = [];
  let nominal = 0;
  let at = 0;
  const take = (node: WireNode, bytes: number): void => {
    rope.push(node);
    nominal += bytes;
  };
  for (const hole of holes.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (hole.end <= at) continue;
    if (hole.start > at) {
      const piece = text.slice(at, hole.start);
      take(piece, Buffer.byteLength(piece));
    }
    // What is left of a hole that another one began.
    take(['ref', hole.id], hole.bytes);
    at = hole.end;
  }
  const rest = text.slice(at);
  if (rest !== '') take(rest, Buffer.byteLength(rest));
  return { rope, nominal };
}

function* readHeaders(
  headers: RawAnswer['headers'],
  context: AnswerContext,
  reader: TextReader,
): Slices<(readonly [string, WireRope])[]> {
  const out = new Map<string, WireRope>();
  for (const [given, value] of headers) {
    const name = given.toLowerCase();
    if (out.has(name) || out.size >= MOST_HEADERS) continue;
    if (!HEADER_NAME.test(name) || FRAMING.test(name) || (context.sent && TELLING.test(name))) continue;
    // A name that holds a secret can't be shown in part.
    const readName = yield* reader.read(name, []);
    if (readName === undefined || readName.rope.some((node) => typeof node !== 'string')) continue;
    const field = hiddenHeader(name, value, context.hiddenFields);
    const readValue = yield* reader.read(value, field === undefined ? [] : [field]);
    if (readValue !== undefined) out.set(name, readValue.rope);
  }
  return [...out];
}
