/** A broker whose answers the test gives, and everything that it said and sent. */
import { createScriptBroker } from './create-broker.ts';
import { parseGrant } from './grant.ts';
import type { BrokerNotice, OutgoingRequest, RequestRecord, ScriptSecrets, SendResult } from './ports.ts';
import { fixedSecrets } from './script-secrets.ts';

export const VALUES = {
  TOKEN: 'tk_8f2k39xQ7aLmP0zR',
  OTHER: 'ot_Zz91mQpL5vBn3XcY',
  TEXT: 'zwölf Bäume_7kQ2xW9!',
  HOOK: 'https://hooks.test/services/T0/B0/q8Wz3nYx5LmK2vRp',
  PIN: 'hunter2',
  FAIR: 'wk-0123456789abcdef',
  SPECIAL: 'a/b?c&d=e#f%2z"Q9x\\y',
} as const;

export const GRANT = {
  secrets: {
    TOKEN: ['api.test'],
    OTHER: ['other.test'],
    TEXT: ['api.test'],
    HOOK: ['hooks.test'],
    PIN: ['weak.test'],
    FAIR: ['fair.test'],
    SPECIAL: ['api.test'],
    MISSING: ['api.test'],
  },
  hosts: ['public.test', 'api.test:8080'],
  methods: ['GET', 'POST', 'PUT'],
};

export type Node = string | readonly unknown[];

export interface Ask {
  readonly method?: string;
  readonly url: readonly Node[];
  readonly headers?: readonly (readonly [string, readonly Node[]])[];
  readonly body?: readonly Node[];
}

/** What the broker said; a test looks at the member that it expects. */
interface Said {
  readonly found: boolean;
  readonly names: readonly string[];
  readonly refused: { readonly code: string; readonly message: string };
  readonly response: {
    readonly status: number;
    readonly headers: readonly unknown[];
    readonly body: readonly (string | readonly [string, string])[];
  };
}

export function reply(
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  status = 200,
): SendResult {
  return {
    status,
    headers: Object.entries(headers),
    body: typeof body === 'string' ? Buffer.from(body) : body,
  };
}

export function open(
  answer: (request: OutgoingRequest) => SendResult = () => reply('ok'),
  grant: unknown = GRANT,
  values: Record<string, string> = VALUES,
  limits = {},
  hideOthers?: ScriptSecrets['hideOthers'],
) {
  const notices: BrokerNotice[] = [];
  const records: RequestRecord[] = [];
  const sent: OutgoingRequest[] = [];
  const broker = createScriptBroker({
    grant: parseGrant(grant),
    secrets: {
      ...fixedSecrets(new Map(Object.entries(values))),
      ...(hideOthers === undefined ? {} : { hideOthers }),
    },
    watcher: { notice: (notice) => notices.push(notice), request: (record) => records.push(record) },
    remainingMs: () => 12_000,
    limits,
  });
  const raw = (line: string): Said =>
    JSON.parse(
      broker.handleNow(line, (request) => {
        sent.push(request);
        return answer(request);
      }),
    ) as Said;
  const ask = ({ method = 'GET', url, headers = [], body = [] }: Ask): Said =>
    raw(JSON.stringify({ op: 'http', method, url, headers, body }));
  return { ask, raw, notices, records, sent, broker };
}

export const T = ['ref', 'TOKEN'] as const;
export const API = 'https://api.test/';
