import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { MessageSquare, Plus, Search, Trash2 } from 'lucide-react';
import { useCallback, useRef, useState } from 'react';
import { call } from '../api/client.ts';
import { conversations, queryClient } from '../api/queries.ts';
import type { Conversation, TurnStatus } from '../api/types.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { Confirm } from '../ui/dialog.tsx';
import { INPUT_CLASS } from '../ui/field.tsx';
import { useListKeys } from '../ui/list-keys.ts';
import { Problem } from '../ui/notice.tsx';
import { Empty, SkeletonRows } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { useNewConversation } from './new-conversation.ts';

export function titleOf(conversation: Pick<Conversation, 'title'>): string {
  return conversation.title.trim() === '' ? 'New conversation' : conversation.title;
}

/** The conversations, newest first, with a search that lives in the address. */
export function ConversationList({ active, q }: { readonly active: string | null; readonly q: string }) {
  const navigate = useNavigate();
  const { data, error, refetch, isFetching } = useQuery(conversations);
  const { create, busy, problem } = useNewConversation();
  const [doomed, setDoomed] = useState<Conversation | null>(null);
  // An open conversation is what the page is about, and has the first heading.
  const Heading = active === null ? 'h1' : 'h2';
  const list = useRef<HTMLUListElement>(null);
  const leave = useCallback(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  }, []);
  useListKeys(list, leave);
  const sorted = [...(data ?? [])].sort((a, b) => b.time.updated.localeCompare(a.time.updated));
  const found = sorted.filter((each) => titleOf(each).toLowerCase().includes(q.toLowerCase()));

  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex h-14 shrink-0 items-center justify-between gap-2 pr-2 pl-4">
        <Heading className="text-[16px] font-semibold">Conversations</Heading>
        <Button
          small
          busy={busy}
          icon={<Plus aria-hidden size={16} />}
          className="max-md:h-9 max-md:px-3"
          onClick={() => void create()}
          data-testid="new-conversation"
        >
          New
        </Button>
      </div>
      {problem && (
        <p role="alert" className="px-4 pb-2 text-meta text-stop">
          {problem}
        </p>
      )}
      {(sorted.length > 5 || q !== '') && (
        <div className="relative px-2 pb-2">
          <Search
            aria-hidden
            size={14}
            className="pointer-events-none absolute top-[11px] left-5 text-faint max-md:top-[15px]"
          />
          <input
            type="search"
            aria-label="Search the conversations by title"
            placeholder="Search"
            value={q}
            onChange={(event) => {
              const next = event.target.value;
              void navigate({ to: '.', search: next === '' ? {} : { q: next }, replace: true });
            }}
            className={cx(INPUT_CLASS, 'pl-8')}
          />
        </div>
      )}
      <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-2">
        {error && !data ? (
          <Problem
            error={error}
            what="The conversations could not be loaded."
            busy={isFetching}
            onRetry={() => void refetch()}
          />
        ) : !data ? (
          <SkeletonRows count={6} className="h-12 px-2" />
        ) : found.length === 0 ? (
          <Empty
            icon={<MessageSquare aria-hidden size={20} />}
            title={q === '' ? 'No conversations yet' : 'No title has that'}
          >
            {q === ''
              ? 'What you and the assistant say to each other is kept here. Start one with New.'
              : 'Only titles are searched.'}
          </Empty>
        ) : (
          <ul ref={list} className="flex flex-col gap-0.5">
            {found.map((each) => (
              <li
                key={each.id}
                className={cx(
                  'group relative flex items-center rounded-md',
                  each.id === active ? 'bg-selected' : 'hover:bg-hover',
                )}
              >
                <Link
                  to="/chat/$id"
                  params={{ id: each.id }}
                  search={q === '' ? {} : { q }}
                  data-row
                  data-testid="conversation-item"
                  data-conversation={each.id}
                  aria-current={each.id === active ? 'page' : undefined}
                  className="flex h-12 min-w-0 flex-1 flex-col justify-center rounded-md px-2 max-md:h-14"
                >
                  <span className="truncate text-body">{titleOf(each)}</span>
                  <span className="flex items-center gap-1 text-mini text-faint">
                    <StatusWord status={each.status} />
                    <Time iso={each.time.updated} />
                  </span>
                </Link>
                <IconButton
                  label={`Delete “${titleOf(each)}”`}
                  data-testid="conversation-delete"
                  onClick={() => setDoomed(each)}
                  className="mr-1 size-7 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 focus-visible:opacity-100 max-md:opacity-100"
                >
                  <Trash2 aria-hidden size={14} />
                </IconButton>
              </li>
            ))}
          </ul>
        )}
      </div>
      <DeleteConversation
        conversation={doomed}
        onClose={() => setDoomed(null)}
        onDeleted={(id) => {
          if (id === active) void navigate({ to: '/chat' });
        }}
      />
    </div>
  );
}

export function DeleteConversation({
  conversation,
  onClose,
  onDeleted,
}: {
  readonly conversation: Conversation | null;
  readonly onClose: () => void;
  readonly onDeleted: (id: string) => void;
}) {
  // The name stays in the dialog while it closes.
  const [last, setLast] = useState(conversation);
  if (conversation && conversation !== last) setLast(conversation);
  const shown = conversation ?? last;
  return (
    <Confirm
      open={conversation !== null}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Delete this conversation"
      act="Delete it for good"
      testId="delete-dialog"
      onAct={async () => {
        if (!conversation) return;
        await call('DELETE', `/api/sessions/${encodeURIComponent(conversation.id)}`);
        queryClient.setQueryData<readonly Conversation[]>(conversations.queryKey, (old) =>
          old?.filter((each) => each.id !== conversation.id),
        );
        onDeleted(conversation.id);
      }}
    >
      “{shown ? titleOf(shown) : ''}” and everything in it will be gone; nothing brings it back. Files and
      memory that the assistant wrote stay, and so do the entries in the activity log.
    </Confirm>
  );
}

const WORDS: Partial<Record<TurnStatus, { readonly word: string; readonly dot: string }>> = {
  queued: { word: 'Queued', dot: 'bg-faint' },
  running: { word: 'Running', dot: 'bg-ai dot-live' },
  waiting: { word: 'Waits for you', dot: 'bg-ask' },
  failed: { word: 'Failed', dot: 'bg-stop' },
  interrupted: { word: 'Interrupted', dot: 'bg-stop' },
};

function StatusWord({ status }: { readonly status: TurnStatus | null }) {
  const found = status ? WORDS[status] : undefined;
  if (!found) return null;
  return (
    <span className="flex items-center gap-1">
      <span aria-hidden className={cx('size-1.5 rounded-full', found.dot)} />
      <span className="text-muted">{found.word}</span>
      <span aria-hidden>·</span>
    </span>
  );
}
