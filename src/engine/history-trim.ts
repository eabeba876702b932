// Guarantees: what comes out is at most `chars` long in at most `messages` messages, unless the newest message alone is
// longer; it is in order; every call stands with its result; the newest message of the person is in it, whole. When
// something is left out, a notice says how much, with the message that began the conversation.
// Does not: count tokens: what a model can take is known in tokens, and a text is measured in characters. An attacker may control: every text in it.
import { canonicalJson, type HistoryMessage } from '../core/index.ts';

export interface HistoryLimits {
  /** UTF-16 units of all texts, arguments and results together. */
  readonly chars: number;
  readonly messages: number;
}

/** For a model whose window is not known: some 50,000 tokens of English. */
export const HISTORY_LIMITS: HistoryLimits = { chars: 200_000, messages: 400 };

/** Of a window; the rest is for the answer, what the assistant is told of itself, and the tools. */
const HISTORY_SHARE = 0.75;
/** English has four. Fewer leave room for other writing and for JSON. */
const CHARS_A_TOKEN = 2;
/** Beyond it a conversation costs more than it helps; the gateway takes no request over 8 MiB. */
const MOST_CHARS = 1_000_000;

/** What a model with a window of so many tokens may be told; null: its window is not known. */
export function historyLimitsFor(windowTokens: number | null): HistoryLimits {
  if (windowTokens === null) return HISTORY_LIMITS;
  const chars = Math.min(MOST_CHARS, Math.floor(windowTokens * HISTORY_SHARE * CHARS_A_TOKEN));
  const scale = chars / HISTORY_LIMITS.chars;
  return { chars, messages: Math.round(HISTORY_LIMITS.messages * Math.max(1, scale)) };
}

/**
 * When it gets too long it is cut down to this part of the limits, so that the beginning then stays the same for some
 * turns: it is told once, and a provider's cache of the beginning is of use.
 */
const KEPT = 0.6;
const OPENING_CHARS = 2_000;
/** The notice's own words are shorter. */
const NOTICE_CHARS = 500;

export interface TrimmedHistory {
  readonly messages: readonly HistoryMessage[];
  /** How many messages are not in it, or not whole. */
  readonly leftOut: number;
}

interface Group {
  readonly messages: readonly HistoryMessage[];
  readonly chars: number;
}

/**
 * The rule: whole turns from the newest backwards (a turn begins with a message of the person). Where the newest turn
 * alone is too long, its message and its newest whole steps (an answer with calls and their results).
 */
export function trimHistory(all: readonly HistoryMessage[], limits: HistoryLimits): TrimmedHistory {
  const turns = group(all, (message) => message.role === 'user');
  const opening = openingOf(all, limits);
  const room = {
    chars: Math.max(0, limits.chars - opening.length - NOTICE_CHARS),
    messages: Math.max(1, limits.messages - 1),
  };
  if (fits(turns, limits)) return { messages: all, leftOut: 0 };
  const kept = turns.slice(startOf(turns, limits, room));
  const newest = kept.at(-1);
  const rest = kept.length === 1 && newest && !fits(kept, room) ? newestSteps(newest, room) : flat(kept);
  const leftOut = all.length - rest.length;
  if (leftOut === 0) return { messages: all, leftOut };
  return { messages: [{ role: 'user', text: notice(leftOut, opening) }, ...rest], leftOut };
}

/** Goes through the turns as they came, so that the same cut comes out until the next one is due. */
function startOf(turns: readonly Group[], limits: HistoryLimits, room: HistoryLimits): number {
  const target = { chars: room.chars * KEPT, messages: room.messages * KEPT };
  let start = 0;
  let sum = { chars: 0, messages: 0 };
  for (const [index, turn] of turns.entries()) {
    sum = { chars: sum.chars + turn.chars, messages: sum.messages + turn.messages.length };
    const most = start === 0 ? limits : room;
    if (sum.chars <= most.chars && sum.messages <= most.messages) continue;
    while (start < index && (sum.chars > target.chars || sum.messages > target.messages)) {
      const oldest = turns[start];
      sum = {
        chars: sum.chars - (oldest?.chars ?? 0),
        messages: sum.messages - (oldest?.messages.length ?? 0),
      };
      start += 1;
    }
  }
  return start;
}

function newestSteps(turn: Group, room: HistoryLimits): HistoryMessage[] {
  const [first, ...rest] = turn.messages;
  if (!first) return [];
  const steps = group(rest, (message) => message.role === 'assistant');
  let chars = charsOf(first);
  let count = 1;
  let start = steps.length;
  while (start > 0) {
    const step = steps[start - 1];
    if (!step || chars + step.chars > room.chars || count + step.messages.length > room.messages) break;
    chars += step.chars;
    count += step.messages.length;
    start -= 1;
  }
  return [first, ...flat(steps.slice(start))];
}

function group(all: readonly HistoryMessage[], begins: (message: HistoryMessage) => boolean): Group[] {
  const groups: HistoryMessage[][] = [];
  for (const message of all) {
    const last = groups.at(-1);
    if (!last || begins(message)) groups.push([message]);
    else last.push(message);
  }
  return groups.map((messages) => ({
    messages,
    chars: messages.reduce((sum, message) => sum + charsOf(message), 0),
  }));
}

function flat(groups: readonly Group[]): HistoryMessage[] {
  return groups.flatMap((each) => each.messages);
}

function fits(groups: readonly Group[], limits: HistoryLimits): boolean {
  const chars = groups.reduce((sum, each) => sum + each.chars, 0);
  const messages = groups.reduce((sum, each) => sum + each.messages.length, 0);
  return chars <= limits.chars && messages <= limits.messages;
}

/** UTF-16 units that a message brings to a prompt, without the provider's own wrapping. */
export function charsOf(message: HistoryMessage): number {
  switch (message.role) {
    case 'user':
      return message.text.length;
    case 'assistant':
      return message.calls.reduce(
        (sum, call) => sum + call.name.length + canonicalJson(call.arguments).length,
        message.text.length,
      );
    case 'tool':
      return message.results.reduce((sum, result) => sum + result.name.length + result.text.length, 0);
  }
}

function openingOf(all: readonly HistoryMessage[], limits: HistoryLimits): string {
  const first = all.find((message) => message.role === 'user');
  const most = Math.min(OPENING_CHARS, Math.floor(limits.chars / 8));
  const text = first?.role === 'user' ? first.text : '';
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most - 1)).toWellFormed()}…`;
}

function notice(leftOut: number, opening: string): string {
  const count = leftOut === 1 ? '1 earlier message' : `${leftOut} earlier messages`;
  return `[Note by OpenPact: ${count} of this conversation, with what was read and done there, ${leftOut === 1 ? 'is' : 'are'} left out here, because it is long. Do not guess what was in there: ask, or read the files again. It began with this message, perhaps shortened:]\n\n${opening}`;
}
