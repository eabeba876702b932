import type { AuditFilter } from '../../host/storage/audit-filter.ts';
import type { AuditRow, AuditStore } from '../../host/storage/index.ts';

/**
 * The newest rows that a filter shows, newest first, for who waits for all of them at once. A bounded number is looked at
 * at a time, and others run between: a filter that finds nothing in a long log holds nobody up. Ends early, without an
 * error and with what it has, when `signal` says so.
 */
export async function newestRows(
  store: Pick<AuditStore, 'page'>,
  { limit, ...filter }: AuditFilter & { readonly limit: number },
  signal?: AbortSignal,
): Promise<readonly AuditRow[]> {
  const found: AuditRow[] = [];
  let start: number | undefined;
  for (;;) {
    const { rows, edge, end } = store.page(
      { ...filter, direction: 'older', start, limit: limit - found.length },
      () => true,
    );
    found.push(...rows);
    if (end || found.length >= limit) return found;
    start = edge;
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted === true) return found;
  }
}
