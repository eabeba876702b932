import { call, CallError } from '../api/client.ts';
import type { ChatClientMessage, ChatServerEvent, TicketAnswer } from '../api/types.ts';

export type ConnectionState =
  | { readonly name: 'connecting' }
  | { readonly name: 'open' }
  /** Lost since a time in milliseconds; the next try is at `retryAt`, or running when null. */
  | { readonly name: 'lost'; readonly since: number; readonly retryAt: number | null }
  | { readonly name: 'closed' };

export interface ConnectionDeps {
  readonly conversationId: string;
  /** The seq to resume from. */
  readonly after: () => number;
  readonly onEvent: (event: ChatServerEvent) => void;
  readonly onState: (state: ConnectionState) => void;
}

/** Messages of the person that are loaded at once, with all that followed from them. */
export const MESSAGES_AT_ONCE = 30;

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
/** A connection must live this long before the next loss starts with a short wait again. */
const STEADY = 5_000;
const HANDSHAKE = 10_000;
const WATCH = 5_000;

/**
 * A WebSocket that mends itself: a ticket per connection, resuming by seq, waits that grow. It notices by the clock
 * that the device slept, because a socket that died in sleep says nothing.
 */
export class Connection {
  readonly #deps: ConnectionDeps;
  #socket: WebSocket | null = null;
  #state: ConnectionState = { name: 'connecting' };
  #attempt = 0;
  #lostAt: number | null = null;
  #retry: number | undefined;
  #steady: number | undefined;
  #generation = 0;
  readonly #watch: number;
  #lastLook = Date.now();

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
    this.#watch = window.setInterval(() => this.#look(), WATCH);
    window.addEventListener('online', this.#now);
    window.addEventListener('offline', this.#gone);
    void this.#connect();
  }

  get open(): boolean {
    return this.#state.name === 'open';
  }

  /** False when there is no connection: nothing was sent then. */
  send(message: ChatClientMessage): boolean {
    if (!this.open || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  retryNow(): void {
    if (this.#state.name === 'lost') void this.#connect();
  }

  close(): void {
    this.#generation += 1;
    window.clearInterval(this.#watch);
    window.clearTimeout(this.#retry);
    window.clearTimeout(this.#steady);
    window.removeEventListener('online', this.#now);
    window.removeEventListener('offline', this.#gone);
    this.#socket?.close(1000);
    this.#socket = null;
    this.#state = { name: 'closed' };
  }

  readonly #now = () => this.retryNow();
  readonly #gone = () => this.#lose();

  #look(): void {
    const slept = Date.now() - this.#lastLook > WATCH * 4;
    this.#lastLook = Date.now();
    if (slept && !document.hidden) this.#lose();
  }

  async #connect(): Promise<void> {
    window.clearTimeout(this.#retry);
    const generation = (this.#generation += 1);
    if (this.#lostAt !== null) this.#set({ name: 'lost', since: this.#lostAt, retryAt: null });
    let ticket: string;
    try {
      ticket = (await call<TicketAnswer>('POST', '/api/auth/ws-ticket', { body: {} })).ticket;
    } catch (error) {
      if (generation !== this.#generation) return;
      // Logged out: the page's guards lead to the login. Anything else may pass.
      if (error instanceof CallError && error.status === 401) return;
      this.#lose();
      return;
    }
    if (generation !== this.#generation) return;
    const url = new URL(`/api/sessions/${encodeURIComponent(this.#deps.conversationId)}/chat`, location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    url.searchParams.set('ticket', ticket);
    const after = this.#deps.after();
    if (after > 0) url.searchParams.set('after', String(after));
    // A conversation is opened at its end; what was before is asked for when somebody reads up to it.
    else url.searchParams.set('last', String(MESSAGES_AT_ONCE));
    const socket = new WebSocket(url);
    this.#socket = socket;
    const handshake = window.setTimeout(() => socket.close(), HANDSHAKE);
    socket.addEventListener('message', (message) => {
      if (generation !== this.#generation) return;
      const event = JSON.parse(String(message.data)) as ChatServerEvent;
      if (event.type === 'connected') {
        window.clearTimeout(handshake);
        this.#lostAt = null;
        this.#steady = window.setTimeout(() => (this.#attempt = 0), STEADY);
        this.#set({ name: 'open' });
      }
      this.#deps.onEvent(event);
    });
    socket.addEventListener('close', () => {
      window.clearTimeout(handshake);
      if (generation === this.#generation) this.#lose();
    });
  }

  /** The connection is gone: plan the next one. */
  #lose(): void {
    if (this.#state.name === 'closed') return;
    this.#generation += 1;
    window.clearTimeout(this.#steady);
    window.clearTimeout(this.#retry);
    this.#socket?.close();
    this.#socket = null;
    this.#lostAt ??= Date.now();
    const wait =
      Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(this.#attempt, 8)) * (0.8 + Math.random() * 0.4);
    this.#attempt += 1;
    this.#set({ name: 'lost', since: this.#lostAt, retryAt: Date.now() + wait });
    this.#retry = window.setTimeout(() => void this.#connect(), wait);
  }

  #set(state: ConnectionState): void {
    this.#state = state;
    this.#deps.onState(state);
  }
}
