// Guarantees: everything of a conversation that the page shows, in one text; a fence around arguments and results is
// longer than any inside, so that what a tool returned can't end it.
// Does not: hide secrets (the caller redacts the whole), nor make Markdown of the assistant harmless for other readers.
import type { Json, StoredEvent } from '../core/index.ts';
import { replacedTurns, resultText } from './history.ts';

export interface ExportedConversation {
  readonly id: string;
  readonly title: string;
  readonly time: { readonly created: string; readonly updated: string };
  readonly events: readonly StoredEvent[];
}

export type ExportFormat = 'markdown' | 'json';

/** The same facts for machines: the events as the page gets them. */
export function exportJson(conversation: ExportedConversation, now: number): object {
  const { id, title, time, events } = conversation;
  return {
    format: 'openpact.conversation',
    version: 1,
    exported: new Date(now).toISOString(),
    id,
    title,
    time,
    replaced_turns: [...replacedTurns(events)],
    events,
  };
}

export function exportMarkdown(conversation: ExportedConversation, now: number): string {
  const { title, time, events } = conversation;
  const gone = replacedTurns(events);
  const out = [
    `# ${title}`,
    `Conversation of ${time.created}, last changed ${time.updated}, exported from OpenPact ${new Date(now).toISOString()}.`,
  ];
  let speaker = '';
  const heading = (who: string, event: StoredEvent): void => {
    const old = event.turn_id !== null && gone.has(event.turn_id) ? ', replaced by an edit' : '';
    const line = `## ${who}${old}`;
    if (line === speaker && who !== 'You') return;
    speaker = line;
    out.push(`${line}\n\n${event.at}`);
  };
  const results = new Map(
    events.flatMap((event) =>
      event.type === 'tool_result' ? [[`${event.turn_id}/${event.id}`, event] as const] : [],
    ),
  );
  for (const event of inTurns(events)) {
    switch (event.type) {
      case 'user':
        heading('You', event);
        out.push(event.content);
        break;
      case 'text':
        heading('Assistant', event);
        out.push(event.content);
        break;
      case 'tool_call': {
        heading('Assistant', event);
        const result = results.get(`${event.turn_id}/${event.id}`);
        out.push(`**Tool ${code(event.name)}: ${result?.outcome ?? 'no result'}**`);
        out.push(fenced('json', pretty(event.arguments)));
        if (result) out.push(fenced('', resultText(result.result)));
        break;
      }
      case 'error':
        heading('Assistant', event);
        out.push(`**Error ${code(event.code)}**: ${event.content}`);
        break;
      case 'aborted':
        heading('Assistant', event);
        out.push(`*Stopped by ${event.by}.*`);
        break;
      case 'switched':
        heading('Assistant', event);
        out.push(
          `*${code(event.from.model)} was unavailable (${code(event.code)}); went on with ${code(event.to.model)} (${event.to.provider}).*`,
        );
        break;
      case 'trimmed':
        out.push(`*From here on ${event.left_out} earlier messages were left out of what the model got.*`);
        break;
      default:
        break;
    }
  }
  return `${out.join('\n\n')}\n`;
}

/** Each turn together, in the order in which they were asked for. */
function inTurns(events: readonly StoredEvent[]): readonly StoredEvent[] {
  return [...Map.groupBy(events, (event) => event.turn_id).values()].flat();
}

function pretty(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

function fenced(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

function code(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``;
}
