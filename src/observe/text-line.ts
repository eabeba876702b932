export interface LogLine {
  readonly level: string;
  readonly timestamp: string;
  readonly message?: string;
  readonly component?: string;
  readonly [fact: string]: unknown;
}

/** `2025-03-01 10:20:30  warn   gate: what happened (tool=workspace_write, ms=12)`; the time is UTC. */
export function textLine({ level, timestamp, message = '', component, ...facts }: LogLine): string {
  const time = timestamp.slice(0, 19).replace('T', ' ');
  const from = component === undefined ? '' : `${component}: `;
  const stacks: string[] = [];
  const told = Object.entries(facts).map(([name, value]) => `${name}=${shown(value, stacks)}`);
  const tail = told.length === 0 ? '' : ` (${told.join(', ')})`;
  const first = `${time}  ${level.padEnd(5)}  ${visible(from + message)}${visible(tail)}`;
  return [first, ...stacks].join('\n');
}

function shown(value: unknown, stacks: string[]): string {
  if (typeof value === 'string') return /^[^\s"=,()]+$/.test(value) ? value : JSON.stringify(value);
  if (isError(value)) {
    // The first line of a stack repeats the message.
    for (const line of value.stack.split('\n').slice(1)) stacks.push(`    ${visible(line.trim())}`);
    return JSON.stringify(
      typeof value.code !== 'string' ? value.message : `${value.message} (${value.code})`,
    );
  }
  return JSON.stringify(value) ?? String(value);
}

function isError(value: unknown): value is { message: string; stack: string; code?: unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { stack?: unknown }).stack === 'string' &&
    typeof (value as { message?: unknown }).message === 'string'
  );
}

function visible(text: string): string {
  return text.replaceAll(
    /\p{Cc}|[\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
