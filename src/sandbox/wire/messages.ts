/**
 * What a script's process and the broker say to each other: one JSON text a line, a question, then its answer. The
 * process waits for each answer. It sends nothing else, and nothing is ever sent to it that was not asked for.
 */
import type { WireRope } from './rope.ts';

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** From the script's process. */
export type BrokerRequest =
  /** Is there a secret of this name for this script? */
  | { readonly op: 'get' | 'has'; readonly name: string }
  /** The names that the grant holds. */
  | { readonly op: 'list' }
  | {
      readonly op: 'http';
      /** One of METHODS. */
      readonly method: string;
      readonly url: WireRope;
      readonly headers: readonly (readonly [name: string, value: WireRope])[];
      readonly body: WireRope;
    };

/** To the script's process. */
export type BrokerAnswer =
  | { readonly found: boolean }
  | { readonly names: readonly string[] }
  | { readonly response: BrokerResponse }
  | { readonly refused: Refusal };

export interface BrokerResponse {
  readonly status: number;
  /** Names in lower case, each once. */
  readonly headers: readonly (readonly [name: string, value: WireRope])[];
  readonly body: WireRope;
}

export interface Refusal {
  /** One of the codes in docs/starlark.md. */
  readonly code: string;
  /** For the author. Never holds more than names, hosts and limits. */
  readonly message: string;
}

export const MESSAGE_LIMITS = {
  /** Characters of a line from the script's process. A longer one ends the run. */
  question: 8 * 1024 * 1024,
  /** Characters of an answer: 10 MiB of body, each character escaped. */
  answer: 64 * 1024 * 1024,
  /** Characters of a secret's name in a question. */
  name: 256,
  headers: 64,
  headerName: 128,
  /** Nominal bytes. A reference counts 4,096; three times that inside `url`. */
  url: 64 * 1024,
  headerBytes: 64 * 1024,
  body: 1024 * 1024,
  /** Characters of all public text of a request, that inside functions included. */
  units: 1024 * 1024 + 256 * 1024,
} as const;
