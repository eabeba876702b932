/** What the demo understands of a message. Fixed rules, tried in order; nothing here thinks. */
export type DemoIntent =
  | { readonly kind: 'greet' | 'thanks' | 'help' | 'unknown' }
  | { readonly kind: 'calls'; readonly calls: readonly DemoCall[] };

export interface DemoCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, string | boolean>>;
}

const MAX_READS = 8;

/** Only the first words matter beyond this; what is to be written may be long. */
const MAX_COMMAND = 500;

export function understand(message: string): DemoIntent {
  const text = message.trim().replace(/^(please|could you|can you|would you)\s+(please\s+)?/i, '');
  return (
    toRemember(text) ??
    toWrite(text) ??
    (text.length > MAX_COMMAND
      ? undefined
      : (memory(text) ?? toList(text) ?? toRead(text) ?? smallTalk(text))) ?? {
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
