/** The module `json`: encode, decode, indent, encode_indent. */
import { StarlarkError } from '../errors.ts';
import type { Thread } from '../thread.ts';
import { native, wantString } from '../values/native.ts';
import type { StarModule, Value } from '../values/objects.ts';
import { OpaqueString } from '../values/opaque.ts';
import { decodeJson } from './json-decode.ts';
import { encodeJson } from './json-encode.ts';
import { defineModule } from './define.ts';

/** Puts each element on a line of its own. It reads tokens, not values: a text that is not JSON stays what it is. */
function indentJson(t: Thread, text: string, prefix: string, indent: string): string {
  const out: string[] = [];
  const emit = (part: string): void => {
    t.allocateString(part.length);
    out.push(part);
  };
  let depth = 0;
  const newline = (): void => {
    t.allocateString(prefix.length + indent.length * depth);
    out.push(`\n${prefix}${indent.repeat(depth)}`);
  };
  const tokens = /[ \t\r\n]+|"(?:[^"\\]|\\[^])*"|[{}[\],:]|[^ \t\r\n"{}[\],:]+|"/y;
  t.charge(text.length / 4);
  let pending = false;
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const token = match[0];
    if (/^[ \t\r\n]/.test(token)) continue;
    if (token === '"')
      throw new StarlarkError('json.indent: input is not valid JSON: unclosed string literal');
    const closes = token === '}' || token === ']';
    if (closes) {
      depth -= 1;
      if (depth < 0)
        throw new StarlarkError('json.indent: input is not valid JSON: unexpected closing bracket');
      if (!pending) newline();
      pending = false;
      emit(token);
      continue;
    }
    if (pending) newline();
    pending = token === '{' || token === '[';
    if (pending) depth += 1;
    emit(token === ':' ? ': ' : token);
    if (token === ',') newline();
  }
  if (depth > 0) throw new StarlarkError('json.indent: input is not valid JSON: unexpected end of file');
  return out.join('');
}

function options(fn: string, prefix: Value | undefined, indent: Value | undefined): [string, string] {
  return [
    prefix === undefined ? '' : wantString(prefix, fn, 'prefix'),
    indent === undefined ? '\t' : wantString(indent, fn, 'indent'),
  ];
}

export const JSON_MODULE: StarModule = defineModule('json', [
  native('decode(x, default=)', (t, _self, x: Value, fallback?: Value) => {
    const text = x instanceof OpaqueString ? x : wantString(x, 'decode', 'x');
    if (fallback === undefined) return decodeJson(t, text);
    try {
      return decodeJson(t, text);
    } catch (error) {
      if (error instanceof StarlarkError && error.code === 'runtime') return fallback;
      throw error;
    }
  }),
  native('encode(x)', (t, _self, x: Value) => encodeJson(t, x)),
  native('encode_indent(x, prefix=, indent=)', (t, _self, x: Value, prefix?: Value, indent?: Value) => {
    const text = encodeJson(t, x);
    if (text instanceof OpaqueString) throw text.refuse('json.encode_indent()');
    return indentJson(t, text, ...options('encode_indent', prefix, indent));
  }),
  native('indent(s, prefix=, indent=)', (t, _self, s: Value, prefix?: Value, indent?: Value) =>
    indentJson(t, wantString(s, 'indent', 's'), ...options('indent', prefix, indent)),
  ),
]);
