// Guarantees: what comes out of `parseAgentFrame` has exactly the fields of its kind, of the right types and sizes.
// Does not: know whether a request belongs to the running turn (turn-requests.ts), or bound the line's length (line-reader.ts).
// An attacker may control: every byte of the line.
import { isJsonObject, type JsonObject } from '../../../core/index.ts';
import type { EngineTurn } from '../../adapter.ts';

/** What we say to the agent. The agent's own words for the same: src/agent/frames.ts. */
export type FrameToAgent =
  | ({ readonly t: 'turn'; readonly turn: string } & Pick<
      EngineTurn,
      'capability' | 'model' | 'wire' | 'system' | 'history' | 'tools' | 'maxSteps'
    >)
  | { readonly t: 'abort'; readonly turn: string }
  | { readonly t: 'ping'; readonly n: number }
  | {
      readonly t: 'head';
      readonly req: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly t: 'body'; readonly req: number; readonly data: string }
  | { readonly t: 'end'; readonly req: number }
  | { readonly t: 'fail'; readonly req: number; readonly message: string };

export interface RequestFrame {
  readonly t: 'request';
  readonly turn: string;
  readonly req: number;
  readonly target: 'llm' | 'mcp';
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type AgentFrame =
  | { readonly t: 'ready' }
  | { readonly t: 'pong'; readonly n: number }
  | RequestFrame
  | { readonly t: 'cancel'; readonly req: number }
  | { readonly t: 'ack'; readonly req: number; readonly n: number }
  | { readonly t: 'done'; readonly turn: string; readonly outcome: AgentOutcome };

type AgentOutcome =
  | { readonly kind: 'finished' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

const METHOD = /^[A-Z]{3,7}$/;
const PATH = /^\/[\x21-\x7e]{0,1000}$/;
const CODE = /^[a-z][a-z0-9_]{0,63}$/;
const MOST_MESSAGE_CHARACTERS = 1000;
const MOST_HEADERS = 40;
const MOST_HEADER_CHARACTERS = 4096;

/** Undefined: nothing that an honest agent says. */
export function parseAgentFrame(line: string): AgentFrame | undefined {
  let frame: unknown;
  try {
    frame = JSON.parse(line);
  } catch {
    return undefined; // the caller ends the process
  }
  if (!isJsonObject(frame)) return undefined;
  switch (frame['t']) {
    case 'ready':
      return { t: 'ready' };
    case 'pong':
      return count(frame['n']) ? { t: 'pong', n: frame['n'] } : undefined;
    case 'request':
      return requestFrame(frame);
    case 'cancel':
      return count(frame['req']) ? { t: 'cancel', req: frame['req'] } : undefined;
    case 'ack':
      return count(frame['req']) && count(frame['n'])
        ? { t: 'ack', req: frame['req'], n: frame['n'] }
        : undefined;
    case 'done':
      return doneFrame(frame);
    default:
      return undefined;
  }
}

function requestFrame({
  turn,
  req,
  target,
  method,
  path,
  headers,
  body,
}: JsonObject): RequestFrame | undefined {
  if (typeof turn !== 'string' || !count(req) || typeof body !== 'string') return undefined;
  if (target !== 'llm' && target !== 'mcp') return undefined;
  if (typeof method !== 'string' || !METHOD.test(method)) return undefined;
  if (typeof path !== 'string' || !PATH.test(path) || path.startsWith('//')) return undefined;
  if (!isJsonObject(headers) || Object.keys(headers).length > MOST_HEADERS) return undefined;
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string' || value.length > MOST_HEADER_CHARACTERS) return undefined;
    checked[name] = value;
  }
  return { t: 'request', turn, req, target, method, path, headers: checked, body };
}

function doneFrame({ turn, outcome }: JsonObject): AgentFrame | undefined {
  if (typeof turn !== 'string' || !isJsonObject(outcome)) return undefined;
  const { kind, code, message } = outcome;
  if (kind === 'finished' || kind === 'stopped') return { t: 'done', turn, outcome: { kind } };
  if (kind !== 'failed' || typeof code !== 'string' || typeof message !== 'string') return undefined;
  return {
    t: 'done',
    turn,
    outcome: { kind, code: CODE.test(code) ? code : 'model_error', message: sentence(message) },
  };
}

/** A person will read it: one line of printable text, not too long. */
function sentence(text: string): string {
  return text
    .slice(0, MOST_MESSAGE_CHARACTERS)
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
}

function count(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
