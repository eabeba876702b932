/** `json.encode`: insertion order, exact ints, no escaping for HTML. Opaque strings make the text opaque. */
import { StarlarkError } from '../errors.ts';
import { elements, isIterable } from '../ops/iterate.ts';
import { floatText, intText } from '../ops/number-text.ts';
import { TextSink } from '../ops/text-sink.ts';
import type { Thread } from '../thread.ts';
import { StarFloat, StarList, StarStruct, StarTuple, typeName, type StarObject, type Value } from '../values/objects.ts';
import { OpaqueString, TextBuilder, type TextPart } from '../values/opaque.ts';
import { StarDict } from '../values/table.ts';

const SIMPLE = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

/** A text as a JSON string; lone surrogates become U+FFFD. */
export function jsonString(text: string): string {
  return SIMPLE.test(text) ? `"${text}"` : JSON.stringify(text.toWellFormed());
}

class Encoder {
  readonly #thread: Thread;
  readonly #text = new TextSink();
  #builder: TextBuilder | undefined;
  readonly #path: { readonly kind: 'index' | 'key' | 'field'; readonly at: number | string }[] = [];
  /** Length that was charged already. */
  #charged = 0;

  constructor(thread: Thread) {
    this.#thread = thread;
  }

  #flush(): void {
    this.#thread.allocateString(this.#text.length - this.#charged);
    this.#charged = this.#text.length;
  }

  #opaque(v: OpaqueString): void {
    this.#flush();
    this.#builder ??= new TextBuilder();
    this.#builder.add(this.#text.finish());
    this.#charged = 0;
    const part = v.derive('json', [v]);
    this.#thread.allocateString(part.size);
    this.#builder.add(part);
  }

  finish(): TextPart {
    this.#flush();
    if (this.#builder === undefined) return this.#text.finish();
    this.#builder.add(this.#text.finish());
    return this.#builder.finish();
  }

  value(v: Value, depth: number): void {
    const t = this.#thread;
    if (--t.fuel < 0) t.refill();
    switch (typeof v) {
      case 'string':
        if (v.length > 64) t.charge(v.length / 32);
        this.#text.add(jsonString(v));
        break;
      case 'number':
      case 'bigint':
        this.#text.add(intText(t, v));
        break;
      case 'boolean':
        this.#text.add(v ? 'true' : 'false');
        break;
      default:
        if (v === null) this.#text.add('null');
        else this.#object(v, depth);
    }
    // Charged in pieces: what is not paid for yet stays below 4,000 units and one string of the program.
    if (this.#text.length - this.#charged > 4_000) this.#flush();
  }

  #object(v: StarObject, depth: number): void {
    if (v instanceof StarFloat) {
      if (!Number.isFinite(v.value)) throw new StarlarkError(`cannot encode non-finite float ${floatText(v.value)}`);
      this.#text.add(floatText(v.value));
      return;
    }
    this.#thread.charge(2);
    if (v instanceof OpaqueString) return this.#opaque(v);
    if (depth >= this.#thread.limits.valueDepth) throw new StarlarkError('json.encode: nesting depth limit exceeded', 'json_depth');
    if (v instanceof StarDict) return this.#dict(v, depth + 1);
    if (v instanceof StarList || v instanceof StarTuple) return this.#items(v.items, depth + 1);
    if (v instanceof StarStruct) return this.#struct(v, depth + 1);
    if (isIterable(v)) return this.#items(elements(this.#thread, v), depth + 1);
    throw new StarlarkError(`cannot encode ${typeName(v)} as JSON`);
  }

  #items(items: readonly Value[], depth: number): void {
    this.#text.add('[');
    for (let i = 0; i < items.length; i += 1) {
      if (i > 0) this.#text.add(',');
      this.#inside(items[i] as Value, depth, i, 'index');
    }
    this.#text.add(']');
  }

  #dict(v: StarDict, depth: number): void {
    let separator = '{';
    for (const [key, value] of v.map) {
      if (typeof key !== 'string') throw new StarlarkError(`dict has ${typeName(v.restore(key))} key, want string`);
      this.#text.add(`${separator}${jsonString(key)}:`);
      this.#inside(value, depth, key, 'key');
      separator = ',';
    }
    this.#text.add(v.map.size === 0 ? '{}' : '}');
  }

  #struct(v: StarStruct, depth: number): void {
    let separator = '{';
    for (const [name, value] of v.fields) {
      this.#text.add(`${separator}${jsonString(name)}:`);
      this.#inside(value, depth, name, 'field');
      separator = ',';
    }
    this.#text.add(v.fields.size === 0 ? '{}' : '}');
  }

  /** A value inside another; the path is left as it stands when an error passes. */
  #inside(v: Value, depth: number, at: number | string, kind: 'index' | 'key' | 'field'): void {
    if (typeof v !== 'object' || v === null) return this.value(v, depth);
    this.#path.push({ kind, at });
    this.value(v, depth);
    this.#path.pop();
  }

  /** Where the error is, from the outside in: `at list index 1: in dict key "x"`. */
  get where(): string {
    return this.#path
      .slice(0, 20)
      .map(({ kind, at }) => {
        if (kind === 'index') return `at list index ${at}: `;
        return kind === 'key' ? `in dict key ${jsonString(String(at).slice(0, 100))}: ` : `in struct field .${at}: `;
      })
      .join('');
  }
}

/** The JSON text of a value. Throws for values without one, for non-string keys, NaN and infinities. */
export function encodeJson(t: Thread, v: Value): TextPart {
  const encoder = new Encoder(t);
  try {
    encoder.value(v, 0);
  } catch (error) {
    if (!(error instanceof StarlarkError) || error.code !== 'runtime') throw error;
    throw new StarlarkError(encoder.where + error.message);
  }
  return encoder.finish();
}
