/** A database as after months: conversations, messages, tools, calls to models; written straight into its tables. */
import { createConversationStore, createEventStore, createTurnStore } from '../src/host/storage/index.ts';
import { createWorkbench } from '../test/fakes/workbench.ts';

const WORDS = 'lorem ipsum dolor sit amet content garden plan house budget travel letter'.split(' ');
const MINUTE = 60_000;

export interface FillOrder {
  readonly conversations: number;
  /** Of the person and the assistant together, over all conversations. */
  readonly messages: number;
  /** Messages of one conversation more. */
  readonly long: number;
  /** Calls to models. */
  readonly calls: number;
}

export function fillConversations(order: FillOrder) {
  const bench = createWorkbench();
  const { database } = bench;
  const conversations = createConversationStore(database);
  const events = createEventStore(database);
  const turns = createTurnStore(database);
  const now = Date.now();
  let message = 0;
  let turnNumber = 0;
  let callNumber = 0;
  const add = (id: string, updated: number, messages: number, calls: number): void => {
    conversations.insert({
      id,
      title: `About ${WORDS[message % WORDS.length]} ${id.slice(-4)}`,
      created_at: updated - 1000,
      updated_at: updated,
      seq_ceiling: messages * 8,
      renamed: 0,
      provider: null,
      model: null,
      fallback: 'default',
      fallback_provider: null,
      fallback_model: null,
    });
    let seq = 0;
    for (let turn = 0; turn < messages / 2; turn += 1) {
      turnNumber += 1;
      const turn_id = `trn_${turnNumber}`;
      turns.insert({
        id: turn_id,
        conversation_id: id,
        status: 'done',
        provider: 'demo',
        model: 'demo',
        created_at: updated,
        started_at: updated,
        ended_at: updated,
        error_code: null,
        error_text: null,
      });
      const put = (type: string, payload: object): void => {
        seq += 1;
        events.put({
          conversation_id: id,
          seq,
          turn_id,
          part_id: null,
          type,
          payload: JSON.stringify(payload),
          at: updated,
        });
      };
      const text = (): string => {
        message += 1;
        const words = Array.from({ length: 120 }, (_, k) => WORDS[(k * 7 + message * 3) % WORDS.length]);
        return `${words.join(' ')}${message === 4_000 ? ' needle' : ''}`;
      };
      put('user', { message_id: `msg_${turnNumber}`, content: text() });
      put('started', { provider: 'demo' });
      put('tool_call', { id: `c${turn}`, name: 'read_file', arguments: { path: 'notes/a.md' } });
      put('tool_result', {
        id: `c${turn}`,
        result: 'x'.repeat(2_000),
        is_error: false,
        redactions: {},
        outcome: 'done',
      });
      put('text', { part_id: `p${turn}`, content: text() });
      put('usage', {
        input_tokens: 100,
        output_tokens: 50,
        context_tokens: 150,
        cost_usd: 0,
        model: 'demo',
        provider: 'demo',
      });
      put('done', { status: 'done', can_retry: false, can_continue: false });
      for (let step = 0; step < calls / (messages / 2); step += 1) {
        callNumber += 1;
        turns.putLlmCall({
          turn_id,
          step,
          provider: 'demo',
          model: `demo-${callNumber % 5}`,
          started_at: now - ((callNumber * 37) % 129_600) * MINUTE,
          ended_at: now,
          outcome: 'ok',
          finish_reason: 'stop',
          input_tokens: 900,
          output_tokens: 120,
          cost_usd: 0.001,
        });
      }
    }
  };
  const long = `cnv_${'z'.repeat(26)}`;
  database.tx(() => {
    const all = order.messages + order.long;
    const each = Math.ceil(order.messages / order.conversations);
    for (let c = 0; c < order.conversations; c += 1) {
      const id = `cnv_${String(c).padStart(26, '0')}`;
      add(id, now - c * MINUTE, each, (order.calls * each) / all);
    }
    add(long, now + MINUTE, order.long, (order.calls * order.long) / all);
  });
  return { bench, long, now };
}
