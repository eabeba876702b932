import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useParams } from '@tanstack/react-router';
import { MessageSquare, Plus } from 'lucide-react';
import { systemStatus } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { Notice } from '../ui/notice.tsx';
import { usePageTitle } from '../ui/page.tsx';
import { ConversationList } from './conversation-list.tsx';
import { ConversationView } from './conversation-view.tsx';
import { useNewConversation } from './new-conversation.ts';
import { Suggestions } from './suggestions.tsx';

const route = getRouteApi('/app/chat');

/** The list on the left, a conversation on the right; on a phone one of the two. */
export function ChatPage() {
  const { q = '' } = route.useSearch();
  const { id = null } = useParams({ strict: false });
  return (
    <div className="flex h-full min-h-0">
      <div
        className={cx(
          'w-[264px] shrink-0 border-r border-line max-md:w-full max-md:border-r-0',
          id && 'max-md:hidden',
        )}
      >
        <ConversationList active={id} q={q} />
      </div>
      <div className={cx('min-w-0 flex-1', !id && 'max-md:hidden')}>
        {id ? <ConversationView key={id} id={id} /> : <NothingOpen />}
      </div>
    </div>
  );
}

function NothingOpen() {
  usePageTitle('Chat');
  const { create, busy, problem } = useNewConversation();
  const name = useQuery(systemStatus).data?.agent_name;
  return (
    <div className="flex h-full flex-col items-center justify-center gap-6 px-6">
      <div className="flex flex-col items-center gap-2 text-center">
        <MessageSquare aria-hidden size={24} className="text-faint" />
        <h2 className="text-[16px] leading-6 font-semibold">Talk to {name || 'your assistant'}</h2>
        <p className="max-w-[400px] text-muted">
          Every step it takes stands in the conversation. What needs your approval waits for you.
        </p>
      </div>
      <Suggestions disabled={busy} onPick={(text) => void create(text)} />
      <Button tone="primary" busy={busy} icon={<Plus aria-hidden size={16} />} onClick={() => void create()}>
        New conversation
      </Button>
      {problem && <Notice tone="stop">{problem}</Notice>}
    </div>
  );
}
