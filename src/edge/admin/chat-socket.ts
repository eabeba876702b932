// Guarantees: a socket lives no longer than the session that opened it (4401); every event after `after` is sent once, in
// order; what a slow client can't take is bounded, and it is sent away to resume by seq (1013); what a client sends is
// checked, limited, and done in order; what is stored is searched for secrets that became known since. Closing a socket
// stops nothing: the turn belongs to the conversation.
// An attacker may control: with a valid ticket, every message, the pace of reading and sending.
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import {
  AppError,
  errorText,
  newId,
  type Clock,
  type Log,
  type Redactor,
  type StoredEvent,
} from '../../core/index.ts';
import { createTokenBuckets } from '../../guard/identity/index.ts';
import type { ChatServerEvent } from './api.ts';
import type { AdminLimits } from './options.ts';
import { createOutbox } from './outbox.ts';
import type { Accepted, Actor, ConversationHead, ConversationsPort } from './ports.ts';

const CLOSE_SESSION_ENDED = 4401;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_TOO_SLOW = 1013;
const CLOSE_POLICY = 1008;
const CLOSE_INTERNAL = 1011;
const MAX_CONTENT_BYTES = 64 * 1024;
const MAX_PENDING = 16;
const MAX_REFUSED_IN_A_ROW = 100;
const FLUSH_MS = 30_000;
const MOST_OF_A_PROBLEM = 300;

export interface ChatSocketDeps {
  readonly conversations: ConversationsPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly redactor: Redactor;
  readonly limits: AdminLimits;
}

export interface ChatSocketOrder {
  readonly socket: WebSocket;
  readonly conversationId: string;
  readonly head: ConversationHead;
  readonly after: number;
  readonly actor: Actor;
  /** Whether the session that opened it still lives. */
  isLive(): boolean;
}

export interface ChatSocket {
  /** Looks whether the session still lives and ends the socket if not. */
  recheck(): void;
  /** For a server that stops: says so, and with `now` waits for no answer. */
  goAway(now: boolean): void;
}

const content = z
  .string()
  .refine((text) => text.trim() !== '', 'is empty')
  .refine(
    (text) => Buffer.byteLength(text) <= MAX_CONTENT_BYTES,
    `is longer than ${MAX_CONTENT_BYTES} bytes`,
  );
const clientMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('message'), content }),
  z.strictObject({ type: z.literal('edit'), message_id: z.string().regex(/^[\w-]{1,64}$/), content }),
  z.strictObject({ type: z.literal('abort') }),
  z.strictObject({ type: z.literal('retry') }),
  z.strictObject({ type: z.literal('continue') }),
]);
type ClientMessage = z.infer<typeof clientMessage>;

export function openChatSocket(deps: ChatSocketDeps, order: ChatSocketOrder): ChatSocket {
  const { conversations, clock, log, limits } = deps;
  const { socket, conversationId, head, actor } = order;
  const outbox = createOutbox(socket, limits.socketQueueBytes);
  const budget = createTokenBuckets({ rate: 5, burst: 30, maxKeys: 1, clock });
  let last = Math.min(order.after, head.seq);
  let heard = true;
  let closing = false;
  let pending = 0;
  let refused = 0;
  let chain = Promise.resolve();
  let unsubscribe: (() => void) | undefined;

  function send(event: ChatServerEvent, key?: string): void {
    if (closing || socket.readyState !== socket.OPEN) return;
    if (!outbox.push(JSON.stringify(event), key)) tooSlow();
  }

  function close(code: number, reason: string): void {
    closing = true;
    unsubscribe?.();
    socket.close(code, reason);
  }

  /** Nothing new is taken; what was taken leaves first, so that every visit gets further. */
  function tooSlow(): void {
    closing = true;
    unsubscribe?.();
    const timer = setTimeout(() => socket.terminate(), FLUSH_MS);
    socket.once('close', () => clearTimeout(timer));
    outbox.onEmpty(() => socket.close(CLOSE_TOO_SLOW, 'too slow: resume by seq'));
  }

  function reject(code: string, text: string): void {
    refused += 1;
    if (refused > MAX_REFUSED_IN_A_ROW) close(CLOSE_POLICY, 'too many refused messages');
    else send({ type: 'rejected', code, content: text, seq: last });
  }

  function perform(message: ClientMessage): Accepted | Promise<Accepted> {
    switch (message.type) {
      case 'message':
        return conversations.send(conversationId, message.content, actor);
      case 'edit':
        return conversations.edit(conversationId, message.message_id, message.content, actor);
      case 'abort':
        return conversations.abort(conversationId, actor);
      case 'retry':
        return conversations.retry(conversationId, actor);
      case 'continue':
        return conversations.continue(conversationId, actor);
    }
  }

  async function obey(message: ClientMessage): Promise<void> {
    try {
      // Asked again for each message: between two looks a session may have ended.
      recheck();
      if (closing) return;
      const accepted = await perform(message);
      if (accepted.ok) refused = 0;
      else reject(accepted.code, accepted.content);
    } catch (error) {
      if (error instanceof AppError) {
        reject(error.code, error.message);
        return;
      }
      const reference = newId('err');
      log.error('unexpected error on a chat socket', { reference, problem: errorText(error) });
      reject('internal_error', `Something went wrong inside OpenPact (${reference} in the log).`);
    }
  }

  function receive(data: RawData, isBinary: boolean): void {
    heard = true;
    if (closing) return;
    if (!budget.take('').allowed) {
      reject('rate_limited', 'Too many messages at once.');
      return;
    }
    const message = isBinary ? undefined : parseMessage(data);
    if (message === undefined || 'problem' in message) {
      reject('invalid_request', message?.problem ?? 'The message must be text.');
      return;
    }
    // Stopping must not wait behind what is to be stopped.
    if (message.type === 'abort') {
      void obey(message);
      return;
    }
    if (pending >= MAX_PENDING) {
      reject('rate_limited', 'Earlier messages are still being taken.');
      return;
    }
    pending += 1;
    chain = chain.then(() => obey(message)).finally(() => (pending -= 1));
  }

  function recheck(): void {
    if (!closing && !order.isLive()) close(CLOSE_SESSION_ENDED, 'the session has ended');
  }

  function onEvent(event: StoredEvent): void {
    // The port promises order and no repeats; a mistake there must not reach the page twice.
    if (closing || event.seq <= last) return;
    last = event.seq;
    const live = event.type === 'text' || event.type === 'thinking';
    // What happens now was searched when it was made; what is stored may be older than a secret in it.
    const shown = event.seq <= head.seq ? deps.redactor.json(event).value : event;
    send(shown, live ? `${event.type}:${event.part_id}` : undefined);
  }

  const ping = setInterval(() => {
    if (!heard) {
      socket.terminate();
      return;
    }
    heard = false;
    socket.ping();
  }, limits.pingMs);
  const look = setInterval(recheck, limits.recheckMs);

  socket.on('pong', () => (heard = true));
  socket.on('message', receive);
  socket.on('error', (error) => log.debug('chat socket', { problem: errorText(error) }));
  socket.on('close', () => {
    closing = true;
    clearInterval(ping);
    clearInterval(look);
    unsubscribe?.();
  });

  send({
    type: 'connected',
    session_id: conversationId,
    seq: last,
    head: head.seq,
    running: head.running,
  });
  try {
    const stop = conversations.subscribe(conversationId, last, onEvent);
    // It may have filled up, or closed, while the stored events came.
    if (closing) stop();
    else unsubscribe = stop;
  } catch (error) {
    log.error('a chat socket could not be subscribed', { problem: errorText(error) });
    close(CLOSE_INTERNAL, 'internal error');
  }

  return { recheck, goAway: (now) => (now ? socket.terminate() : close(CLOSE_GOING_AWAY, 'OpenPact stops')) };
}

function parseMessage(data: RawData): ClientMessage | { readonly problem: string } {
  let value: unknown;
  try {
    // ws gives a Buffer unless it is told otherwise.
    value = JSON.parse((data as Buffer).toString('utf8'));
  } catch {
    return { problem: 'The message is not JSON.' };
  }
  const parsed = clientMessage.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const problem = `The message is not valid: ${issue?.path.map(String).join('.')} ${issue?.message}`;
  // It repeats names that the client chose.
  return { problem: problem.slice(0, MOST_OF_A_PROBLEM) };
}
