import { newToken, type Clock } from '../../core/index.ts';

const LIFE_MS = 30_000;
const MAX_TICKETS = 1_000;

interface TicketHolder {
  readonly userId: string;
  readonly familyId: string;
}

export interface Tickets {
  /** A ticket for one WebSocket, good for 30 seconds. `expiresAt` in ms. */
  issue(holder: TicketHolder): { readonly ticket: string; readonly expiresAt: number };
  /** Whose ticket it was; it is spent now, whatever becomes of the connection. */
  redeem(ticket: string): TicketHolder | undefined;
}

/**
 * Tickets stand in the URL of a WebSocket, where a browser can't send a header, and URLs end in logs: so each works
 * once and only at once. In memory only: a restart voids them.
 */
export function createTickets({ clock }: { readonly clock: Clock }): Tickets {
  const tickets = new Map<string, TicketHolder & { readonly until: number }>();
  return {
    issue(holder) {
      const now = clock.monotonic();
      for (const [ticket, { until }] of tickets) {
        // In order of age: the first that lives ends the search.
        if (until > now && tickets.size < MAX_TICKETS) break;
        tickets.delete(ticket);
      }
      const ticket = newToken();
      tickets.set(ticket, { userId: holder.userId, familyId: holder.familyId, until: now + LIFE_MS });
      return { ticket, expiresAt: clock.now() + LIFE_MS };
    },
    redeem(ticket) {
      const holder = tickets.get(ticket);
      if (!holder) return undefined;
      tickets.delete(ticket);
      if (holder.until <= clock.monotonic()) return undefined;
      return { userId: holder.userId, familyId: holder.familyId };
    },
  };
}
