import type { Json } from '../api/types.ts';

export type ReadJson =
  | { readonly ok: true; readonly value: Json | undefined }
  | { readonly ok: false; readonly problem: string };

/** What was typed as JSON: a list or an object, as `want` says. Nothing typed is nothing sent. */
export function readJson(text: string, want: 'list' | 'object', sample: string): ReadJson {
  if (text.trim() === '') return { ok: true, value: undefined };
  const what = want === 'list' ? 'a JSON list' : 'a JSON object';
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    return { ok: false, problem: `This is no JSON${place(text, error)}. Write ${what}, such as ${sample}.` };
  }
  const fits =
    want === 'list'
      ? Array.isArray(value)
      : typeof value === 'object' && value !== null && !Array.isArray(value);
  return fits ? { ok: true, value } : { ok: false, problem: `Write ${what}, such as ${sample}.` };
}

/** Engines say where in different ways; where they don't, nothing is said. */
function place(text: string, error: unknown): string {
  const at = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
  if (at === undefined) return '';
  const before = text.slice(0, Number(at)).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return before.length === 1 ? ` at character ${column}` : ` at line ${before.length}, character ${column}`;
}
