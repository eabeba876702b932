// Guarantees: tools and scripts are one list in the order of time, page by page without a gap and without a repeat; one row
// that can't be worked out does not take the others away. Reading never waits for the folder of scripts.
// An attacker may control: every text that is shown, how many rows there are.
import { AppError, isoTime } from '../core/index.ts';
import type { InboxItem, InboxList, ScriptRequest, WaitingAnswer } from '../edge/admin/inbox-api.ts';
import type { Approval } from '../edge/admin/api.ts';
import type { InboxQuery } from '../edge/admin/ports.ts';
import type { Approvals } from '../guard/approvals/index.ts';
import { powerOf } from '../guard/scripts/index.ts';
import type { ApprovalRow } from '../host/storage/index.ts';
import type { InboxFilter, InboxPage, InboxPlace, InboxStore } from '../host/storage/inbox-store.ts';
import type { ScriptVersionRow } from '../host/storage/script-store.ts';
import type { Scripts } from './scripts.ts';

export interface InboxDeps {
  readonly approvals: Approvals;
  readonly scripts: Pick<Scripts, 'library' | 'store'>;
  readonly store: InboxStore;
  readonly toolView: (row: ApprovalRow) => Approval;
  /** Null where there is no such conversation any more. */
  readonly titleOf: (conversation: string) => string | null;
  /** Looks at the folder of scripts; not waited for. */
  readonly look: () => void;
}

export interface Inbox {
  list(query: InboxQuery): InboxList;
  waiting(): WaitingAnswer;
}

const MOST_IDS = 2_000;
/** Lines of new power that a list shows. */
const MOST_FRESH = 12;

export function createInbox(deps: InboxDeps): Inbox {
  const { approvals, store, look } = deps;
  const { library } = deps.scripts;
  const counts = () => ({ tools: approvals.countPending(), scripts: store.countWaitingScripts() });

  function scriptView(row: ScriptVersionRow): ScriptRequest {
    const conversation = row.author.startsWith('assistant:') ? row.author.slice('assistant:'.length) : null;
    const script = deps.scripts.store.get(row.name);
    const now = row.ended_how === null ? waitingFacts(row) : undefined;
    return {
      id: `scv_${row.id}`,
      kind: 'script',
      status: row.ended_how === null || row.ended_how === 'kept' ? 'pending' : row.ended_how,
      name: row.name,
      hash: row.hash,
      author: row.author,
      how: row.how,
      message: row.message,
      conversation_id: conversation,
      conversation_title: conversation === null ? null : deps.titleOf(conversation),
      created_at: isoTime(row.created_at),
      decided_at: row.ended_at === null ? null : isoTime(row.ended_at),
      decided_by: row.ended_by,
      reason: row.reason,
      replaced_by: row.ended_how === 'superseded' ? store.replacedBy(row.name, row.id) : null,
      script_status: now?.status ?? (script === undefined ? null : statusOf(script, row)),
      file: now?.file ?? null,
      approved_hash: script === undefined || script.approved === row.hash ? null : script.approved,
      power: now?.power ?? null,
      problem: now?.problem ?? null,
    };
  }

  function waitingFacts(row: ScriptVersionRow) {
    try {
      const state = library.require(row.name);
      const facts = library.facts(row.hash);
      const { summary, lines, warnings } = powerOf(facts.proposed, state.approved?.granted.view, facts);
      // What it asks for can't be read off.
      if (facts.analysis.problems.length > 0)
        return { status: state.status, file: state.onDisk, power: null, problem: summary };
      const fresh = lines.filter((line) => line.fresh).map(({ text }) => text);
      return {
        status: state.status,
        file: state.onDisk,
        power: {
          summary,
          fresh: fresh.slice(0, MOST_FRESH),
          fresh_count: fresh.length,
          warnings: warnings.length,
          description: facts.header.description,
        },
        problem: null,
      };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { status: undefined, file: undefined, power: null, problem: error.message };
    }
  }

  return {
    list(query) {
      const { kind, status } = query;
      if (kind !== 'tool' && (status === undefined || status === 'waiting' || status === 'pending')) look();
      const filter: InboxFilter = {
        ...query,
        status: status === 'pending' ? 'waiting' : status,
        newestFirst: status !== 'waiting',
        words: (query.q ?? '').split(/\s+/u).filter(Boolean),
        script: query.script?.replace(/\.star$/, ''),
        after: query.cursor === undefined ? undefined : placeOf(query.cursor),
      };
      const none = { rows: [], edge: null };
      const { items, next } = together(
        kind === 'script' ? none : store.tools(filter),
        kind === 'tool' ? none : store.scripts(filter),
        { oldestFirst: status === 'waiting', limit: query.limit },
      );
      const last = items.at(-1);
      const waits = filter.status === 'waiting';
      const waiting = counts();
      return {
        approvals: items.flatMap((item): InboxItem[] => {
          if (item.kind === 'script') return [scriptView(item.row)];
          const row = approvals.asItIs(item.row);
          // Decided already, though the disk does not know it yet.
          return waits && row.status !== 'pending' ? [] : [deps.toolView(row)];
        }),
        pending: waiting.tools,
        waiting,
        next: next === null ? null : cursorOf(next),
        last: last === undefined ? null : cursorOf(last.place),
      };
    },

    waiting() {
      look();
      const decided: InboxFilter = { status: 'decided', newestFirst: true, words: [], limit: 1 };
      const { items } = together(store.tools(decided), store.scripts(decided), {
        oldestFirst: false,
        limit: 1,
      });
      const [last] = items;
      return {
        tools: store.waitingTools(MOST_IDS).filter((id) => approvals.get(id)?.status === 'pending'),
        scripts: store.waitingScripts(MOST_IDS).map((id) => `scv_${id}`),
        waiting: counts(),
        last_ended: last === undefined ? null : last.kind === 'tool' ? last.row.id : `scv_${last.row.id}`,
      };
    },
  };
}

function statusOf(
  script: { readonly disabled_at: number | null; readonly approved: string | null; readonly version: number },
  row: ScriptVersionRow,
): ScriptRequest['script_status'] {
  if (script.disabled_at !== null) return 'disabled';
  if (script.approved !== null) return 'approved';
  return script.version === row.id && row.decision === 'rejected' ? 'rejected' : 'pending';
}

type Item =
  | { readonly kind: 'tool'; readonly row: ApprovalRow; readonly place: InboxPlace }
  | { readonly kind: 'script'; readonly row: ScriptVersionRow; readonly place: InboxPlace };

/** Two pages as one. What lies behind the edge of the other is left for the next page. */
function together(
  tools: InboxPage<ApprovalRow>,
  scripts: InboxPage<ScriptVersionRow>,
  { oldestFirst, limit }: { readonly oldestFirst: boolean; readonly limit: number },
): { readonly items: readonly Item[]; readonly next: InboxPlace | null } {
  const order = (a: InboxPlace, b: InboxPlace): number => (oldestFirst ? 1 : -1) * compare(a, b);
  const all: Item[] = [
    ...tools.rows.map((row): Item => ({
      kind: 'tool',
      row,
      place: { at: row.at, kind: 'tool', id: row.id },
    })),
    ...scripts.rows.map((row): Item => ({
      kind: 'script',
      row,
      place: { at: row.at, kind: 'script', id: row.id },
    })),
  ].toSorted((a, b) => order(a.place, b.place));
  const [edge] = [tools.edge, scripts.edge]
    .filter((each): each is InboxPlace => each !== null)
    .toSorted(order);
  const known = edge === undefined ? all : all.filter(({ place }) => order(place, edge) <= 0);
  const items = known.slice(0, limit);
  const last = items.at(-1);
  if (items.length < known.length && last) return { items, next: last.place };
  return { items, next: edge ?? null };
}

function compare(a: InboxPlace, b: InboxPlace): number {
  if (a.at !== b.at) return a.at - b.at;
  if (a.kind !== b.kind) return a.kind === 'tool' ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function cursorOf({ at, kind, id }: InboxPlace): string {
  return `${at}${kind === 'tool' ? 't' : 's'}-${id}`;
}

function placeOf(cursor: string): InboxPlace {
  const [, at = '0', kind, id = ''] = /^(\d+)([ts])-(.+)$/.exec(cursor) ?? [];
  return kind === 's'
    ? { at: Number(at), kind: 'script', id: Number(id) }
    : { at: Number(at), kind: 'tool', id };
}
