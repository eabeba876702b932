import type { WebSocket } from 'ws';

/** Bytes that may lie in the socket's own buffer before we hold the rest back. */
const HIGH_WATER = 256 * 1024;

export interface Outbox {
  /**
   * Sends in order. A waiting text with the same key is replaced: a newer text of a part holds the older one.
   * Says no when too much waits; nothing more is taken then.
   */
  push(text: string, key?: string): boolean;
  /** Calls back when all that was taken has left. */
  onEmpty(done: () => void): void;
}

/** What waits for a client that reads slowly, bounded in bytes. */
export function createOutbox(socket: WebSocket, maxBytes: number): Outbox {
  // Insertion order is the order of sending; a replaced text goes to the end, where its newer seq belongs.
  const waiting = new Map<string, string>();
  let unkeyed = 0;
  let bytes = 0;
  let full = false;
  let whenEmpty: (() => void) | undefined;

  function pump(): void {
    for (const [key, text] of waiting) {
      if (socket.readyState !== socket.OPEN || socket.bufferedAmount >= HIGH_WATER) return;
      waiting.delete(key);
      bytes -= Buffer.byteLength(text);
      // An error here is followed by `close`, which ends everything.
      socket.send(text, () => pump());
    }
    if (waiting.size === 0 && socket.bufferedAmount === 0) whenEmpty?.();
  }

  return {
    push(text, key = `#${(unkeyed += 1)}`) {
      if (full) return false;
      const old = waiting.get(key);
      if (old !== undefined) {
        waiting.delete(key);
        bytes -= Buffer.byteLength(old);
      }
      waiting.set(key, text);
      bytes += Buffer.byteLength(text);
      full = bytes > maxBytes;
      pump();
      return !full;
    },
    onEmpty(done) {
      whenEmpty = done;
      pump();
    },
  };
}
