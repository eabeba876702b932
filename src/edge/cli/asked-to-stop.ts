const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** At a terminal both the starter and we get Ctrl-C, and the starter passes its own on. */
const SAME_ASK_MS = 500;

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP, or when the starter is gone, to what it was. From then on the process
 * has `deadlineMs` to end by itself; a second ask ends it at once. Both with exit code 1.
 */
export function askedToStop(deadlineMs: number): Promise<string> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const asked = (by: string): void => {
      const now = performance.now();
      if (first === undefined) {
        first = now;
        setTimeout(() => process.exit(1), deadlineMs).unref();
        resolve(by);
      } else if (by !== 'disconnect' && now - first > SAME_ASK_MS) {
        process.exit(1);
      }
    };
    for (const signal of SIGNALS) process.on(signal, () => asked(signal));
    process.on('disconnect', () => asked('disconnect'));
    // The starter may have gone before anybody listened.
    if ('send' in process && !process.connected) asked('disconnect');
  });
}
