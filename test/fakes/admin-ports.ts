/** What other zones give the admin edge, played in memory. */
import { newId, type StoredEvent } from '../../src/core/index.ts';
import type { Conversation } from '../../src/edge/admin/api.ts';
import { notFound } from '../../src/edge/admin/error-answer.ts';
import type {
  Accepted,
  Actor,
  ConversationsPort,
  ModelsPort,
  UsagePort,
} from '../../src/edge/admin/ports.ts';
import type { ScriptsPort } from '../../src/edge/admin/script-port.ts';

const noScript = () => Promise.reject(notFound('script'));
/** There is none, and none can be made. */
export const fakeScripts: ScriptsPort = {
  list: async () => ({ scripts: [] }),
  get: noScript,
  create: noScript,
  update: noScript,
  remove: noScript,
  approve: noScript,
  reject: noScript,
  disable: noScript,
  enable: noScript,
  dismissOffer: noScript,
  runs: noScript,
  chart: noScript,
  test: noScript,
  history: noScript,
  version: noScript,
  diff: noScript,
  restore: noScript,
};

const NO_USAGE = { calls: 0, input_tokens: 0, output_tokens: 0, cost_usd: 0, unpriced_calls: 0 };
const AMOUNT = { tokens: 1_000, usd: 1 };
const BUDGETS = {
  limits: { turn: AMOUNT, conversation: AMOUNT, day: AMOUNT },
  defaults: { turn: AMOUNT, conversation: AMOUNT, day: AMOUNT },
  today: { spent: AMOUNT, left: AMOUNT, ends_at: '2026-03-02T00:00:00.000Z' },
  max_output_tokens: 100,
  fallback_price: { input_usd: 5, output_usd: 25 },
  prices_as_of: '2026-03',
};

export const fakeUsage: UsagePort = {
  usage: ({ from, to, by }) => ({ from, to, by, rows: [], totals: NO_USAGE }),
  budgets: () => BUDGETS,
  change: (limits) => ({ ...BUDGETS, limits }),
};

/** Conversations in memory that keep the promise of the port: stored events first, no gap, no repeat. */
export function fakeConversations() {
  const all = new Map<
    string,
    { view: Conversation; events: StoredEvent[]; listeners: Set<(event: StoredEvent) => void> }
  >();
  const sent: { id: string; content: string; actor: Actor }[] = [];
  const acts: string[] = [];
  const answers: { send: Accepted | Error } = { send: { ok: true } };
  const create = (title = 'New'): Conversation => {
    const id = newId('ses');
    const now = new Date().toISOString();
    const view: Conversation = {
      id,
      title,
      time: { created: now, updated: now },
      status: null,
      model: null,
      fallback: 'default',
    };
    all.set(id, { view, events: [], listeners: new Set() });
    return view;
  };
  const port: ConversationsPort = {
    create: (title) => create(title),
    list: () => [...all.values()].map(({ view }) => view),
    search: (query) => [...all.values()].map(({ view }) => view).filter(({ title }) => title.includes(query)),
    get: (id) => all.get(id)?.view,
    change: (id) => all.get(id)?.view,
    export: (id, format) =>
      all.has(id) ? { name: `${id}.${format}`, body: exported(all.get(id)?.view.title, acts) } : undefined,
    delete: (id) => all.delete(id),
    messages: (id) => (all.has(id) ? [] : undefined),
    tail: () => 0,
    earlier: (id) => (all.has(id) ? { events: [], from: 0 } : undefined),
    head(id) {
      const found = all.get(id);
      return found && { seq: found.events.at(-1)?.seq ?? 0, running: false };
    },
    send(id, content, actor) {
      if (answers.send instanceof Error) throw answers.send;
      sent.push({ id, content, actor });
      return answers.send;
    },
    edit(id, messageId, content) {
      acts.push(`edit ${id} ${messageId} ${content}`);
      return { ok: true };
    },
    retry(id) {
      acts.push(`retry ${id}`);
      return { ok: true };
    },
    continue(id) {
      acts.push(`continue ${id}`);
      return { ok: true };
    },
    abort(id) {
      acts.push(`abort ${id}`);
      return { ok: true };
    },
    subscribe(id, after, listener) {
      const found = all.get(id);
      if (!found) throw new Error('no such conversation');
      for (const event of found.events) if (event.seq > after) listener(event);
      found.listeners.add(listener);
      return () => found.listeners.delete(listener);
    },
  };
  return {
    port,
    sent,
    acts,
    answers,
    create,
    /** What the port promises not to do. */
    repeat(id: string, event: StoredEvent): void {
      for (const listener of all.get(id)?.listeners ?? []) listener(event);
    },
    listeners: (id: string) => all.get(id)?.listeners.size ?? 0,
    emit(id: string, content: string, partId = newId('part')): StoredEvent {
      const found = all.get(id);
      if (!found) throw new Error('no such conversation');
      const event: StoredEvent = {
        type: 'text',
        part_id: partId,
        content,
        seq: (found.events.at(-1)?.seq ?? 0) + 1,
        turn_id: null,
        at: new Date().toISOString(),
      };
      found.events.push(event);
      for (const listener of found.listeners) listener(event);
      return event;
    },
  };
}

export function fakeModels(): ModelsPort & { readonly changes: unknown[]; fail: unknown } {
  const changes: unknown[] = [];
  const made = {
    changes,
    fail: undefined as unknown,
    upstreams: () => [],
    change(name: string, change: unknown) {
      changes.push({ name, change });
      return { name } as never;
    },
    models() {
      if (made.fail !== undefined) throw made.fail;
      return { models: [], default: { provider: 'demo', model: 'demo' }, problems: {} } as never;
    },
    setDefault: (choice: never) => choice,
    setFallback: (choice: never) => choice,
    test: async () => ({ ok: true, message: 'fine', duration_ms: 1 }),
  };
  return made;
}

/** Of a conversation called `long`: more than a connection holds while nobody reads. */
async function* exported(title: string | undefined, acts: string[]): AsyncGenerator<string> {
  const pieces = title === 'long' ? 300 : 0;
  try {
    for (let i = 0; i < pieces; i += 1) yield 'x'.repeat(100_000);
    yield 'the end';
  } finally {
    acts.push(`export of ${title} over`);
  }
}
