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
    const why = error instanceof Error ? `: ${error.message}` : '';
    return { ok: false, problem: `This is no JSON${why}. Write ${what}, such as ${sample}.` };
  }
  const fits =
    want === 'list'
      ? Array.isArray(value)
      : typeof value === 'object' && value !== null && !Array.isArray(value);
  return fits ? { ok: true, value } : { ok: false, problem: `Write ${what}, such as ${sample}.` };
}
