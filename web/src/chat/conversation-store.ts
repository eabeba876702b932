import { call, explain } from '../api/client.ts';
import { onSessionChange, sessionState } from '../api/session.ts';
import type { ChatServerEvent, EarlierEvents } from '../api/types.ts';
import { Connection, MESSAGES_AT_ONCE, type ConnectionState } from './connection.ts';
import { applyEvent, EMPTY, nothingRuns, withEarlier, type Transcript } from './transcript.ts';

/** A message on its way: shown at once, replaced by the server's own event. */
export interface Outgoing {
  readonly key: string;
  readonly content: string;
  /** Null while it is on its way; else why it did not arrive. */
  readonly problem: string | null;
  /** Over which connection it was sent; null while it waits for the first one. */
  readonly over: number | null;
}

export interface ConversationSnapshot {
  readonly transcript: Transcript;
  readonly outgoing: readonly Outgoing[];
  readonly connection: ConnectionState;
  /** The replay is complete: what is shown is how things are. */
  readonly ready: boolean;
  /** A refusal of something other than a message, such as a retry that came too late. */
  readonly refusal: string | null;
  /** What lies before the first message is on its way. */
  readonly loadingEarlier: boolean;
  /** Stop was asked for and the end has not come yet. */
  readonly stopping: boolean;
}

export interface StoreHooks {
  /** New events were applied; `types` says of which kinds. */
  readonly onEvents: (types: ReadonlySet<ChatServerEvent['type']>) => void;
}

/** What was seen of the last few conversations, so that going back shows them at once and only asks for the rest. */
const remembered = new Map<string, Transcript>();
const REMEMBERED = 8;
/** Messages that had not arrived when their conversation was left, and up to which event the server had told of others. */
const left = new Map<string, { readonly outgoing: readonly Outgoing[]; readonly seq: number }>();
onSessionChange(() => {
  if (sessionState().status !== 'out') return;
  remembered.clear();
  left.clear();
});

/** Events that arrive within this many milliseconds are drawn together. */
const DRAW = 30;
/** A replay whose announced end never comes is over after this many silent milliseconds. */
const SILENCE = 400;

let counter = 0;

/** One conversation while it is on the screen: its connection, its transcript, what is on its way. */
export class ConversationStore {
  readonly #id: string;
  readonly #connection: Connection;
  readonly #hooks: StoreHooks;
  readonly #listeners = new Set<() => void>();
  #snapshot: ConversationSnapshot;
  #queue: ChatServerEvent[] = [];
  #draw: number | undefined;
  #silence: number | undefined;
  #over = 0;
  #lastConnected: { readonly seq: number; readonly running: boolean } | null = null;
  /** A message of this event or an earlier one is none of those that are on their way. */
  readonly #leftAt: number;

  constructor(id: string, hooks: StoreHooks) {
    this.#id = id;
    this.#hooks = hooks;
    const before = left.get(id);
    left.delete(id);
    this.#leftAt = before?.seq ?? 0;
    this.#snapshot = {
      transcript: remembered.get(id) ?? EMPTY,
      // Over no connection of this one: those that the server does not tell of did not arrive.
      outgoing: (before?.outgoing ?? []).map((each) => ({ ...each, over: -1 })),
      connection: { name: 'connecting' },
      ready: false,
      refusal: null,
      loadingEarlier: false,
      stopping: false,
    };
    this.#connection = new Connection({
      conversationId: id,
      after: () => this.#snapshot.transcript.seq,
      onEvent: (event) => this.#receive(event),
      onState: (connection) => {
        this.#flush();
        if (connection.name === 'open') this.#over += 1;
        this.#change({ connection, outgoing: this.#sendWaiting(connection) });
      },
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): ConversationSnapshot => this.#snapshot;

  /** A page that has only just opened sends as soon as it is connected; over a connection that was lost nothing is sent. */
  send(content: string): void {
    counter += 1;
    const { outgoing, connection } = this.#snapshot;
    const message: Outgoing = { key: `out-${counter}`, content, problem: null, over: null };
    this.#change({
      outgoing: [...outgoing, connection.name === 'connecting' ? message : this.#sendNow(message)],
      refusal: null,
    });
  }

  #sendNow(message: Outgoing): Outgoing {
    const sent = this.#connection.send({ type: 'message', content: message.content });
    return { ...message, over: this.#over, problem: sent ? null : 'There is no connection right now.' };
  }

  /** What was written before there was a first connection; where that does not come it was not sent. */
  #sendWaiting(connection: ConnectionState): readonly Outgoing[] {
    const { outgoing } = this.#snapshot;
    if (connection.name === 'connecting') return outgoing;
    return outgoing.map((each) => (each.over === null ? this.#sendNow(each) : each));
  }

  /** The last message written anew; shown when the server took it. */
  edit(messageId: string, content: string): boolean {
    const sent = this.#connection.send({ type: 'edit', message_id: messageId, content });
    this.#change({ refusal: sent ? null : 'There is no connection right now. Try again in a moment.' });
    return sent;
  }

  sendAgain(key: string): void {
    const message = this.#snapshot.outgoing.find((each) => each.key === key);
    if (!message) return;
    this.discard(key);
    this.send(message.content);
  }

  discard(key: string): void {
    this.#change({ outgoing: this.#snapshot.outgoing.filter((each) => each.key !== key) });
  }

  retry(): void {
    this.#command('retry');
  }

  goOn(): void {
    this.#command('continue');
  }

  /** Stops what runs; by a plain request when the socket is gone. */
  async stop(): Promise<void> {
    this.#change({ stopping: true });
    if (this.#connection.send({ type: 'abort' })) return;
    try {
      await call('POST', `/api/sessions/${encodeURIComponent(this.#id)}/abort`, { body: {} });
    } catch {
      this.#change({ stopping: false, refusal: 'It could not be stopped: OpenPact does not answer.' });
    }
  }

  /** Asks for the messages before the first one that is shown. */
  async loadEarlier(): Promise<void> {
    const { transcript, loadingEarlier, ready } = this.#snapshot;
    const { from } = transcript;
    if (from === 0 || loadingEarlier || !ready) return;
    this.#change({ loadingEarlier: true });
    try {
      const answer = await call<EarlierEvents>(
        'GET',
        `/api/sessions/${encodeURIComponent(this.#id)}/events?before=${from + 1}&messages=${MESSAGES_AT_ONCE}`,
      );
      this.#flush();
      this.#change({
        loadingEarlier: false,
        transcript: withEarlier(this.#snapshot.transcript, answer.events, answer.from),
      });
    } catch (error) {
      this.#change({
        loadingEarlier: false,
        refusal: `Earlier messages could not be loaded: ${explain(error).message}`,
      });
    }
  }

  reconnect(): void {
    this.#connection.retryNow();
  }

  dismissRefusal(): void {
    this.#change({ refusal: null });
  }

  close(): void {
    window.clearTimeout(this.#draw);
    window.clearTimeout(this.#silence);
    this.#flush();
    this.#connection.close();
    this.#listeners.clear();
    const { outgoing, transcript } = this.#snapshot;
    if (outgoing.length > 0 && sessionState().status === 'in')
      left.set(this.#id, { outgoing, seq: Math.max(transcript.seq, this.#leftAt) });
    if (this.#snapshot.ready) {
      remembered.delete(this.#id);
      remembered.set(this.#id, this.#snapshot.transcript);
      const oldest = remembered.keys().next();
      if (remembered.size > REMEMBERED && !oldest.done) remembered.delete(oldest.value);
    }
  }

  #command(type: 'retry' | 'continue'): void {
    const sent = this.#connection.send({ type });
    this.#change({ refusal: sent ? null : 'There is no connection right now. Try again in a moment.' });
  }

  #receive(event: ChatServerEvent): void {
    this.#queue.push(event);
    this.#draw ??= window.setTimeout(() => this.#flush(), DRAW);
  }

  #flush(): void {
    window.clearTimeout(this.#draw);
    this.#draw = undefined;
    const events = this.#queue;
    if (events.length === 0) return;
    this.#queue = [];
    let { transcript, outgoing, refusal, stopping, ready } = this.#snapshot;
    for (const event of events) {
      if (event.type === 'rejected') {
        const index = outgoing.findIndex((each) => each.problem === null);
        if (index === -1) refusal = event.content;
        else {
          outgoing = outgoing.map((each, at) => (at === index ? { ...each, problem: event.content } : each));
        }
        stopping = false;
        continue;
      }
      if (event.type === 'connected') {
        this.#lastConnected = { seq: event.head, running: event.running };
        ready = false;
      }
      const known = event.type !== 'connected' && event.seq <= transcript.seq;
      transcript = applyEvent(transcript, event);
      if (event.type === 'user' && !known && event.seq > this.#leftAt) {
        // What was sent over this connection comes after all that there was when it opened.
        const isNew = event.seq > (this.#lastConnected?.seq ?? 0);
        const index = outgoing.findIndex(
          (each) => each.content === event.content && (isNew || each.over !== this.#over),
        );
        if (index !== -1) outgoing = outgoing.filter((_, at) => at !== index);
      }
      if (event.type === 'done' || event.type === 'aborted') stopping = false;
    }
    this.#change({ transcript, outgoing, refusal, stopping, ready });
    this.#hooks.onEvents(new Set(events.map((event) => event.type)));
    window.clearTimeout(this.#silence);
    if (!ready && this.#lastConnected) {
      if (transcript.seq >= this.#lastConnected.seq) this.#settle();
      else this.#silence = window.setTimeout(() => this.#settle(), SILENCE);
    }
  }

  /** The replay is over: what was on its way and isn't in it did not arrive; what the server doesn't run doesn't run. */
  #settle(): void {
    const { transcript, outgoing } = this.#snapshot;
    const idle = this.#lastConnected?.running === false && transcript.seq <= this.#lastConnected.seq;
    this.#change({
      ready: true,
      transcript: idle ? nothingRuns(transcript) : transcript,
      outgoing: outgoing.map((each) => ({
        ...each,
        problem:
          each.problem ??
          ((each.over ?? this.#over) < this.#over ? 'The connection broke before it arrived.' : null),
      })),
    });
  }

  #change(change: Partial<ConversationSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of this.#listeners) listener();
  }
}
