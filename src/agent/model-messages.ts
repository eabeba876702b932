import type { AssistantModelMessage, ModelMessage, ToolModelMessage } from 'ai';

import type { HistoryMessage } from '../core/index.ts';

/** The history of a conversation in the words of the `ai` package. Empty assistant messages are left out: providers refuse them. */
export function toModelMessages(history: readonly HistoryMessage[]): ModelMessage[] {
  const messages: ModelMessage[] = [];
  for (const message of history) {
    switch (message.role) {
      case 'user':
        messages.push({ role: 'user', content: message.text });
        break;
      case 'assistant': {
        const content: Exclude<AssistantModelMessage['content'], string> = [];
        if (message.text !== '') content.push({ type: 'text', text: message.text });
        for (const call of message.calls) {
          content.push({
            type: 'tool-call',
            toolCallId: call.id,
            toolName: call.name,
            input: call.arguments,
          });
        }
        if (content.length > 0) messages.push({ role: 'assistant', content });
        break;
      }
      case 'tool': {
        const content: ToolModelMessage['content'] = message.results.map((result) => ({
          type: 'tool-result',
          toolCallId: result.id,
          toolName: result.name,
          output: { type: result.is_error ? 'error-text' : 'text', value: result.text },
        }));
        if (content.length > 0) messages.push({ role: 'tool', content });
        break;
      }
    }
  }
  return messages;
}
