import type { ChatServerEvent, Json, StoredEvent, ToolOutcomeKind, TurnStatus } from '../api/types.ts';

/**
 * A conversation as the page shows it, built from its events alone. `applyEvent` is pure: the same events in the same
 * order give the same transcript, whether they came in one replay or over three connections.
 */
export interface Transcript {
  readonly items: readonly Item[];
  readonly turns: ReadonlyMap<string, Turn>;
  /** Turns without their end: something runs while there is one. */
  readonly open: ReadonlySet<string>;
  /** Events up to here were not asked for yet; 0: the conversation is whole. */
  readonly from: number;
  /** Events about something that lies before `from`. */
  readonly unplaced: readonly StoredEvent[];
  /** The seq of the newest event that was applied: from here a new connection resumes. */
  readonly seq: number;
  /** Seqs up to here are a replay. */
  readonly replayTo: number;
  /** Turns that came of a message that was edited: to be seen, not told to the model any more. */
  readonly replaced: ReadonlySet<string>;
  /** The message that can still be edited. */
  readonly lastMessage: { readonly id: string; readonly turnId: string } | null;
}

export type Item =
  | UserItem
  | TextItem
  | ThinkingItem
  | ToolItem
  | ErrorItem
  | StoppedItem
  | TrimmedItem
  | SwitchedItem;

interface Placed {
  readonly key: string;
  readonly turnId: string | null;
  readonly at: string;
}
export interface UserItem extends Placed {
  readonly kind: 'user';
  readonly messageId: string;
  readonly content: string;
}
/** From here on earlier messages were left out of what the model gets. */
export interface TrimmedItem extends Placed {
  readonly kind: 'trimmed';
  readonly leftOut: number;
}
/** The model could not be had; from here on another one answers. */
export interface SwitchedItem extends Placed {
  readonly kind: 'switched';
  readonly from: string;
  readonly to: string;
  readonly code: string;
  readonly content: string;
}
export interface TextItem extends Placed {
  readonly kind: 'text';
  readonly content: string;
}
export interface ThinkingItem extends Placed {
  readonly kind: 'thinking';
  readonly content: string;
}
export interface ToolItem extends Placed {
  readonly kind: 'tool';
  readonly id: string;
  readonly name: string;
  readonly arguments: Json;
  readonly result: ToolEnd | null;
  readonly ask: Ask | null;
}
export interface ErrorItem extends Placed {
  readonly kind: 'error';
  readonly code: string;
  readonly content: string;
}
export interface StoppedItem extends Placed {
  readonly kind: 'stopped';
  readonly by: string;
}

export interface ToolEnd {
  readonly result: Json;
  readonly isError: boolean;
  readonly redactions: Readonly<Record<string, number>>;
  readonly outcome: ToolOutcomeKind;
  readonly rule: string | null;
  readonly durationMs: number | null;
  readonly auditSeq: number | null;
}

/** A request for approval as the conversation tells it. The inbox knows more (digest, why). */
export interface Ask {
  readonly id: string;
  readonly tool: string;
  readonly arguments: Json;
  readonly summary: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  /** `pending`, or how it was decided. */
  readonly status: string;
  readonly by: string | null;
}

export interface Turn {
  readonly status: TurnStatus;
  readonly queuePosition: number | null;
  /** Who answers; null until the turn has begun. */
  readonly provider: string | null;
  readonly usage: Usage | null;
  readonly canRetry: boolean;
  readonly canContinue: boolean;
}

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of the last call alone: what the next one begins with. */
  readonly contextTokens: number | null;
  /** Null when one of the calls has no known price. */
  readonly costUsd: number | null;
  readonly model: string;
  readonly provider: string;
}

export const EMPTY: Transcript = {
  items: [],
  turns: new Map(),
  open: new Set(),
  from: 0,
  unplaced: [],
  seq: 0,
  replayTo: 0,
  replaced: new Set(),
  lastMessage: null,
};

const NEW_TURN: Turn = {
  status: 'running',
  queuePosition: null,
  provider: null,
  usage: null,
  canRetry: false,
  canContinue: false,
};

export type TranscriptEvent = Exclude<ChatServerEvent, { readonly type: 'rejected' }>;

export function applyEvent(state: Transcript, event: TranscriptEvent): Transcript {
  if (event.type === 'connected') {
    return {
      ...state,
      from: state.seq === 0 ? event.seq : state.from,
      replayTo: Math.max(state.replayTo, event.head),
      // Nothing runs there: what looked open here ended while we did not listen, or its end follows in the replay.
      open: event.running ? state.open : new Set(),
    };
  }
  if (event.seq <= state.seq) return state;
  const heard = { ...state, seq: event.seq };
  const next = applyItem(heard, event);
  const lost = next === heard && (event.type === 'tool_result' || event.type === 'approval_decided');
  return applyTurn(lost && state.from > 0 ? { ...heard, unplaced: [...state.unplaced, event] } : next, event);
}

/** Puts events that lie before everything else in front; `from` is where what is still missing ends. */
export function withEarlier(state: Transcript, events: readonly StoredEvent[], from: number): Transcript {
  const begin: Transcript = { ...EMPTY, from };
  const before = events.reduce<Transcript>((old, event) => applyEvent(old, event), begin);
  const together: Transcript = {
    ...state,
    from,
    items: [...before.items.filter((item) => item.kind !== 'trimmed' || !hasTrimmed(state)), ...state.items],
    turns: new Map([...before.turns, ...state.turns]),
    replaced: new Set([...before.replaced, ...state.replaced]),
    lastMessage: state.lastMessage ?? before.lastMessage,
    unplaced: [],
  };
  return [...before.unplaced, ...state.unplaced].reduce<Transcript>((old, event) => {
    const next = applyItem(old, event);
    return next === old && from > 0 ? { ...old, unplaced: [...old.unplaced, event] } : next;
  }, together);
}

function hasTrimmed(state: Transcript): boolean {
  return state.items.some((item) => item.kind === 'trimmed');
}

function applyItem(state: Transcript, event: StoredEvent): Transcript {
  const placed = (key: string): Placed => ({ key, turnId: event.turn_id, at: event.at });
  switch (event.type) {
    case 'user':
      return {
        ...append(state, {
          kind: 'user',
          ...placed(`user-${event.message_id}`),
          messageId: event.message_id,
          content: event.content,
        }),
        lastMessage: event.turn_id === null ? null : { id: event.message_id, turnId: event.turn_id },
      };
    case 'replaced':
      return { ...state, replaced: new Set([...state.replaced, ...event.turns]) };
    case 'trimmed':
      // One line, where the newest cut was told; an older one says nothing that still holds.
      return append(
        { ...state, items: state.items.filter((item) => item.kind !== 'trimmed') },
        { kind: 'trimmed', ...placed(`trimmed-${event.seq}`), leftOut: event.left_out },
      );
    case 'switched':
      return append(state, {
        kind: 'switched',
        ...placed(`switched-${event.seq}`),
        from: `${event.from.model} (${event.from.provider})`,
        to: `${event.to.model} (${event.to.provider})`,
        code: event.code,
        content: event.content,
      });
    case 'text':
    case 'thinking': {
      const key = `${event.type}-${event.part_id}`;
      const index = state.items.findLastIndex((item) => item.key === key);
      if (index === -1) return append(state, { kind: event.type, ...placed(key), content: event.content });
      const item = state.items[index];
      if (!item || (item.kind !== 'text' && item.kind !== 'thinking')) return state;
      return replace(state, index, { ...item, content: event.content });
    }
    case 'tool_call':
      return append(state, {
        kind: 'tool',
        ...placed(`tool-${event.seq}`),
        id: event.id,
        name: event.name,
        arguments: event.arguments,
        result: null,
        ask: null,
      });
    case 'tool_result':
      return changeTool(state, event.turn_id, event.id, (tool) => ({
        ...tool,
        result: {
          result: event.result,
          isError: event.is_error,
          redactions: event.redactions,
          outcome: event.outcome,
          rule: event.rule ?? null,
          durationMs: event.duration_ms ?? null,
          auditSeq: event.audit_seq ?? null,
        },
      }));
    case 'approval': {
      const ask: Ask = {
        id: event.id,
        tool: event.tool,
        arguments: event.arguments,
        summary: event.summary,
        createdAt: event.at,
        expiresAt: event.expires_at,
        status: 'pending',
        by: null,
      };
      const changed = changeTool(state, event.turn_id, event.call_id, (tool) => ({ ...tool, ask }));
      if (changed !== state) return changed;
      return append(state, {
        kind: 'tool',
        ...placed(`tool-${event.seq}`),
        id: event.call_id,
        name: event.tool,
        arguments: event.arguments,
        result: null,
        ask,
      });
    }
    case 'approval_decided': {
      const index = state.items.findLastIndex((item) => item.kind === 'tool' && item.ask?.id === event.id);
      const item = state.items[index];
      if (!item || item.kind !== 'tool' || !item.ask) return state;
      return replace(state, index, {
        ...item,
        ask: { ...item.ask, status: event.status, by: event.by ?? null },
      });
    }
    case 'error':
      return append(state, {
        kind: 'error',
        ...placed(`error-${event.seq}`),
        code: event.code,
        content: event.content,
      });
    case 'aborted':
      return append(state, { kind: 'stopped', ...placed(`stopped-${event.seq}`), by: event.by });
    case 'queued':
    case 'started':
    case 'usage':
    case 'done':
      return state;
  }
}

function applyTurn(state: Transcript, event: StoredEvent): Transcript {
  const id = event.turn_id;
  if (id === null) return state;
  const turn = state.turns.get(id) ?? NEW_TURN;
  switch (event.type) {
    case 'queued':
      return opened(
        withTurn(state, id, { ...turn, status: 'queued', queuePosition: event.position }),
        id,
        event,
      );
    case 'user':
      return opened(withTurn(state, id, turn), id, event);
    case 'started':
      return opened(
        withTurn(state, id, { ...turn, status: 'running', queuePosition: null, provider: event.provider }),
        id,
        event,
      );
    case 'switched':
      return withTurn(state, id, { ...turn, provider: event.to.provider });
    case 'thinking':
    case 'text':
    case 'tool_call':
      return opened(withTurn(state, id, { ...turn, status: 'running', queuePosition: null }), id, event);
    case 'approval':
      return opened(withTurn(state, id, { ...turn, status: 'waiting', queuePosition: null }), id, event);
    case 'usage': {
      const before = turn.usage;
      const cost =
        event.cost_usd === null || before?.costUsd === null ? null : (before?.costUsd ?? 0) + event.cost_usd;
      return withTurn(state, id, {
        ...turn,
        usage: {
          inputTokens: (before?.inputTokens ?? 0) + event.input_tokens,
          outputTokens: (before?.outputTokens ?? 0) + event.output_tokens,
          contextTokens: event.context_tokens ?? null,
          costUsd: cost,
          model: event.model,
          provider: event.provider,
        },
      });
    }
    case 'done': {
      const open = new Set(state.open);
      open.delete(id);
      const changed = withTurn(state, id, {
        ...turn,
        status: event.status,
        queuePosition: null,
        canRetry: event.can_retry,
        canContinue: event.can_continue,
      });
      return { ...changed, open };
    }
    case 'approval_decided':
      return withTurn(state, id, { ...turn, status: turn.status === 'waiting' ? 'running' : turn.status });
    case 'tool_result':
    case 'error':
    case 'aborted':
    case 'trimmed':
    case 'replaced':
      return withTurn(state, id, turn);
  }
}

/** Marks a turn as open, unless the event is an old one from a conversation in which nothing runs. */
function opened(state: Transcript, id: string, event: StoredEvent): Transcript {
  if (state.open.has(id)) return state;
  const ended = ['done', 'failed', 'stopped', 'interrupted'].includes(state.turns.get(id)?.status ?? '');
  if (ended && event.type !== 'queued') return state;
  return { ...state, open: new Set(state.open).add(id) };
}

/**
 * The items in reading order: each turn together, turns in the order in which they were asked for. A message that was
 * sent while an earlier turn ran comes after all of that turn, however their events were mixed on the way.
 */
export function readingOrder(items: readonly Item[]): readonly Item[] {
  const groups = new Map<string, Item[]>();
  let last = '';
  for (const item of items) {
    if (item.turnId !== null) last = item.turnId;
    const group = groups.get(last);
    if (group) group.push(item);
    else groups.set(last, [item]);
  }
  return [...groups.values()].flat();
}

/** To be called when the replay is over and the server had said that nothing runs. */
export function nothingRuns(state: Transcript): Transcript {
  return state.open.size === 0 ? state : { ...state, open: new Set() };
}

function append(state: Transcript, item: Item): Transcript {
  return { ...state, items: [...state.items, item] };
}

function replace(state: Transcript, index: number, item: Item): Transcript {
  const items = state.items.slice();
  items[index] = item;
  return { ...state, items };
}

function withTurn(state: Transcript, id: string, turn: Turn): Transcript {
  if (state.turns.get(id) === turn) return state;
  return { ...state, turns: new Map(state.turns).set(id, turn) };
}

/** Call ids may repeat between turns: the call of this turn wins, then the newest without a result. */
function changeTool(
  state: Transcript,
  turnId: string | null,
  id: string,
  change: (tool: ToolItem) => ToolItem,
): Transcript {
  const find = (match: (tool: ToolItem) => boolean) =>
    state.items.findLastIndex((item) => item.kind === 'tool' && item.id === id && match(item));
  let index = find((tool) => tool.turnId === turnId);
  if (index === -1) index = find((tool) => tool.result === null);
  const item = state.items[index];
  return item?.kind === 'tool' ? replace(state, index, change(item)) : state;
}
