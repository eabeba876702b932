import { call } from '../api/client.ts';
import { conversation, conversations, place, queryClient } from '../api/queries.ts';
import type { Conversation, ConversationChange } from '../api/types.ts';

/** Changes the title or the model and shows it everywhere. */
export async function changeConversation(id: string, change: ConversationChange): Promise<void> {
  const changed = await call<Conversation>('PUT', `/api/sessions/${encodeURIComponent(id)}`, {
    body: change,
  });
  place(conversation(id).queryKey, changed);
  void queryClient.invalidateQueries(conversations);
}
