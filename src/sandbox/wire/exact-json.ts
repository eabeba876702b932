/** JSON with whole numbers of any size: beyond 2**53 they are bigints on both ends. */

export type ExactJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly ExactJson[]
  | { readonly [key: string]: ExactJson };

interface NumberSource {
  readonly source?: string;
}
// What Node 24 has and the type library does not know yet.
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };
const parse = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: NumberSource) => unknown,
) => unknown;

export function stringifyExact(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_key, item: unknown) => (typeof item === 'bigint' ? rawJSON(String(item)) : item),
    indent,
  );
}

/** Throws SyntaxError, and RangeError for deep nesting. */
export function parseExact(text: string): unknown {
  return parse(text, (_key, value, { source }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  });
}
