import { AppError } from '../../core/index.ts';

/**
 * Runs an act with a deadline and a stop. The promise settles when either ends, even if the act itself hangs.
 * Errors: `deadline` after `ms` milliseconds, `stopped` when the signal is aborted.
 */
export async function withDeadline<T>(
  ms: number,
  signal: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const end = (error: AppError) => {
      own.abort(error);
      reject(error);
    };
    const timer = setTimeout(
      () =>
        end(
          new AppError({
            family: 'limit',
            code: 'deadline',
            message: `It did not finish within ${ms / 1000} seconds.`,
          }),
        ),
      ms,
    );
    const onStop = () =>
      end(
        new AppError({
          family: 'limit',
          code: 'stopped',
          message: 'It was stopped while it ran; whether it took effect is not known.',
        }),
      );
    if (signal.aborted) {
      clearTimeout(timer);
      return onStop();
    }
    signal.addEventListener('abort', onStop, { once: true });
    act(own.signal)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onStop);
      });
  });
}
