/** `str.format`: `{}`, `{0}`, `{name}`, `{!r}`, `{!s}`, `{{` and `}}`. No format specs, no attributes, no indexes. */
import { StarlarkError } from '../errors.ts';
import type { Thread } from '../thread.ts';
import type { Value } from '../values/objects.ts';
import { OpaqueString, partLength, TextBuilder, type TextPart } from '../values/opaque.ts';
import { repr, toText } from './repr.ts';

interface Field {
  /** Plain text before the field. */
  readonly before: string;
  /** A position, a name, or undefined for the text at the end. */
  readonly key: number | string | undefined;
  readonly conversion: 's' | 'r';
}

const MIX = 'Cannot mix manual and automatic numbering of positional fields';

function parseTemplate(template: string): Field[] {
  const out: Field[] = [];
  let before = '';
  let automatic = 0;
  let manual = false;
  let at = 0;
  for (;;) {
    const brace = template.slice(at).search(/[{}]/);
    if (brace < 0) break;
    before += template.slice(at, at + brace);
    at += brace;
    const char = template.charAt(at);
    if (template[at + 1] === char) {
      before += char;
      at += 2;
      continue;
    }
    if (char === '}') throw new StarlarkError("Found '}' without matching '{'");
    const close = template.indexOf('}', at);
    const inner = template.indexOf('{', at + 1);
    if (close < 0) throw new StarlarkError("Found '{' without matching '}'");
    if (inner >= 0 && inner < close) throw new StarlarkError('Nested replacement fields are not supported');
    const { name, conversion } = parseField(template.slice(at + 1, close));
    at = close + 1;
    let key: number | string = name;
    if (name === '') {
      if (manual) throw new StarlarkError(MIX);
      key = automatic;
      automatic += 1;
    } else if (/^-?[0-9]+$/.test(name)) {
      if (automatic > 0) throw new StarlarkError(MIX);
      manual = true;
      key = Number(name);
    }
    out.push({ before, key, conversion });
    before = '';
  }
  out.push({ before: before + template.slice(at), key: undefined, conversion: 's' });
  return out;
}

function parseField(text: string): { name: string; conversion: 's' | 'r' } {
  const colon = text.indexOf(':');
  if (colon >= 0) {
    throw new StarlarkError(
      `format specs are not supported in replacement fields: {${text.slice(0, 50)}} (use format("%.2f", x) and the like)`,
    );
  }
  const bang = text.indexOf('!');
  const name = bang < 0 ? text : text.slice(0, bang);
  const conversion = bang < 0 ? 's' : text.slice(bang + 1);
  const bad = /[.,[\]]/.exec(name);
  if (bad !== null) throw new StarlarkError(`Invalid character '${bad[0]}' inside replacement field`);
  if (conversion !== 's' && conversion !== 'r')
    throw new StarlarkError(`unknown conversion "!${conversion.slice(0, 50)}"`);
  return { name, conversion };
}

/** `template.format(*args, **named)`. */
export function formatBraces(
  t: Thread,
  template: string,
  args: readonly Value[],
  named: ReadonlyMap<string, Value> | undefined,
): TextPart {
  t.allocateString(template.length);
  const fields = t.cached('{', template, parseTemplate);
  let out = '';
  let parts: TextBuilder | undefined;
  for (let i = 0; i < fields.length; i += 1) {
    const { before, key, conversion } = fields[i] as Field;
    out += before;
    if (key === undefined) break;
    let value: Value | undefined;
    if (typeof key === 'number') {
      value = args[key];
      if (value === undefined) throw new StarlarkError(`No replacement found for index ${key}`);
    } else {
      value = named?.get(key);
      if (value === undefined) throw new StarlarkError(`Missing argument '${key}'`);
    }
    if (conversion === 'r' && value instanceof OpaqueString) throw value.refuse('{!r}');
    const text = conversion === 's' ? toText(t, value) : repr(t, value);
    t.allocateString(partLength(text));
    if (typeof text === 'string') out += text;
    else {
      parts ??= new TextBuilder();
      parts.add(out);
      parts.add(text);
      out = '';
    }
  }
  if (parts === undefined) return out;
  parts.add(out);
  return parts.finish();
}
