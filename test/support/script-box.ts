/**
 * Scripts in this process, through the same port that their own process uses: each question becomes a line, the broker
 * answers it at once. Hosts are a table of functions.
 */
import { createScriptBroker, fixedSecrets, parseGrant } from '../../src/guard/secrets/broker/index.ts';
import type {
  BrokerNotice,
  OutgoingRequest,
  RequestRecord,
  ScriptBroker,
  SendResult,
  TrafficLimits,
} from '../../src/guard/secrets/broker/index.ts';
import {
  runScript,
  type Broker,
  type ScriptLimits,
  type ScriptOutcome,
} from '../../src/sandbox/script/index.ts';
import type { BrokerAnswer } from '../../src/sandbox/wire/index.ts';

export type Hosts = (request: OutgoingRequest) => SendResult;

export interface BoxOptions {
  readonly secrets: Readonly<Record<string, string>>;
  readonly grant: unknown;
  readonly hosts: Hosts;
  readonly traffic?: Partial<TrafficLimits>;
}

export interface Box {
  readonly broker: ScriptBroker;
  readonly port: Broker;
  readonly notices: BrokerNotice[];
  readonly records: RequestRecord[];
  /** What left, in the clear. */
  readonly sent: OutgoingRequest[];
}

export function openBox(options: BoxOptions): Box {
  const notices: BrokerNotice[] = [];
  const records: RequestRecord[] = [];
  const sent: OutgoingRequest[] = [];
  const broker = createScriptBroker({
    grant: parseGrant(options.grant),
    secrets: fixedSecrets(new Map(Object.entries(options.secrets))),
    watcher: { notice: (notice) => notices.push(notice), request: (record) => records.push(record) },
    remainingMs: () => 30_000,
    ...(options.traffic === undefined ? {} : { limits: options.traffic }),
  });
  const send = (request: OutgoingRequest): SendResult => {
    sent.push(request);
    return options.hosts(request);
  };
  const port: Broker = {
    ask: (question) => JSON.parse(broker.handleNow(JSON.stringify(question), send)) as BrokerAnswer,
  };
  return { broker, port, notices, records, sent };
}

export interface BoxRun extends Box {
  readonly outcome: ScriptOutcome;
  readonly slept: readonly number[];
}

export const NOW = Date.UTC(2026, 0, 31, 12, 34, 56);

export function runInBox(source: string, options: BoxOptions, limits?: Partial<ScriptLimits>): BoxRun {
  const box = openBox(options);
  const slept: number[] = [];
  const outcome = runScript(
    { name: 'script.star', source, now: NOW, limits },
    { broker: box.port, wait: (ms) => slept.push(ms) },
  );
  return { ...box, outcome, slept };
}

/** An answer of a host. */
export function reply(
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  status = 200,
): SendResult {
  return {
    status,
    headers: Object.entries(headers),
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
  };
}
