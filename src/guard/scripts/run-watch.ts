/**
 * What one run did: its requests with host, method, status, bytes and the names of secrets, and what it was refused. Names
 * only; of a request nothing else is kept. What is refused for want of a grant becomes an offer to the owner.
 */
import { AppError, type Origin, type Principal } from '../../core/index.ts';
import type { ScriptOfferRow } from '../../host/storage/script-store.ts';
import type { ScriptRunRow } from '../../host/storage/script-run-store.ts';
import type { Audit } from '../audit/index.ts';
import type { BrokerNotice, BrokerWatcher, OutgoingRequest, RequestRecord } from '../secrets/broker/index.ts';
import type { RunPowers } from './ports.ts';

export interface RunRequest {
  readonly method: string;
  readonly host: string;
  readonly status: number | null;
  /** Of the answer; null when there was none. */
  readonly bytes: number | null;
  readonly secrets: readonly string[];
  readonly refused?: string;
}

/** Refused requests that are kept. Those that were sent are all kept; the broker bounds their number. */
const MOST_REFUSED = 50;
const SECRET = /^[A-Z][A-Z0-9_]{0,63}$/;

export function createRunWatch(facts: {
  readonly run: ScriptRunRow;
  readonly by: Principal;
  readonly origin: Origin;
  readonly declared: ReadonlySet<string>;
  readonly audit: Audit;
  readonly offer: (kind: ScriptOfferRow['kind'], what: string) => void;
  /** The use of a secret could not be written down: nothing may be sent any more. */
  readonly unrecorded: () => void;
}): {
  readonly watcher: BrokerWatcher;
  sending(send: RunPowers['send']): RunPowers['send'];
  requests(): readonly RunRequest[];
  secrets(): readonly string[];
  /** Bytes of answers as the quotas count them: one that was too large counts as much as it was allowed to be. */
  bytes(): number;
} {
  const { run, audit, declared } = facts;
  const requests: RunRequest[] = [];
  const used = new Set<string>();
  let refused = 0;
  let bytes = 0;
  const entry = {
    principal: facts.by,
    origin: facts.origin,
    target: run.name === '' ? run.hash : run.name,
  } as const;

  function note(
    event: string,
    outcome: 'ok' | 'refused' | 'failed',
    details: Record<string, string | null>,
  ): void {
    audit.note({ ...entry, event, outcome, details: { run: run.id, ...details } });
  }

  /** Before it is sent; a secret whose use can't be written down is not used. */
  function recordUse(secret: string, host: string | null): void {
    used.add(secret);
    try {
      audit.append({
        ...entry,
        event: 'script.secret_used',
        outcome: 'ok',
        details: { run: run.id, secret, host },
      });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      facts.unrecorded();
    }
  }

  /** Names whose markers stand in the request as people see it. */
  function markers({ url, headers, body }: Pick<RequestRecord, 'url' | 'headers' | 'body'>): string[] {
    const shown = [url, ...Object.values(headers), body].join(' ');
    const names = [...shown.matchAll(/\[REDACTED:([A-Z][A-Z0-9_]*)\]/g)].map(([, name]) => name ?? '');
    return [...new Set(names)].filter((name) => declared.has(name)).toSorted();
  }

  function hostOf(url: string): string {
    return /^https?:\/\/([^/?#]+)/i.exec(url)?.[1]?.slice(0, 260) ?? '';
  }

  function heard(notice: BrokerNotice): void {
    switch (notice.event) {
      case 'secret_undeclared':
        note('script.secret_refused', 'refused', { secret: notice.name });
        // What is no name of a secret can't be granted.
        if (run.name !== '' && SECRET.test(notice.name)) facts.offer('secret', notice.name);
        return;
      case 'secret_read':
        return recordUse(notice.name, null);
      case 'secret_sent':
        return recordUse(notice.name, notice.host);
      case 'request_refused':
        note('script.request_refused', 'refused', { code: notice.code, host: notice.host });
        if (run.name !== '' && notice.code === 'host_not_granted' && notice.host !== null)
          facts.offer('host', notice.host);
        return;
      case 'answer_hidden':
      case 'foreign_secret':
      case 'secret_leak':
        return note(`script.${notice.event}`, 'failed', { secret: notice.name, host: notice.host });
      case 'send_fault':
        return note('script.send_fault', 'failed', { host: notice.host });
      case 'protocol_violation':
      case 'notices_cut':
        return note(`script.${notice.event}`, 'failed', {});
    }
  }

  return {
    watcher: {
      notice: heard,
      request(record) {
        // Those that are sent are counted where they are sent.
        if (record.refused === undefined || refused >= MOST_REFUSED) return;
        refused += 1;
        if (run.name !== '' && record.refused === 'method_not_granted') facts.offer('method', record.method);
        requests.push({
          method: record.method,
          host: hostOf(record.url),
          status: null,
          bytes: null,
          secrets: markers(record),
          refused: record.refused,
        });
      },
    },
    sending: (send) => async (request: OutgoingRequest, signal) => {
      const result = await send(request, signal);
      bytes +=
        'body' in result ? result.body.byteLength : result.failed === 'too_large' ? request.maxBytes : 0;
      requests.push({
        method: request.method,
        host: hostOf(request.shown.url),
        status: result.status ?? null,
        bytes: 'body' in result ? result.body.byteLength : null,
        secrets: markers(request.shown),
      });
      return result;
    },
    requests: () => requests,
    secrets: () => [...used].toSorted(),
    bytes: () => bytes,
  };
}
