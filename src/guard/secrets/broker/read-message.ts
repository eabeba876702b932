// Guarantees: what comes out is exactly of the protocol's shape and within its limits; everything else is undefined,
// whatever it is. No member is read that was not checked to be an own one of a plain value.
// Does not: say whether a request is allowed.
// An attacker may control: every character (a script's process that was taken over writes what it likes).
import {
  MESSAGE_LIMITS,
  METHODS,
  nominalBytes,
  REFERENCE,
  ROPE_LIMITS,
  type BrokerRequest,
  type WireFunction,
  type WireNode,
  type WireRope,
} from '../../../sandbox/wire/index.ts';

const FUNCTIONS: ReadonlySet<unknown> = new Set<WireFunction>(['b64', 'b64url', 'sha256', 'url', 'json']);

/** A question of the protocol, or undefined. */
export function readMessage(line: string): BrokerRequest | undefined {
  if (line.length > MESSAGE_LIMITS.question) return undefined;
  let data: unknown;
  try {
    data = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined;
  const message = new Map<string, unknown>(Object.entries(data));
  switch (message.get('op')) {
    case 'list':
      return message.size === 1 ? { op: 'list' } : undefined;
    case 'get':
    case 'has': {
      const name = message.get('name');
      if (message.size !== 2 || typeof name !== 'string' || name.length > MESSAGE_LIMITS.name)
        return undefined;
      return { op: message.get('op') as 'get' | 'has', name };
    }
    case 'http':
      return message.size === 5 ? readHttp(message) : undefined;
    default:
      return undefined;
  }
}

function readHttp(message: ReadonlyMap<string, unknown>): BrokerRequest | undefined {
  const budget: Budget = { nodes: 3 * ROPE_LIMITS.nodes, units: MESSAGE_LIMITS.units };
  const method = METHODS.find((known) => known === message.get('method'));
  const url = readRope(message.get('url'), 0, budget);
  const body = readRope(message.get('body'), 0, budget);
  const given = message.get('headers');
  if (method === undefined || url === undefined || body === undefined) return undefined;
  if (!Array.isArray(given) || given.length > MESSAGE_LIMITS.headers) return undefined;
  const headers: [string, WireRope][] = [];
  let headerBytes = 0;
  for (const entry of given as unknown[]) {
    if (!Array.isArray(entry) || entry.length !== 2) return undefined;
    const [name, value] = entry as unknown[];
    if (typeof name !== 'string' || name.length > MESSAGE_LIMITS.headerName) return undefined;
    const rope = readRope(value, 0, budget);
    if (rope === undefined) return undefined;
    headerBytes += name.length + nominalBytes(rope);
    headers.push([name, rope]);
  }
  const fits =
    headerBytes <= MESSAGE_LIMITS.headerBytes &&
    nominalBytes(url) <= MESSAGE_LIMITS.url &&
    nominalBytes(body) <= MESSAGE_LIMITS.body;
  return fits ? { op: 'http', method, url, headers, body } : undefined;
}

interface Budget {
  nodes: number;
  units: number;
}

function readRope(data: unknown, depth: number, budget: Budget): WireRope | undefined {
  if (!Array.isArray(data) || data.length > ROPE_LIMITS.nodes || depth > ROPE_LIMITS.depth) return undefined;
  const rope: WireNode[] = [];
  for (const item of data as unknown[]) {
    const node = readNode(item, depth, budget);
    if (node === undefined) return undefined;
    // Neighbours become one text: what a text means in a URL must not depend on how it was cut.
    const last = rope.at(-1);
    if (typeof node === 'string' && typeof last === 'string') rope[rope.length - 1] = last + node;
    else if (node !== '') rope.push(node);
  }
  return rope;
}

function readNode(data: unknown, depth: number, budget: Budget): WireNode | undefined {
  budget.nodes -= 1;
  if (budget.nodes < 0) return undefined;
  if (typeof data === 'string') {
    budget.units -= data.length;
    return budget.units >= 0 && data.isWellFormed() ? data : undefined;
  }
  if (!Array.isArray(data)) return undefined;
  const [kind, first, second] = data as unknown[];
  if (kind === 'ref') {
    if (data.length !== 2 || typeof first !== 'string' || !REFERENCE.test(first)) return undefined;
    return ['ref', first];
  }
  const inner = readRope(first, depth + 1, budget);
  if (inner === undefined) return undefined;
  if (kind === 'hmac') {
    const message = data.length === 3 ? readRope(second, depth + 1, budget) : undefined;
    return message === undefined ? undefined : ['hmac', inner, message];
  }
  return data.length === 2 && FUNCTIONS.has(kind) ? [kind as WireFunction, inner] : undefined;
}
