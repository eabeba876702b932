import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { call, explain } from '../api/client.ts';
import { conversations, queryClient } from '../api/queries.ts';
import type { Conversation } from '../api/types.ts';
import { handOver } from './first-message.ts';

/** Makes a conversation and goes there, with a first message if one is given. */
export function useNewConversation() {
  const router = useRouter();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  async function create(firstMessage?: string): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      const made = await call<Conversation>('POST', '/api/sessions', { body: {} });
      if (firstMessage) handOver(made.id, firstMessage);
      void queryClient.invalidateQueries(conversations);
      await router.navigate({ to: '/chat/$id', params: { id: made.id } });
    } catch (error) {
      const { message, fix } = explain(error);
      setProblem(fix ? `${message} ${fix}` : message);
    } finally {
      setBusy(false);
    }
  }
  return { create, busy, problem };
}
