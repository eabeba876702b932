// Guarantees: a WebSocket is opened only from our own page (or by a client that is no browser and sends no Origin), with a
// ticket that works once, of a session that lives, to a conversation that exists.
// An attacker may control: the whole upgrade request.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { AppError } from '../../core/index.ts';
import { addressKey, type Identity, type KeyedBuckets } from '../../guard/identity/index.ts';
import { vaultSealed } from '../../guard/secrets/index.ts';
import { checked } from './body.ts';
import { openChatSocket, type ChatSocket, type ChatSocketDeps } from './chat-socket.ts';
import { requireSetup, unknownPath } from './dispatch.ts';
import { errorAnswer, notFound, rateLimited, unauthorized } from './error-answer.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { VaultPort } from './ports.ts';
import { rawAnswer } from './raw-answer.ts';

/** A message of 64 KiB whose every character JSON writes as six. */
const MAX_PAYLOAD = 512 * 1024;
const PATH = /^\/api\/sessions\/([\w.-]{1,64})\/chat$/;
const QUERY = z.strictObject({
  ticket: z.string().max(128),
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
  last: z.coerce.number().int().min(1).max(200).optional(),
});

export interface ChatUpgradeDeps extends ChatSocketDeps {
  readonly identity: Identity;
  readonly vault: VaultPort;
  readonly gatekeeper: Gatekeeper;
  /** How often each client may try to open one. */
  readonly openings: KeyedBuckets;
}

export interface ChatUpgrade {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Sends every client away; a second time without waiting for their answer. */
  close(now: boolean): void;
}

export function createChatUpgrade(deps: ChatUpgradeDeps): ChatUpgrade {
  const { identity, gatekeeper, conversations, log, limits } = deps;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_PAYLOAD,
    perMessageDeflate: false,
  });
  const open = new Map<ChatSocket, { readonly userId: string; readonly familyId: string }>();
  const stopListening = identity.sessions.onEnded((familyId) => {
    for (const [chat, holder] of open) if (holder.familyId === familyId) chat.recheck();
  });

  async function admit(request: IncomingMessage) {
    const client = gatekeeper.client(request);
    gatekeeper.admit(request, client);
    const bucket = deps.openings.take(addressKey(client.address));
    if (!bucket.allowed) throw rateLimited(bucket.retryAfterMs);
    const url = new URL(`http://host${request.url ?? '/'}`);
    const id = PATH.exec(url.pathname)?.[1];
    if (id === undefined) throw unknownPath();
    requireSetup('complete', identity.setup.step());
    if (deps.vault.sealed()) throw vaultSealed();
    const names = [...url.searchParams.keys()];
    const once = new Set(names).size === names.length;
    const query = once ? Object.fromEntries(url.searchParams) : { repeated: names };
    const { ticket, last, ...resumed } = checked(QUERY, query, 'query');
    const holder = identity.tickets.redeem(ticket);
    const user = holder && identity.users.byId(holder.userId);
    if (!holder || !user || !identity.sessions.isLive(holder.familyId)) throw unauthorized();
    const sockets = [...open.values()].filter(({ userId }) => userId === user.id).length;
    if (sockets >= limits.socketsPerUser) throw tooManySockets();
    const head = await conversations.head(id);
    if (!head) throw notFound('conversation');
    const after =
      resumed.after > 0 || last === undefined ? resumed.after : await conversations.tail(id, last);
    const actor = {
      principal: { kind: 'user', id: user.id, name: user.username },
      address: client.address,
    } as const;
    return { id, after, holder, head, actor };
  }

  return {
    upgrade(request, socket, head) {
      // Until ws takes over, a reset of the connection would otherwise be an uncaught error.
      const onError = (): void => void socket.destroy();
      socket.on('error', onError);
      admit(request).then(
        (admitted): undefined => {
          if (socket.destroyed) return undefined;
          socket.off('error', onError);
          server.handleUpgrade(request, socket, head, (ws) => {
            const { id, after, holder, actor } = admitted;
            const chat = openChatSocket(deps, {
              socket: ws,
              conversationId: id,
              head: admitted.head,
              after,
              actor,
              isLive: () =>
                // A vault that was locked meanwhile: nobody can say something new.
                !deps.vault.sealed() &&
                identity.sessions.isLive(holder.familyId) &&
                identity.users.byId(holder.userId) !== undefined,
            });
            open.set(chat, holder);
            ws.once('close', () => open.delete(chat));
          });
          return undefined;
        },
        (error: unknown) => {
          const { https } = gatekeeper.client(request);
          socket.end(rawAnswer(errorAnswer(error, log), https));
          socket.once('finish', () => socket.destroy());
        },
      );
    },
    close(now) {
      stopListening();
      for (const chat of open.keys()) chat.goAway(now);
    },
  };
}

function tooManySockets(): AppError {
  return new AppError({
    family: 'limit',
    code: 'rate_limited',
    message: 'Too many connections are open.',
    fix: 'Close some tabs.',
    details: { retry_after_s: 10 },
  });
}
