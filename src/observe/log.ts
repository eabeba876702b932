// Guarantees: every line passes the redactor as the text that is written, and no text in it can steer a terminal or fake
// a second line. A redactor that fails costs the line, never the secret. Does not: know what is private; callers pass no
// secrets and no message texts. An attacker may control: texts inside messages and facts.
import { pino, type Logger } from 'pino';
import { isoTime, systemClock, type Clock, type Log, type Redactor } from '../core/index.ts';
import { plainFacts } from './plain-facts.ts';
import { textLine, type LogLine } from './text-line.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** JSON lines for machines, or text for people (O-05). */
  readonly json: boolean;
  readonly redactor: Redactor;
  /** Takes whole lines, the line break included. Default: stderr. */
  readonly write?: (line: string) => void;
  readonly clock?: Clock;
}

type Facts = Readonly<Record<string, unknown>>;

/** JSON keys: `level`, `timestamp`, `message`, `component`, then the facts. */
export function createLog(options: LogOptions): Log {
  const { level, json, redactor, clock = systemClock } = options;
  const { write = (line) => void process.stderr.write(line) } = options;
  const emit = (serialised: string): void => {
    let line: string;
    try {
      const text = json ? serialised : `${textLine(JSON.parse(serialised) as LogLine)}\n`;
      line = redactor.text(text).value;
    } catch {
      // What went wrong could quote the line, so nothing of it is said.
      line = json
        ? `{"level":"error","timestamp":"${isoTime(clock.now())}","message":"a log line could not be redacted and was dropped"}\n`
        : `${isoTime(clock.now())}  error  a log line could not be redacted and was dropped\n`;
    }
    write(line);
  };
  const root = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${isoTime(clock.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: emit },
  );
  return wrap(root, null);
}

function wrap(logger: Logger, component: string | null): Log {
  const head = component === null ? {} : { component };
  return {
    debug(message, facts) {
      if (logger.isLevelEnabled('debug')) logger.debug(merged(head, facts), message);
    },
    info: (message, facts) => logger.info(merged(head, facts), message),
    warn: (message, facts) => logger.warn(merged(head, facts), message),
    error: (message, facts) => logger.error(merged(head, facts), message),
    child: (name) => wrap(logger, component === null ? name : `${component}.${name}`),
  };
}

function merged(head: Facts, facts: Facts | undefined): object {
  return facts === undefined ? head : { ...head, ...plainFacts(facts) };
}
