import {
  canonicalJson,
  type HistoryCall,
  type HistoryMessage,
  type HistoryResult,
  type Json,
  type StoredEvent,
} from '../core/index.ts';

const UNANSWERED = 'Interrupted; whether it took effect is not known. Do not repeat it without asking.';

const WAITING = 'It waits for the approval of the owner and has not run.';

type Result = Extract<StoredEvent, { type: 'tool_result' }>;

/**
 * What the model is told, made from the events of a conversation. Every call gets a result, also one that came after the
 * end of its turn. The half-written answer of a turn that did not end well is left out, so that a retry starts afresh
 * from the last thing that is certain. Turns that the owner replaced by editing a message are left out whole.
 * Each turn stands together, in the order in which they were asked for, up to turn `until`: messages that wait for their
 * turn are not told yet.
 */
export function historyOf(all: readonly StoredEvent[], until?: string): HistoryMessage[] {
  const replaced = replacedTurns(all);
  const events = inTurns(all, until).filter(
    (event) => event.turn_id === null || !replaced.has(event.turn_id),
  );
  const results = new Map<string, Result>();
  const waiting = new Set<string>();
  const badTurns = new Set<string>();
  for (const event of events) {
    if (event.type === 'tool_result') results.set(`${event.turn_id}/${event.id}`, event);
    if (event.type === 'approval') waiting.add(`${event.turn_id}/${event.call_id}`);
    if (event.type === 'done' && event.status !== 'done' && event.turn_id !== null)
      badTurns.add(event.turn_id);
  }
  const messages: HistoryMessage[] = [];
  let text = '';
  let calls: HistoryCall[] = [];
  let turn: string | null = null;

  const close = (): void => {
    if (calls.length > 0) {
      messages.push({ role: 'assistant', text, calls });
      messages.push({
        role: 'tool',
        results: calls.map((call) => {
          const name = `${turn}/${call.id}`;
          return resultFor(call, results.get(name), waiting.has(name) ? WAITING : UNANSWERED);
        }),
      });
    } else if (text !== '' && !(turn !== null && badTurns.has(turn))) {
      messages.push({ role: 'assistant', text, calls: [] });
    }
    text = '';
    calls = [];
  };

  for (const event of events) {
    switch (event.type) {
      case 'user':
        close();
        turn = event.turn_id;
        messages.push({ role: 'user', text: event.content });
        break;
      case 'text':
        // Text after calls is the next step.
        if (calls.length > 0 || event.turn_id !== turn) close();
        turn = event.turn_id;
        text = text === '' ? event.content : `${text}\n\n${event.content}`;
        break;
      case 'tool_call': {
        const step = event.id.slice(0, 5);
        if (event.turn_id !== turn || (calls.length > 0 && calls[0]?.id.slice(0, 5) !== step)) close();
        turn = event.turn_id;
        calls.push({ id: event.id, name: event.name, arguments: event.arguments });
        break;
      }
      case 'done':
        close();
        break;
      default:
        break;
    }
  }
  close();
  return withUniqueIds(messages);
}

/** Events of later turns mix with those of a running one: a message that waits is stored when it is sent. */
function inTurns(events: readonly StoredEvent[], until: string | undefined): readonly StoredEvent[] {
  const byTurn = [...Map.groupBy(events, (event) => event.turn_id)];
  const last = until === undefined ? -1 : byTurn.findIndex(([turn]) => turn === until);
  return byTurn.slice(0, last === -1 ? undefined : last + 1).flatMap(([, group]) => group);
}

/** The turns that the owner took back by editing a message. */
export function replacedTurns(events: readonly StoredEvent[]): ReadonlySet<string> {
  return new Set(events.flatMap((event) => (event.type === 'replaced' ? event.turns : [])));
}

function resultFor(call: HistoryCall, result: Result | undefined, otherwise: string): HistoryResult {
  if (!result) return { id: call.id, name: call.name, text: otherwise, is_error: true };
  return { id: call.id, name: call.name, text: capped(resultText(result.result)), is_error: result.is_error };
}

/** Characters of a result that a model is told; the whole stands in the conversation. */
const MOST_RESULT = 256 * 1024;

export function capped(text: string): string {
  if (text.length <= MOST_RESULT) return text;
  return `${text.slice(0, MOST_RESULT).toWellFormed()}\n[Cut here: ${text.length - MOST_RESULT} more characters.]`;
}

/** A string as it is, everything else as JSON. */
export function resultText(value: Json): string {
  return typeof value === 'string' ? value : canonicalJson(value);
}

/** Call ids are unique in a turn; a history spans many, so each turn's ids get a number in front. */
function withUniqueIds(messages: readonly HistoryMessage[]): HistoryMessage[] {
  let round = 0;
  return messages.map((message) => {
    if (message.role === 'user') return message;
    if (message.role === 'assistant') {
      if (message.calls.length > 0) round += 1;
      return { ...message, calls: message.calls.map((call) => ({ ...call, id: historyId(round, call.id) })) };
    }
    return {
      ...message,
      results: message.results.map((result) => ({ ...result, id: historyId(round, result.id) })),
    };
  });
}

/** Nine letters and digits, as the strictest provider wants; can't be mistaken for a call of the running turn. */
function historyId(round: number, id: string): string {
  return `h${String(round % 10_000).padStart(4, '0')}${id.slice(-4)}`;
}
