/**
 * Where a text stops being JSON (RFC 8259): the offset of the first character that can't stand there, the length of the
 * text where it only ends too early, undefined for JSON. The messages of JSON.parse often have no place, and quote the
 * text, which may hold secrets.
 */
export function jsonErrorOffset(text: string): number | undefined {
  const open: ('{' | '[')[] = [];
  let at = 0;
  let expects = 'value' as 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma or end';
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  for (;;) {
    skip(/[ \t\r\n]*/y);
    if (expects === 'comma or end' && open.length === 0) return at === text.length ? undefined : at;
    const char = text[at];
    if (char === undefined) return at;
    if ((char === ']' && expects === 'value or ]') || (char === '}' && expects === 'key or }')) {
      open.pop();
      at += 1;
      expects = 'comma or end';
    } else if (expects === 'comma or end') {
      const closing = open.at(-1) === '{' ? '}' : ']';
      if (char !== ',' && char !== closing) return at;
      at += 1;
      if (char === closing) open.pop();
      else expects = closing === '}' ? 'key' : 'value';
    } else if (expects === 'colon') {
      if (char !== ':') return at;
      at += 1;
      expects = 'value';
    } else if (char === '"') {
      const end = stringEnd(text, at);
      if (!end.ok) return end.at;
      at = end.at;
      expects = expects === 'key' || expects === 'key or }' ? 'colon' : 'comma or end';
    } else if (expects === 'key' || expects === 'key or }') {
      return at;
    } else if (char === '{' || char === '[') {
      open.push(char);
      at += 1;
      expects = char === '{' ? 'key or }' : 'value or ]';
    } else if (skip(/true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y)) {
      expects = 'comma or end';
    } else {
      return at;
    }
  }
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** `at`: after the closing quote, or what can't stand in a string. */
function stringEnd(text: string, start: number): { readonly ok: boolean; readonly at: number } {
  for (let at = start + 1; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return { ok: true, at: at + 1 };
    if (code < 0x20) return { ok: false, at };
    if (code === 0x5c) {
      ESCAPE.lastIndex = at;
      if (!ESCAPE.test(text)) return { ok: false, at };
      at = ESCAPE.lastIndex;
    } else {
      at += 1;
    }
  }
  return { ok: false, at: text.length };
}

/** From 1. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
