/** A message that another page wants sent as soon as a new conversation is open. Kept in memory, taken once. */
const waiting = new Map<string, string>();

export function handOver(conversationId: string, text: string): void {
  waiting.set(conversationId, text);
}

export function takeOver(conversationId: string): string | undefined {
  const text = waiting.get(conversationId);
  waiting.delete(conversationId);
  return text;
}
