/** `time.sleep(seconds)`. */
import {
  HostError,
  native,
  StarFloat,
  wrongType,
  type Native,
  type Thread,
  type Value,
} from '../starlark/index.ts';

/** Longest single sleep, in milliseconds. */
const LONGEST = 5_000;
/** What a sleep costs in steps. */
const SLEEP_STEPS = 100;

/**
 * Up to five seconds; longer ones are cut to that, zero and less return at once. `wait` blocks for that many
 * milliseconds. Throws `sleep_limit` when all sleeps together would be longer than `most`.
 */
export function createSleep(wait: (ms: number) => void, most: number): Native {
  let left = most;
  return native('sleep(seconds)', (t: Thread, _self, seconds: Value) => {
    const given = seconds instanceof StarFloat ? seconds.value : seconds;
    if (typeof given !== 'number' && typeof given !== 'bigint')
      throw wrongType('time.sleep', 'seconds', seconds, 'int or float');
    t.charge(SLEEP_STEPS);
    const ms = Math.min(LONGEST, Math.round(Number(given) * 1_000));
    // NaN waits for nothing either.
    if (!(ms > 0)) return null;
    if (ms > left)
      throw new HostError('sleep_limit', `the script sleeps for more than ${most / 1_000} seconds in all`);
    left -= ms;
    wait(ms);
    return null;
  });
}
