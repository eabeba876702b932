// Guarantees: everything of a conversation that the page shows, as it stood when it was asked for, in pieces, with others
// running between two of them: neither its length nor a slow reader is anything that memory or anybody else feels. Secrets
// are hidden once more. A fence around arguments and results is longer than any inside, so that what a tool returned
// can't end it. A conversation that is deleted meanwhile ends in an error, so that a part never looks like the whole.
// Does not: make Markdown of the assistant harmless for other readers, nor split a single event.
import { AppError, type Redactor, type StoredEvent } from '../core/index.ts';
import type { EventSnapshot } from './event-log.ts';
import { replacedTurns as turnsReplacedBy, resultText } from './history.ts';

export interface ExportedConversation {
  readonly id: string;
  readonly title: string;
  readonly time: { readonly created: string; readonly updated: string };
  readonly events: EventSnapshot;
}

export type ExportFormat = 'markdown' | 'json';

/** Characters of a piece, by and large. */
const PIECE = 64 * 1024;
/** Events that give no text and are looked at in a row. */
const LOOKS = 200;

type Mark = EventSnapshot['marks'][number];

/** Ends early, without an error, when whoever reads stops reading. Error: `not_found`, when it is deleted meanwhile. */
export async function* exportConversation(
  conversation: ExportedConversation,
  format: ExportFormat,
  redactor: Redactor,
  now: number,
): AsyncGenerator<string> {
  const parts =
    format === 'json' ? jsonParts(conversation, redactor, now) : hidden(conversation, redactor, now);
  let piece = '';
  let looks = 0;
  for (const part of parts) {
    piece += part;
    looks += 1;
    if (piece.length < PIECE && looks < LOOKS) continue;
    if (piece !== '') yield piece;
    piece = '';
    looks = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (piece !== '') yield piece;
}

function* hidden(conversation: ExportedConversation, redactor: Redactor, now: number): Generator<string> {
  const stream = redactor.stream();
  for (const part of markdownParts(conversation, now)) yield stream.push(part);
  yield stream.end();
}

/** The same facts for machines: the events as the page gets them. */
function* jsonParts(conversation: ExportedConversation, redactor: Redactor, now: number): Generator<string> {
  const { id, title, time, events } = conversation;
  const head = {
    format: 'openpact.conversation',
    version: 1,
    exported: new Date(now).toISOString(),
    id,
    title,
    time,
    replaced_turns: [...replacedTurns(events)],
    events: [],
  };
  const [before, after] = pretty(redactor.json(head).value).split(/(?<="events": \[)(?=\]\n\}$)/);
  yield before ?? '';
  let first = true;
  for (const mark of events.marks) {
    const event = pretty(redactor.json(read(events, mark)).value).replaceAll('\n', '\n    ');
    yield `${first ? '' : ','}\n    ${event}`;
    first = false;
  }
  yield `${first ? '' : '\n  '}${after ?? ''}\n`;
}

/** Each turn together, in the order in which they were asked for. Empty parts let others run between them. */
function* markdownParts({ title, time, events }: ExportedConversation, now: number): Generator<string> {
  const gone = replacedTurns(events);
  yield `# ${title}`;
  yield `\n\nConversation of ${time.created}, last changed ${time.updated}, exported from OpenPact ${new Date(now).toISOString()}.`;
  let speaker = '';
  for (const turn of Map.groupBy(events.marks, (mark) => mark.turn_id).values()) {
    const resultOf = resultsOf(events, turn);
    for (const mark of turn) {
      yield '';
      if (!SHOWN.has(mark.type)) continue;
      const event = read(events, mark);
      const who = speakerOf(event);
      const line = `## ${who}${gone.has(event.turn_id) ? ', replaced by an edit' : ''}`;
      if (who !== undefined && (line !== speaker || who === 'You')) {
        speaker = line;
        yield `\n\n${line}\n\n${event.at}`;
      }
      const result = event.type === 'tool_call' ? yield* resultOf(event.id) : undefined;
      for (const paragraph of paragraphsOf(event, result)) yield `\n\n${paragraph}`;
    }
  }
  yield '\n';
}

const SHOWN: ReadonlySet<string> = new Set<StoredEvent['type']>([
  'user',
  'text',
  'tool_call',
  'error',
  'aborted',
  'switched',
  'trimmed',
]);

/** Undefined: it stands under whoever spoke last. */
function speakerOf({ type }: StoredEvent): 'You' | 'Assistant' | undefined {
  if (type === 'trimmed') return undefined;
  return type === 'user' ? 'You' : 'Assistant';
}

function paragraphsOf(event: StoredEvent, result: Result | undefined): readonly string[] {
  switch (event.type) {
    case 'user':
    case 'text':
      return [event.content];
    case 'tool_call':
      return [
        `**Tool ${code(event.name)}: ${result?.outcome ?? 'no result'}**`,
        fenced('json', typeof event.arguments === 'string' ? event.arguments : pretty(event.arguments)),
        ...(result ? [fenced('', resultText(result.result))] : []),
      ];
    case 'error':
      return [`**Error ${code(event.code)}**: ${event.content}`];
    case 'aborted':
      return [`*Stopped by ${event.by}.*`];
    case 'switched':
      return [
        `*${code(event.from.model)} was unavailable (${code(event.code)}); went on with ${code(event.to.model)} (${event.to.provider}).*`,
      ];
    case 'trimmed':
      return [`*From here on ${event.left_out} earlier messages were left out of what the model got.*`];
    default:
      return [];
  }
}

type Result = Extract<StoredEvent, { type: 'tool_result' }>;

/** Finds the result of a call in its turn. No result is held longer than it is looked at. */
function resultsOf(
  events: EventSnapshot,
  turn: readonly Mark[],
): (callId: string) => Generator<string, Result | undefined> {
  const known = new Map<string, Mark>();
  const unread = turn.filter(({ type }) => type === 'tool_result').values();
  return function* (callId) {
    const seen = known.get(callId);
    if (seen) return asResult(read(events, seen));
    for (let next = unread.next(); !next.done; next = unread.next()) {
      yield '';
      const result = asResult(read(events, next.value));
      if (result?.id === callId) return result;
      if (result) known.set(result.id, next.value);
    }
    return undefined;
  };
}

function asResult(event: StoredEvent): Result | undefined {
  return event.type === 'tool_result' ? event : undefined;
}

function replacedTurns(events: EventSnapshot): ReadonlySet<string | null> {
  const replacing = events.marks.filter(({ type }) => type === 'replaced').map((mark) => read(events, mark));
  return turnsReplacedBy(replacing);
}

function read(events: EventSnapshot, { seq }: Mark): StoredEvent {
  const event = events.read(seq);
  if (event) return event;
  throw new AppError({
    family: 'missing',
    code: 'not_found',
    message: 'The conversation was deleted while it was exported.',
  });
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function fenced(language: string, text: string): string {
  const longest = [...text.matchAll(/`+/g)].reduce((most, [run]) => Math.max(most, run.length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

function code(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``;
}
