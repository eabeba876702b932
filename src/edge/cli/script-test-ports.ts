import type {
  BrokerNotice,
  RequestRecord,
  ScriptGrant,
  ScriptSecrets,
  SendNow,
} from '../../guard/secrets/broker/index.ts';
import type { ExactJson } from '../../sandbox/wire/index.ts';

/** A script and a made-up world around it. */
export interface ScriptTestRequest {
  /** What errors call the file. */
  readonly name: string;
  readonly source: string;
  readonly entry: string | undefined;
  readonly args: readonly ExactJson[] | undefined;
  readonly kwargs: { readonly [name: string]: ExactJson } | undefined;
  readonly grant: ScriptGrant;
  readonly secrets: ScriptSecrets;
  /** Takes the place of the network. */
  readonly send: SendNow;
  /** Milliseconds since 1970; undefined: now. */
  readonly now: number | undefined;
}

/** A fence that this machine does not have, in words. */
export interface MissingFence {
  readonly event: 'fence_missing';
  readonly what: string;
}

/** Secrets stand in it as markers. The names are those of `script test --json`. */
export interface ScriptTestReport {
  readonly value: ExactJson;
  readonly error: { readonly code: string; readonly message: string; readonly line: number | null } | null;
  readonly logs: readonly string[];
  /** What was sent, hop by hop, and what was refused, in order. */
  readonly requests: readonly RequestRecord[];
  readonly notices: readonly (BrokerNotice | MissingFence)[];
  /** What a run may use, and what of it was used as far as that is counted. */
  readonly limits: {
    readonly most: Readonly<Record<string, number>>;
    readonly used: Readonly<Record<string, number | null>>;
  };
  readonly duration_ms: number;
}
