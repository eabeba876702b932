/** What the broker needs, and what it tells. See `create-broker.ts`. */
import type { RedactionStream } from '../../../core/index.ts';

/**
 * Public facts of a secret, fixed when it is stored. `token`: visible ASCII only. `text`: anything else; it stands in
 * bodies and encoded forms only. `url`: an https address whose path is the secret (a webhook); it begins a URL and
 * stands nowhere else.
 */
export type SecretClass = 'token' | 'text' | 'url';

export interface SecretFacts {
  readonly class: SecretClass;
  /** Of class `url`: `https://host[:port]`. */
  readonly origin?: string | undefined;
  /**
   * How hard it is to guess. `strong`: looked for in every answer. `fair`: looked for in answers to requests that
   * carry it (elsewhere that would tell a guesser whether he is right). `weak`: those answers are hidden as a whole.
   */
  readonly strength: SecretStrength;
}

export type SecretStrength = 'strong' | 'fair' | 'weak';

/** The secrets that scripts can be granted. */
export interface ScriptSecrets {
  /** Undefined when there is none, or its value is blank. */
  facts(name: string): SecretFacts | undefined;
  /** The value without white space at its ends; called only while a request is built or an answer is searched. */
  openValue(name: string): string | undefined;
  /** Values that were replaced or deleted and are still to be hidden, newest first. None when undefined. */
  formerValues?(name: string): readonly string[];
  /** Whether its settings let it go there at this moment, whatever a grant says. Yes when undefined. */
  mayReach?(name: string, origin: string): boolean;
  /** Hides all that is known, also what no grant of this script names: for texts of answers. None when undefined. */
  hideOthers?(): RedactionStream;
}

/** A request with secrets in the clear: for the wire only, never to be logged or kept. */
export interface OutgoingRequest {
  readonly method: string;
  /** One hop: redirects must not be followed. */
  readonly url: string;
  /** Names in lower case. Set by the broker: everything that is sent but Host and framing. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** UTF-8; absent when empty and the method is GET or DELETE. */
  readonly body: string | undefined;
  readonly timeoutMs: number;
  /** Bytes of the body after decompression; more is `too_large`. */
  readonly maxBytes: number;
  /** False when a secret in it was changed since. To be asked right before it is sent; then it is `outdated`. */
  readonly current: () => boolean;
  /** Names of the secrets that were filled in. */
  readonly secrets: readonly string[];
  /** The same request as people see it. */
  readonly shown: ShownRequest;
}

export interface ShownRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type SendFailure =
  /** The address may not be reached. */
  | 'address_refused'
  | 'dns_failed'
  /** No connection, or it broke. */
  | 'connection_failed'
  | 'tls_failed'
  | 'timeout'
  | 'too_large'
  /** What came back is not HTTP, or can't be decompressed. */
  | 'bad_response'
  /** Too many requests of this script to this host. */
  | 'rate_limited'
  /** It was not `current` any more when the connection stood. Nothing was sent. */
  | 'outdated';

export type SendResult =
  | {
      readonly status: number;
      /** In order of arrival, names in any case. Without `content-encoding` when the body was decompressed. */
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly body: Uint8Array;
    }
  | {
      readonly failed: SendFailure;
      /** Of an answer that was too large: where answers are hidden, their size is too. */
      readonly status?: number | undefined;
    };

/** The outside world. Texts of its errors must not get here: they quote URLs and headers. */
export type Send = (request: OutgoingRequest) => Promise<SendResult>;
/** For canned answers. */
export type SendNow = (request: OutgoingRequest) => SendResult;

/** For the audit log: names, never values. */
export type BrokerNotice =
  /** The script asked for a secret that its grant does not hold. */
  | { readonly event: 'secret_undeclared'; readonly name: string }
  /** Once for each name. */
  | { readonly event: 'secret_read'; readonly name: string }
  /** Once for each name and host. */
  | { readonly event: 'secret_sent'; readonly name: string; readonly host: string }
  | { readonly event: 'request_refused'; readonly code: string; readonly host: string | null }
  /** A fault of the program: the sender threw instead of saying what failed. */
  | { readonly event: 'send_fault'; readonly host: string }
  /** Answers of this host are hidden, because this secret could be guessed. */
  | { readonly event: 'answer_hidden'; readonly name: string; readonly host: string }
  /** An answer of this host held a secret that the script was not granted; the script got a marker. */
  | { readonly event: 'foreign_secret'; readonly name: string; readonly host: string }
  /** An answer held a secret that its request did not carry. The run was stopped. */
  | { readonly event: 'secret_leak'; readonly name: string; readonly host: string }
  /** The script's process said something that ours never says. The run was stopped. */
  | { readonly event: 'protocol_violation' }
  /** The script was refused so much that the rest of it is not told. */
  | { readonly event: 'notices_cut' };

/** One line of the list of requests: those that were sent, hop by hop, and those that were refused. */
export interface RequestRecord extends ShownRequest {
  readonly refused?: string | undefined;
}

export interface BrokerWatcher {
  notice(notice: BrokerNotice): void;
  request?(record: RequestRecord): void;
}
