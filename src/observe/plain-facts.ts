/** Names that a line has of its own; a fact of that name gets an underscore. */
const TAKEN = new Set(['level', 'timestamp', 'message', 'component']);
const LONGEST = 4000;
const DEEPEST = 6;

/** Facts as JSON can say them: errors with their code and cause, bytes as their number, long texts cut. */
export function plainFacts(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [TAKEN.has(name) ? `${name}_` : name, plain(value, 0)]),
  );
}

function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'string') {
    return value.length > LONGEST ? `${value.slice(0, LONGEST)}... (${value.length} characters)` : value;
  }
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return '[function]';
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no date' : value.toISOString();
  if (depth >= DEEPEST) return '[deeper]';
  if (value instanceof Error) return plainError(value, depth);
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  // An object that says how it wants to be shown is asked: a SecretText answers "[secret]".
  if ('toJSON' in value && typeof value.toJSON === 'function') return plain(value.toJSON(), depth + 1);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item, depth + 1)]));
}

function plainError(error: Error, depth: number): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  return {
    name: error.name,
    message: plain(error.message, depth),
    ...(code === undefined ? {} : { code }),
    ...(error.cause === undefined ? {} : { cause: plain(error.cause, depth + 1) }),
    stack: plain(error.stack ?? '', depth),
  };
}
