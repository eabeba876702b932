import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { MessageSquare, Plus, Trash2 } from 'lucide-react';
import { useCallback, useRef, useState } from 'react';
import { call } from '../api/client.ts';
import { conversations, conversationSearch, queryClient } from '../api/queries.ts';
import type { Conversation, TurnStatus } from '../api/types.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { Confirm } from '../ui/dialog.tsx';
import { useListKeys } from '../ui/list-keys.ts';
import { Problem } from '../ui/notice.tsx';
import { Empty, SkeletonRows } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { WordsField } from '../ui/words-field.tsx';
import { useNewConversation } from './new-conversation.ts';
import { useOlderConversations } from './use-older-conversations.ts';

export function titleOf(conversation: Pick<Conversation, 'title'>): string {
  return conversation.title.trim() === '' ? 'New conversation' : conversation.title;
}

/** The conversations, newest first, with a search that lives in the address. */
export function ConversationList({ active, q }: { readonly active: string | null; readonly q: string }) {
  const navigate = useNavigate();
  const all = useQuery(conversations);
  const asked = q.trim();
  const search = useQuery(conversationSearch(asked));
  const { data, error, refetch, isFetching } = asked === '' ? all : search;
  const { create, busy, problem } = useNewConversation();
  const [doomed, setDoomed] = useState<Conversation | null>(null);
  // An open conversation is what the page is about, and has the first heading.
  const Heading = active === null ? 'h1' : 'h2';
  const list = useRef<HTMLUListElement>(null);
  const leave = useCallback(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  }, []);
  useListKeys(list, leave);
  const look = useCallback(
    (text: string) => void navigate({ to: '.', search: text === '' ? {} : { q: text }, replace: true }),
    [navigate],
  );
  const older = useOlderConversations(all.data ?? []);
  const sorted = [...(data ?? []), ...(asked === '' ? older.list : [])].sort((a, b) =>
    b.time.updated.localeCompare(a.time.updated),
  );

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
      {((all.data?.length ?? 0) > 5 || q !== '') && (
        <WordsField
          label="Search titles and messages"
          value={q}
          onChange={look}
          testId="conversation-search"
          className="mx-2 mb-2"
        />
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
        ) : sorted.length === 0 ? (
          <Empty
            icon={<MessageSquare aria-hidden size={20} />}
            title={q === '' ? 'No conversations yet' : 'Nothing has these words'}
          >
            {q === ''
              ? 'What you and the assistant say to each other is kept here. Start one with New.'
              : 'Every word must stand in the title, or in one of the messages. What tools returned is not searched.'}
          </Empty>
        ) : (
          <ul ref={list} className="flex flex-col gap-0.5">
            {sorted.map((each) => (
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
                  className={cx(
                    'flex min-w-0 flex-1 flex-col justify-center rounded-md px-2',
                    each.found ? 'gap-0.5 py-1.5' : 'h-12 max-md:h-14',
                  )}
                >
                  <span className="truncate text-body">{titleOf(each)}</span>
                  {each.found && (
                    <span
                      className="line-clamp-2 text-mini text-muted wrap-anywhere"
                      data-testid="conversation-found"
                    >
                      {each.found.role === 'user' ? 'You: ' : ''}
                      <Marked text={each.found.snippet} words={asked} />
                    </span>
                  )}
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
        {asked === '' && older.error && (
          <Problem error={older.error} what="Older conversations could not be loaded." onRetry={older.load} />
        )}
        {asked === '' && data && older.more && (
          <div className="flex justify-center py-2">
            <Button tone="quiet" busy={older.busy} onClick={older.load} data-testid="older-conversations">
              Show older conversations
            </Button>
          </div>
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

/** The words that were searched for, marked in a text. */
function Marked({ text, words }: { readonly text: string; readonly words: string }) {
  const wanted = words.split(/\s+/).filter((word) => word !== '');
  if (wanted.length === 0) return text;
  const pattern = wanted.map((word) => word.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)).join('|');
  // With a group in the pattern every second piece is a word.
  return text.split(new RegExp(`(${pattern})`, 'iu')).map((piece, index) =>
    index % 2 === 0 ? (
      piece
    ) : (
      // oxlint-disable-next-line react/no-array-index-key -- pieces of one text, in their order
      <mark key={index} className="bg-transparent font-semibold text-ink">
        {piece}
      </mark>
    ),
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
        void queryClient.invalidateQueries(conversations);
        void queryClient.invalidateQueries({ queryKey: ['conversations-older'] });
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
