import { errorText, type Log } from '../core/index.ts';
import type { Approvals, FinalEnd } from '../guard/approvals/index.ts';
import type { Gate } from '../guard/gate/index.ts';
import type { ApprovalRow } from '../host/storage/index.ts';

/** Calls that were decided after their turn had gone, as after a restart. They can be stopped like a turn. */
export interface Orphans {
  run(row: ApprovalRow, end: FinalEnd): void;
  /** How many it stopped. */
  stop(conversationId: string): number;
  stopAll(): number;
  /** Resolves when none of the conversation runs. */
  idle(conversationId: string): Promise<void>;
  /** Stops all for a shutdown; resolves when each has stored its end. */
  shutdown(): Promise<void>;
  count(): number;
}

interface Running {
  readonly conversationId: string;
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

export function createOrphans(deps: {
  readonly gate: Gate;
  readonly approvals: Approvals;
  readonly log: Log;
}): Orphans {
  const running = new Set<Running>();
  const of = (conversationId: string): Running[] =>
    [...running].filter((one) => one.conversationId === conversationId);
  const stopThese = (these: readonly Running[]): number => {
    for (const { controller } of these) controller.abort();
    return these.length;
  };

  const orphans: Orphans = {
    run(row, end) {
      const controller = new AbortController();
      const ended = deps.gate
        .runOrphan(row, end, controller.signal)
        .catch((error: unknown) =>
          deps.log.error('a decided call failed', { approval: row.id, problem: errorText(error) }),
        )
        .finally(() => running.delete(one));
      const one: Running = { conversationId: row.conversation_id ?? '', controller, ended };
      running.add(one);
    },
    stop: (conversationId) => stopThese(of(conversationId)),
    stopAll: () => stopThese([...running]),
    async idle(conversationId) {
      await Promise.all(of(conversationId).map(({ ended }) => ended));
    },
    async shutdown() {
      const ends = [...running].map(({ ended }) => ended);
      orphans.stopAll();
      await Promise.all(ends);
    },
    count: () => running.size,
  };
  deps.approvals.onOrphan(orphans.run);
  return orphans;
}
