/** Values as text: `str` and `repr`. Cycles show as `[...]`; depth, steps and memory are budgeted. */
import { SHORT_TEXT_BYTES } from '../meter.ts';
import { StarlarkError } from '../errors.ts';
import type { Thread } from '../thread.ts';
import {
  Callable,
  HostObject,
  StarBytes,
  StarFloat,
  StarIterable,
  StarList,
  StarModule,
  StarRange,
  StarStruct,
  StarTuple,
  typeName,
  type StarObject,
  type Value,
} from '../values/objects.ts';
import { OpaqueString, type TextPart } from '../values/opaque.ts';
import { StarDict, StarSet } from '../values/table.ts';
import { decodeUtf8 } from './utf8.ts';
import { floatText, intText } from './number-text.ts';
import { TextSink } from './text-sink.ts';

/** What happens to an opaque string on the way: `refuse` throws, `mark` shows its marker (print and fail only). */
type OpaqueMode = 'refuse' | 'mark';

const PLAIN = /^[ !#-[\]-~\u00a1-\ud7ff\ue000-\ufefe\uff00-\uffef]*$/;
const NAMED: Record<number, string> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** A string as a literal in double quotes, escaped so that it reads back as the same string. */
export function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  const out = new TextSink();
  out.add('"');
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const named = NAMED[code];
    if (named !== undefined) out.add(named);
    else if (code < 32 || code === 127) out.add(`\\x${code.toString(16).padStart(2, '0')}`);
    else if ((code >= 0x80 && code <= 0xa0) || (code >= 0xd800 && code <= 0xdfff) || code === 0xfeff) {
      out.add(`\\u${code.toString(16).padStart(4, '0')}`);
    } else out.add(char);
  }
  out.add('"');
  return out.finish();
}

function quoteBytes(data: Uint8Array): string {
  const out = new TextSink();
  out.add('b"');
  for (const byte of data) {
    const named = NAMED[byte];
    if (named !== undefined) out.add(named);
    else
      out.add(
        byte < 32 || byte > 126 ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte),
      );
  }
  out.add('"');
  return out.finish();
}

class Printer {
  readonly #thread: Thread;
  readonly #mode: OpaqueMode;
  readonly #open: StarObject[] = [];
  readonly #out = new TextSink();

  constructor(thread: Thread, mode: OpaqueMode) {
    this.#thread = thread;
    this.#mode = mode;
  }

  #add(text: string): void {
    this.#thread.allocateString(text.length);
    this.#out.add(text);
  }

  finish(): string {
    return this.#out.finish();
  }

  value(v: Value): void {
    if (--this.#thread.fuel < 0) this.#thread.refill();
    switch (typeof v) {
      case 'string':
        this.#thread.charge(v.length / 64);
        return this.#add(quote(v));
      case 'number':
      case 'bigint':
        return this.#add(intText(this.#thread, v));
      case 'boolean':
        return this.#add(v ? 'True' : 'False');
      default:
        return v === null ? this.#add('None') : this.#object(v);
    }
  }

  #object(v: StarObject): void {
    if (v instanceof StarFloat) return this.#add(floatText(v.value));
    if (v instanceof OpaqueString) {
      if (this.#mode === 'refuse') throw v.refuse('the text of a list, tuple, dict or repr');
      return this.#add(v.marker());
    }
    if (v instanceof StarList) return this.#sequence(v, '[', v.items, ']');
    if (v instanceof StarTuple) return this.#sequence(v, '(', v.items, v.items.length === 1 ? ',)' : ')');
    if (v instanceof StarDict) return this.#dict(v);
    if (v instanceof StarSet) return this.#sequence(v, 'set([', v.keys(), '])');
    if (v instanceof StarStruct) return this.#struct(v);
    return this.#add(leaf(this.#thread, v));
  }

  #enter(v: StarObject, cycle: string): boolean {
    if (this.#open.includes(v)) {
      this.#add(cycle);
      return false;
    }
    if (this.#open.length >= this.#thread.limits.valueDepth) {
      throw new StarlarkError('str: values are nested too deeply', 'repr_depth');
    }
    this.#open.push(v);
    return true;
  }

  #sequence(v: StarObject, begin: string, items: readonly Value[], end: string): void {
    if (!this.#enter(v, `${begin}...${end.replace(',', '')}`)) return;
    this.#add(begin);
    items.forEach((item, i) => {
      if (i > 0) this.#add(', ');
      this.value(item);
    });
    this.#add(end);
    this.#open.pop();
  }

  #dict(v: StarDict): void {
    if (!this.#enter(v, '{...}')) return;
    let separator = '{';
    for (const [key, value] of v.map) {
      this.#add(separator);
      this.value(v.restore(key));
      this.#add(': ');
      this.value(value);
      separator = ', ';
    }
    this.#add(v.map.size === 0 ? '{}' : '}');
    this.#open.pop();
  }

  #struct(v: StarStruct): void {
    if (!this.#enter(v, 'struct(...)')) return;
    let separator = 'struct(';
    for (const [name, value] of v.fields) {
      this.#add(`${separator}${name} = `);
      this.value(value);
      separator = ', ';
    }
    this.#add(v.fields.size === 0 ? 'struct()' : ')');
    this.#open.pop();
  }
}

function leaf(t: Thread, v: StarObject): string {
  if (v instanceof StarBytes) {
    t.allocateString(4 * v.data.length);
    return quoteBytes(v.data);
  }
  if (v instanceof StarRange) {
    if (v.step !== 1) return `range(${v.start}, ${v.stop}, ${v.step})`;
    return v.start === 0 ? `range(${v.stop})` : `range(${v.start}, ${v.stop})`;
  }
  if (v instanceof StarModule) return `<module ${v.name}>`;
  if (v instanceof HostObject) return v.repr(t);
  if (v instanceof StarIterable) return v.repr();
  if (v instanceof Callable) return String(v);
  return `<${typeName(v)}>`;
}

/** `repr(v)`. Throws for opaque text unless the mode says to mark it. */
export function repr(t: Thread, v: Value, mode: OpaqueMode = 'refuse'): string {
  const printer = new Printer(t, mode);
  printer.value(v);
  return printer.finish();
}

/** `str(v)`: strings as they are (opaque ones stay opaque), bytes decoded, everything else as `repr`. */
export function toText(t: Thread, v: Value): TextPart {
  if (typeof v === 'string' || v instanceof OpaqueString) return v;
  if (typeof v === 'number') {
    t.allocate(SHORT_TEXT_BYTES);
    return String(v);
  }
  if (v instanceof StarBytes) {
    t.allocateString(v.data.length);
    return decodeUtf8(v.data);
  }
  return repr(t, v);
}

/** What print and fail show: `str(v)` with markers where text is opaque. */
export function shown(t: Thread, v: Value): string {
  if (typeof v === 'string') return v;
  if (v instanceof OpaqueString) return v.marker();
  if (v instanceof StarBytes) return String(toText(t, v));
  return repr(t, v, 'mark');
}
