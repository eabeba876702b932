import { AppError, isoTime, principalText, type Clock, type Json } from '../core/index.ts';
import type { AuditChain, AuditEntryView, AuditFilterQuery } from '../edge/admin/api.ts';
import type { AuditPort } from '../edge/admin/ports.ts';
import {
  detailsOf,
  exportAudit,
  type Audit,
  type ChainStatus,
  type ChainWatch,
} from '../guard/audit/index.ts';
import type { AuditFilter } from '../host/storage/audit-filter.ts';
import type { AuditRow, AuditStore } from '../host/storage/index.ts';

/** Milliseconds after which a search of the log answers with what it has. */
const LOOK_MS = 50;
const EXPORTS_AT_ONCE = 2;

export interface AuditPortDeps {
  readonly audit: Audit;
  readonly store: AuditStore;
  readonly watch: ChainWatch;
  readonly clock: Clock;
  /** Ends exports that run. */
  readonly signal: AbortSignal;
}

export function auditPort({ audit, store, watch, clock, signal }: AuditPortDeps): AuditPort {
  let exporting = 0;

  async function* counted(body: AsyncIterable<string>): AsyncGenerator<string> {
    exporting += 1;
    try {
      yield* body;
    } finally {
      exporting -= 1;
    }
  }

  return {
    list({ before, after, limit, ...query }) {
      const began = clock.monotonic();
      const newer = after !== undefined;
      const { rows, ...page } = store.page(
        {
          ...filterOf(query),
          direction: newer ? 'newer' : 'older',
          start: newer ? after : before,
          limit,
        },
        () => clock.monotonic() - began > LOOK_MS,
      );
      const { edge } = page;
      const at = rows.find((row) => row.seq === edge) ?? store.list({ after: edge - 1, limit: 1 })[0];
      return { ...page, entries: rows.map(auditView), edge_at: at ? isoTime(at.at) : null };
    },
    export({ format, ...query }, actor) {
      if (exporting >= EXPORTS_AT_ONCE) {
        throw new AppError({
          family: 'conflict',
          code: 'export_running',
          message: 'Other exports of the log are still running.',
          fix: 'Wait until they have ended.',
        });
      }
      const filters = Object.fromEntries(
        Object.entries(query).filter(([, value]) => value !== undefined),
      ) as Record<string, Json>;
      const now = clock.now();
      // The row itself is the first that is not in the file.
      const seq = audit.append({
        event: 'audit.exported',
        principal: actor.principal,
        origin: 'page',
        target: 'audit',
        outcome: 'ok',
        details: { format, ...(Object.keys(filters).length === 0 ? {} : { filters }) },
      });
      return {
        name: `openpact-audit-${isoTime(now).replaceAll(/[:.]/g, '-')}.${format}`,
        body: counted(exportAudit(store, filterOf(query), { format, through: seq - 1, signal })),
      };
    },
    chain: () => chainView(watch.status()),
    verify: (actor) => chainView(watch.check(actor.principal)),
  };
}

function filterOf({ from, to, q, ...rest }: AuditFilterQuery): AuditFilter {
  return {
    ...rest,
    ...(from === undefined ? {} : { from: Date.parse(from) }),
    ...(to === undefined ? {} : { to: Date.parse(to) }),
    ...(q === undefined ? {} : { text: q }),
  };
}

function chainView({ head, running, last }: ChainStatus): AuditChain {
  return {
    head: { ...head, at: head.at === null ? null : isoTime(head.at) },
    running:
      running === null
        ? null
        : { started_at: isoTime(running.startedAt), rows: running.rows, of: running.of },
    last:
      last === null
        ? null
        : {
            at: isoTime(last.endedAt),
            duration_ms: last.endedAt - last.startedAt,
            by: last.by === null ? null : principalText(last.by),
            ok: last.verdict.ok,
            rows: last.verdict.rows,
            problem: last.verdict.ok ? null : last.verdict.problem,
            seq: last.verdict.ok ? null : last.verdict.seq,
          },
  };
}

export function auditView(row: AuditRow): AuditEntryView {
  return {
    seq: row.seq,
    at: isoTime(row.at),
    event: row.event,
    actor: row.actor,
    origin: row.origin,
    target: row.target,
    outcome: row.outcome,
    details: detailsOf(row),
    hash: row.hash,
  };
}
