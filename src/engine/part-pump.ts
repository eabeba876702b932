/**
 * Streamed text is sent whole each time, so that a reader can join at any moment; sent at every token a long answer would
 * cost the square of its length. This sends the newest state after a pause that grows with the text: 40 ms at the
 * start, a second at 1 MiB.
 */
export interface PartPump {
  /** The newest state; sent now or after the pause. */
  push(text: string): void;
  /** Sends what still waits, now. */
  end(text: string): void;
  /** Drops what still waits. */
  cancel(): void;
}

const PAUSE_MS = 40;
const CHARACTERS_PER_MS = 1024;

export function createPartPump(send: (text: string) => void): PartPump {
  let waiting: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const pause = (length: number): void => {
    timer = setTimeout(
      () => {
        timer = undefined;
        if (waiting === undefined) return;
        const text = waiting;
        waiting = undefined;
        send(text);
        pause(text.length);
      },
      PAUSE_MS + length / CHARACTERS_PER_MS,
    );
  };
  const cancel = (): void => {
    clearTimeout(timer);
    timer = undefined;
    waiting = undefined;
  };
  return {
    push(text) {
      if (timer !== undefined) {
        waiting = text;
        return;
      }
      send(text);
      pause(text.length);
    },
    end(text) {
      cancel();
      send(text);
    },
    cancel,
  };
}
