import { describe, expect, it } from 'vitest';
import type { StoredEvent, TurnEvent } from '../../src/edge/admin/api.ts';
import {
  applyEvent,
  EMPTY,
  nothingRuns,
  readingOrder,
  type Transcript,
  type TranscriptEvent,
  withEarlier,
} from '../../web/src/chat/transcript.ts';

let seq = 0;
function event(turn: string | null, body: TurnEvent): StoredEvent {
  seq += 1;
  return { ...body, seq, turn_id: turn, at: '2026-01-01T00:00:00.000Z' };
}
function play(events: readonly TranscriptEvent[], from: Transcript = EMPTY): Transcript {
  return events.reduce(applyEvent, from);
}
const user = (turn: string, content: string) =>
  event(turn, { type: 'user', message_id: `m-${turn}`, content });
const text = (turn: string, part: string, content: string) =>
  event(turn, { type: 'text', part_id: part, content });
const call = (turn: string, id: string) =>
  event(turn, { type: 'tool_call', id, name: 'workspace_list', arguments: {} });
const result = (turn: string, id: string) =>
  event(turn, {
    type: 'tool_result',
    id,
    result: turn,
    is_error: false,
    redactions: {},
    outcome: 'done',
  });
const done = (turn: string) =>
  event(turn, { type: 'done', status: 'done', can_retry: false, can_continue: false });

describe("the page's transcript", () => {
  it('is the same when its beginning is loaded after its end, wherever it was cut', () => {
    const events = [
      user('e1', 'first'),
      call('e1', 'k1'),
      user('e2', 'sent while the first ran'),
      text('e1', 'p1', 'one'),
      result('e1', 'k1'),
      done('e1'),
      call('e2', 'k2'),
      result('e2', 'k2'),
      event('e3', { type: 'replaced', message_id: 'm-e2', turns: ['e2'] }),
      user('e3', 'third'),
      done('e2'),
      done('e3'),
    ];
    const whole = play(events);
    for (let cut = 1; cut < events.length; cut += 1) {
      const from = events[cut - 1]?.seq ?? 0;
      const connected = { type: 'connected', session_id: 'c', seq: from, head: seq, running: false } as const;
      const end = play([connected, ...events.slice(cut)]);
      expect(end.from).toBe(from);
      const both = withEarlier(end, events.slice(0, cut), 0);
      expect([cut, readingOrder(both.items)]).toEqual([cut, readingOrder(whole.items)]);
      expect([...both.replaced]).toEqual(['e2']);
      expect(both.unplaced).toEqual([]);
      expect(both.lastMessage).toEqual(whole.lastMessage);
      expect([cut, both.open.size]).toEqual([cut, 0]);
    }
  });

  it('is the same after one replay and after a connection that broke and sent some events twice', () => {
    const events = [user('t1', 'hi'), text('t1', 'p', 'He'), text('t1', 'p', 'Hello'), done('t1')];
    const whole = play(events);
    const broken = play(events, play(events.slice(0, 3)));
    expect(broken).toEqual(whole);
    expect(whole.items.map((item) => 'content' in item && item.content)).toEqual(['hi', 'Hello']);
    expect(whole.open.size).toBe(0);
  });

  it('gives a result to the call of its own turn although another turn used the same call id', () => {
    const state = play([call('t1', 'c'), call('t2', 'c'), result('t1', 'c'), result('t2', 'c')]);
    const results = state.items.map((item) => item.kind === 'tool' && item.result?.result);
    expect(results).toEqual(['t1', 't2']);
  });

  it('shows a message that was sent during a turn after all of that turn', () => {
    const state = play([user('t1', 'one'), text('t1', 'a', 'A'), user('t2', 'two'), text('t1', 'b', 'B')]);
    const order = readingOrder(state.items).map((item) => 'content' in item && item.content);
    expect(order).toEqual(['one', 'A', 'B', 'two']);
  });

  it('follows a request for approval from waiting to its decision', () => {
    const before = [user('t1', 'x'), call('t1', 'c')];
    const ask = event('t1', {
      type: 'approval',
      id: 'a',
      call_id: 'c',
      tool: 'workspace_write',
      arguments: { path: 'x' },
      summary: 'Write x',
      expires_at: '2026-01-02T00:00:00.000Z',
    });
    const waiting = play([...before, ask]);
    expect(waiting.turns.get('t1')?.status).toBe('waiting');
    const decided = play(
      [event('t1', { type: 'approval_decided', id: 'a', status: 'denied', by: 'user:jo' })],
      waiting,
    );
    const tool = decided.items.find((item) => item.kind === 'tool');
    expect(tool?.kind === 'tool' && tool.ask?.status).toBe('denied');
    expect(decided.turns.get('t1')?.status).toBe('running');
  });

  it('says that nothing runs when the server says so, whatever an interrupted turn looked like', () => {
    const state = play([user('t1', 'x'), text('t1', 'p', 'half')]);
    expect(state.open.size).toBe(1);
    expect(nothingRuns(state).open.size).toBe(0);
    const connected = {
      type: 'connected',
      session_id: 's',
      seq: state.seq,
      head: state.seq,
      running: false,
    } as const;
    expect(applyEvent(state, connected).open.size).toBe(0);
  });

  it('adds up the usage of a turn, and knows no cost as soon as one call has none', () => {
    const usage = (cost: number | null) =>
      event('t1', {
        type: 'usage',
        input_tokens: 10,
        output_tokens: 2,
        cost_usd: cost,
        model: 'm',
        provider: 'openai',
      });
    expect(play([usage(0.5), usage(0.25)]).turns.get('t1')?.usage).toMatchObject({
      inputTokens: 20,
      outputTokens: 4,
      costUsd: 0.75,
    });
    expect(play([usage(0.5), usage(null), usage(1)]).turns.get('t1')?.usage?.costUsd).toBeNull();
  });
});
