/** An inbox over real approvals and scripts, made anew for each test, on a clock that stands until it is moved. */
import { afterEach, beforeEach } from 'vitest';
import type { InboxItem, InboxList, ScriptRequest } from '../edge/admin/inbox-api.ts';
import type { Approval } from '../edge/admin/api.ts';
import type { InboxQuery } from '../edge/admin/ports.ts';
import { createApprovals, type Approvals } from '../guard/approvals/index.ts';
import { createApprovalStore } from '../host/storage/index.ts';
import { createInboxStore } from '../host/storage/inbox-store.ts';
import { silentLog, type Clock, type Json } from '../core/index.ts';
import { openScriptBench, MODEL, type ScriptBench } from '../../test/support/script-bench.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { createFolderLook } from './script-folder.ts';

export const HOUR = 3_600_000;
export const textOf = (n: number): string => `# @description: Number ${n}\nresult = ${n}\n`;

export const names = (items: readonly InboxItem[]): string[] =>
  items.map((item) => (item.kind === 'script' ? `${item.name} ${item.status}` : `${item.id} ${item.status}`));
export const scriptsOf = (items: readonly InboxItem[]): ScriptRequest[] =>
  items.filter((item) => item.kind === 'script');

export interface InboxStage {
  now: number;
  /** Calls that were asked for so far. */
  asked: number;
  bench: ScriptBench;
  approvals: Approvals;
  inbox: Inbox;
  ask(tool?: string, args?: Json, conversation?: string): ReturnType<Approvals['request']>;
  save(name: string, n: number): Promise<void>;
  list(query?: Partial<InboxQuery>): InboxList;
  /** All pages. */
  everything(query: Partial<InboxQuery>): InboxItem[];
}

export function inboxStage(): InboxStage {
  const stage = {
    ask(tool = 'workspace_write', args: Json = { path: `f${stage.asked}.md` }, conversation = 'cnv_1') {
      stage.now += 1;
      stage.asked += 1;
      return stage.approvals.request({
        kind: 'tool',
        conversationId: conversation,
        call: { turn_id: 'trn_1', step: 0, idx: stage.asked },
        tool,
        arguments: args,
        summary: `Write file number ${stage.asked}`,
        why: 'because',
        principal: MODEL,
      });
    },
    async save(name, n) {
      stage.now += 1;
      await stage.bench.save(name, textOf(n));
    },
    list: (query = {}) => stage.inbox.list({ kind: 'all', limit: 100, ...query }),
    everything(query) {
      const found: InboxItem[] = [];
      let cursor: string | undefined;
      for (let i = 0; i < 1_000; i += 1) {
        const { approvals: items, next } = stage.list({ ...query, cursor });
        found.push(...items);
        if (next === null) return found;
        cursor = next;
      }
      throw new Error('the pages have no end');
    },
  } as InboxStage;
  beforeEach(() => {
    stage.now = 1_800_000_000_000;
    stage.asked = 0;
    const clock: Clock = { now: () => stage.now, monotonic: () => stage.now };
    const bench = openScriptBench({ clock });
    stage.bench = bench;
    stage.approvals = createApprovals({
      store: createApprovalStore(bench.database),
      database: bench.database,
      audit: bench.audit,
      redactor: bench.redactor,
      clock,
      log: silentLog,
      expireAfterMs: HOUR,
    });
    stage.inbox = createInbox({
      approvals: stage.approvals,
      scripts: bench,
      store: createInboxStore(bench.database),
      toolView: (row) => ({ ...row }) as unknown as Approval,
      titleOf: (id) => `title of ${id}`,
      look: createFolderLook(bench.library, silentLog),
    });
  });
  afterEach(() => stage.bench.close());
  return stage;
}
