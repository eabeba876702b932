/** `json.encode`: insertion order, exact ints, no escaping for HTML. Opaque strings make the text opaque. */
import { StarlarkError } from '../errors.ts';
import { elements, isIterable } from '../ops/iterate.ts';
import { floatText, intText } from '../ops/number-text.ts';
import { TextSink } from '../ops/text-sink.ts';
import type { Thread } from '../thread.ts';
import {
  StarFloat,
  StarList,
  StarStruct,
  StarTuple,
  typeName,
  type StarObject,
  type Value,
} from '../values/objects.ts';
import { OpaqueString, TextBuilder, type TextPart } from '../values/opaque.ts';
import { StarDict } from '../values/table.ts';

const SIMPLE = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

/** A text as a JSON string; lone surrogates become U+FFFD. */
function jsonString(text: string): string {
  return SIMPLE.test(text) ? `"${text}"` : JSON.stringify(text.toWellFormed());
}

class Encoder {
  readonly #thread: Thread;
  readonly #text = new TextSink();
  #builder: TextBuilder | undefined;
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
      if (!Number.isFinite(v.value))
        throw new StarlarkError(`cannot encode non-finite float ${floatText(v.value)}`);
      this.#text.add(floatText(v.value));
      return;
    }
    this.#thread.charge(2);
    if (v instanceof OpaqueString) return this.#opaque(v);
    if (depth >= this.#thread.limits.valueDepth)
      throw new StarlarkError('json.encode: nesting depth limit exceeded', 'json_depth');
    if (v instanceof StarDict) return this.#dict(v, depth + 1);
    if (v instanceof StarList || v instanceof StarTuple) return this.#items(v.items, depth + 1);
    if (v instanceof StarStruct) return this.#struct(v, depth + 1);
    if (isIterable(v)) return this.#items(elements(this.#thread, v), depth + 1);
    throw new StarlarkError(`cannot encode ${typeName(v)} as JSON`);
  }

  #items(items: readonly Value[], depth: number): void {
    let i = 0;
    try {
      this.#text.add('[');
      for (; i < items.length; i += 1) {
        if (i > 0) this.#text.add(',');
        this.value(items[i] as Value, depth);
      }
      this.#text.add(']');
    } catch (error) {
      throw placed(error, `at list index ${i}`);
    }
  }

  #dict(v: StarDict, depth: number): void {
    let separator = '{';
    let at: string | undefined;
    try {
      for (const [key, value] of v.map) {
        at = undefined;
        if (typeof key !== 'string')
          throw new StarlarkError(`dict has ${typeName(v.restore(key))} key, want string`);
        at = key;
        this.#text.add(`${separator}${jsonString(key)}:`);
        this.value(value, depth);
        separator = ',';
      }
    } catch (error) {
      throw at === undefined ? error : placed(error, `in dict key ${jsonString(at.slice(0, 100))}`);
    }
    this.#text.add(v.map.size === 0 ? '{}' : '}');
  }

  #struct(v: StarStruct, depth: number): void {
    let separator = '{';
    for (const [name, value] of v.fields) {
      this.#text.add(`${separator}${jsonString(name)}:`);
      try {
        this.value(value, depth);
      } catch (error) {
        throw placed(error, `in struct field .${name}`);
      }
      separator = ',';
    }
    this.#text.add(v.fields.size === 0 ? '{}' : '}');
  }
}

/** An error about a value inside another says where; errors of budgets stay as they are. */
function placed(error: unknown, where: string): unknown {
  if (!(error instanceof StarlarkError) || error.message.length > 1_000) return error;
  if (error.code !== 'runtime' && error.code !== 'secret_use') return error;
  return new StarlarkError(`${where}: ${error.message}`, error.code);
}

/** The JSON text of a value. Throws for values without one, for non-string keys, NaN and infinities. */
export function encodeJson(t: Thread, v: Value): TextPart {
  const encoder = new Encoder(t);
  encoder.value(v, 0);
  return encoder.finish();
}
