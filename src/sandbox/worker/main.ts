/**
 * The process of one script run: takes one order, runs it, tells the outcome, ends. It holds no secret and no power: what
 * it asks for over its pipe is decided on the other side. A fault ends it with a code and without an outcome.
 */
import { runScript, type Broker, type ScriptOutcome } from '../script/index.ts';
import {
  FRAMES,
  MESSAGE_CHARACTERS,
  MESSAGE_LIMITS,
  parseExact,
  stringifyExact,
  WORKER_FDS,
  type BrokerAnswer,
  type RunOrder,
} from '../wire/index.ts';
import { openPipes } from './pipes.ts';

/** Two of the most that an answer holds: a character may be up to six bytes. */
const pipes = openPipes(WORKER_FDS.in, WORKER_FDS.out, 2 * MESSAGE_LIMITS.answer);
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Everything is loaded and has run once before the first order comes. */
function warmUp(): void {
  const broker: Broker = { ask: () => ({ found: false }) };
  const source =
    'def main(n = 20):\n  out = [{"a": i, "b": "%d!" % i} for i in range(n) if i % 2]\n  return json.decode(json.encode({"n": out, "s": secrets.get("X"), "t": time.now()}))\n';
  const { error } = runScript({ name: 'warm-up', source, now: 0 }, { broker, wait: () => undefined });
  if (error !== null) throw new Error(error.message);
}

function nextLine(): string {
  const line = pipes.readLine();
  // The parent is gone, or it has no work for us.
  if (line === undefined) process.exit(0);
  return line;
}

const broker: Broker = {
  ask(request) {
    pipes.writeLine(FRAMES.question + JSON.stringify(request));
    return JSON.parse(nextLine()) as BrokerAnswer;
  },
};

function bounded(outcome: ScriptOutcome): ScriptOutcome {
  const { error } = outcome;
  if (error === null || error.message.length <= MESSAGE_CHARACTERS) return outcome;
  const message = error.message.slice(0, MESSAGE_CHARACTERS).toWellFormed();
  return { ...outcome, error: { ...error, message } };
}

warmUp();
pipes.writeLine(FRAMES.ready);
const order = parseExact(nextLine()) as RunOrder;
const outcome = runScript(order, { broker, wait: (ms) => void Atomics.wait(pause, 0, 0, ms) });
pipes.writeLine(FRAMES.outcome + stringifyExact(bounded(outcome)));
