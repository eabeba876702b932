/** What the demo understands of a message. Fixed rules, tried in order; nothing here thinks. */
export type DemoIntent =
  | { readonly kind: 'greet' | 'thanks' | 'help' | 'unknown' }
  | { readonly kind: 'calls'; readonly calls: readonly DemoCall[] };

export interface DemoCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, string | boolean>>;
}

const MAX_READS = 8;

const DEMO_SCRIPT = `# @description: Says hello
# @secrets: none

def main(name = "world"):
    return "Hello, " + name
`;

/** Only the first words matter beyond this; what is to be written may be long. */
const MAX_COMMAND = 500;

export function understand(message: string): DemoIntent {
  const text = message.trim().replace(/^(please|could you|can you|would you)\s+(please\s+)?/i, '');
  return (
    toRemember(text) ??
    toPropose(text) ??
    toWrite(text) ??
    (text.length > MAX_COMMAND
      ? undefined
      : (memory(text) ?? toRun(text) ?? toList(text) ?? toRead(text) ?? smallTalk(text))) ?? {
      kind: 'unknown',
    }
  );
}

function toRemember(text: string): DemoIntent | undefined {
  const match = /^remember(?:\s+that)?\s*[:,]?\s+(\S.*)$/is.exec(text);
  const fact = match?.[1]?.trim();
  if (fact === undefined) return undefined;
  // One fact, one line of the list.
  return call('memory_write', { content: `- ${fact.replaceAll(/\s*\n\s*/g, ' ')}\n`, append: true });
}

function toWrite(text: string): DemoIntent | undefined {
  const quoted = /^(?:write|save|put)\s+["“](.*)["”]\s+(?:in)?to\s+(?:the\s+)?(?:file\s+)?(\S+)$/is.exec(
    text,
  );
  if (quoted) return call('workspace_write', { path: path(quoted[2]), content: line(quoted[1]) });
  const plain =
    /^(?:write|save|create)\s+(?:(?:in)?to\s+)?(?:a\s+|the\s+)?(?:file\s+)?([^\s:]+)\s*:\s*(\S.*)$/is.exec(
      text,
    );
  if (plain) return call('workspace_write', { path: path(plain[1]), content: line(plain[2]) });
  return undefined;
}

/** Always the same script: nothing here could write another. */
function toPropose(text: string): DemoIntent | undefined {
  const match =
    /^(?:write|propose|make|create)(?:\s+me)?\s+(?:a\s+)?(?:new\s+|small\s+)?script(?:\s+(?:called\s+|named\s+)?["'`]?([a-z0-9_][a-z0-9_-]{0,63})["'`]?)?(?:\s+that\s+says\s+hello)?[.!?]*$/i.exec(
      text,
    );
  if (!match) return undefined;
  return call('script_write', {
    name: match[1] ?? 'hello',
    source: DEMO_SCRIPT,
    message: 'Says hello: to see how a script is approved and run.',
  });
}

function toRun(text: string): DemoIntent | undefined {
  const match =
    /^(?:run|start)\s+(?:(?:the|my)\s+)?(?:script\s+)?["'`]?([a-z0-9_][a-z0-9_-]{0,63})["'`]?[.!?]*$/i.exec(
      text,
    );
  return match?.[1] === undefined ? undefined : call('script_run', { name: match[1] });
}

function memory(text: string): DemoIntent | undefined {
  if (
    /\bwhat(?:'s|’s|\s+is)\s+in\s+(?:my|your|the)\s+memory\b/i.test(text) ||
    /^(?:read|show|open|list)(?:\s+me)?\s+(?:my|your|the)?\s*memory\b/i.test(text) ||
    /\bwhat\s+do\s+you\s+(?:remember|know\s+about\s+me)\b/i.test(text)
  ) {
    return call('memory_read', {});
  }
  return undefined;
}

function toList(text: string): DemoIntent | undefined {
  if (/\bwhat\s+files\b|\bwhich\s+files\b/i.test(text)) return call('workspace_list', {});
  const match =
    /^(?:list|ls|dir|show)(?:\s+me)?(?:\s+(?:all|the|my|your))*(?:\s+(?:files|folders?|workspace|everything))*(?:\s+(?:in|of|below|under))?(?:\s+(?:the\s+)?(?:folder\s+)?(\S+))?[.!?]*$/i.exec(
      text,
    );
  if (!match) return undefined;
  const folder = path(match[1]);
  return call('workspace_list', folder === '' ? {} : { path: folder });
}

function toRead(text: string): DemoIntent | undefined {
  const match = /^(?:read|open|cat|show)(?:\s+me)?\s+(?:the\s+)?(?:files?\s+)?(\S.*)$/is.exec(text);
  if (!match) return undefined;
  const files = (match[1] ?? '')
    .split(/\s*,\s*(?:and\s+)?|\s+and\s+/i)
    .map((file) => path(file.trim()))
    .filter((file) => file !== '');
  if (files.length === 0 || files.some((file) => /\s/.test(file))) return undefined;
  return {
    kind: 'calls',
    calls: files.slice(0, MAX_READS).map((file) => ({ name: 'workspace_read', arguments: { path: file } })),
  };
}

function smallTalk(text: string): DemoIntent | undefined {
  if (/^(?:hi|hello|hey|hallo|good\s+(?:morning|afternoon|evening|day))\b/i.test(text))
    return { kind: 'greet' };
  if (/^(?:thanks|thank\s+you|thx)\b/i.test(text)) return { kind: 'thanks' };
  if (/^(?:help|\?+)\W*$|\bwhat\s+can\s+you\s+do\b|\bwho\s+are\s+you\b|\bwhat\s+are\s+you\b/i.test(text)) {
    return { kind: 'help' };
  }
  return undefined;
}

function call(name: string, args: DemoCall['arguments']): DemoIntent {
  return { kind: 'calls', calls: [{ name, arguments: args }] };
}

/** As a person writes it in a sentence: in quotes, with the sentence's own full stop or question mark. */
function path(text: string | undefined): string {
  const bare = (text ?? '').replaceAll(/^["'`“”]+|["'`“”]+[.!?]?$/g, '').replace(/[?!,;]+$/, '');
  return /[^./]\.$/.test(bare) ? bare.slice(0, -1) : bare;
}

function line(text: string | undefined): string {
  return `${(text ?? '').trimEnd()}\n`;
}
