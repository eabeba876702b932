import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { ArrowDown, ArrowLeft, Trash2 } from 'lucide-react';
import { useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore, type RefObject } from 'react';
import { CallError } from '../api/client.ts';
import {
  conversation as conversationQuery,
  conversations,
  models,
  queryClient,
  refreshApprovals,
  systemStatus,
} from '../api/queries.ts';
import type { Conversation } from '../api/types.ts';
import { Button, buttonClass } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { Empty, usePageTitle } from '../ui/page.tsx';
import { AskDock } from './ask-dock.tsx';
import { Composer } from './composer.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { contextUsage } from './context-usage.ts';
import { ConversationMenu } from './conversation-menu.tsx';
import { ConversationModelDialog } from './conversation-model.tsx';
import { ConversationTitle } from './conversation-title.tsx';
import { DeleteConversation, titleOf } from './conversation-list.tsx';
import { ConversationStore, type StoreHooks } from './conversation-store.ts';
import { takeOver } from './first-message.ts';
import { useLiveWords } from './live-words.ts';
import { Suggestions } from './suggestions.tsx';
import { TranscriptView } from './transcript-view.tsx';
import { useStickToBottom } from './use-stick-to-bottom.ts';

const HOOKS: StoreHooks = {
  onEvents(types) {
    if (types.has('approval') || types.has('approval_decided')) refreshApprovals();
    if (types.has('user') || types.has('done') || types.has('approval')) {
      void queryClient.invalidateQueries(conversations);
      void queryClient.invalidateQueries({ queryKey: ['conversation'] });
      void queryClient.invalidateQueries(systemStatus);
    }
  },
};

/** The store lives exactly as long as its conversation is on the screen. */
function useStore(id: string): ConversationStore | null {
  const [store, setStore] = useState<ConversationStore | null>(null);
  useEffect(() => {
    const made = new ConversationStore(id, HOOKS);
    // oxlint-disable-next-line react/set-state-in-effect -- it owns a socket, which only an effect may open
    setStore(made);
    return () => made.close();
  }, [id]);
  return store;
}

export function ConversationView({ id }: { readonly id: string }) {
  const store = useStore(id);
  const { data, error } = useQuery(conversationQuery(id));
  if (error instanceof CallError && error.status === 404) return <Gone />;
  return store ? <OpenConversation id={id} store={store} conversation={data ?? null} /> : null;
}

function OpenConversation({
  id,
  store,
  conversation,
}: {
  readonly id: string;
  readonly store: ConversationStore;
  readonly conversation: Conversation | null;
}) {
  const navigate = useNavigate();
  const state = useSyncExternalStore(store.subscribe, store.snapshot);
  const { transcript, ready } = state;
  const status = useQuery(systemStatus).data;
  const chosen = useQuery(models).data;
  const [deleting, setDeleting] = useState(false);
  const [renaming, setRenaming] = useState(false);
  const [choosing, setChoosing] = useState(false);
  const name = status?.agent_name || 'Assistant';
  const running = transcript.open.size > 0;
  // What is on its way is shown, also before the server has told of the rest.
  const shown = ready || transcript.items.length > 0 || state.outgoing.length > 0;
  const { scroller, unseen, toBottom, onScroll } = useStickToBottom(
    // Not what is put in front: that is no news.
    state.outgoing.length === 0 ? `${transcript.seq}/${transcript.open.size}` : state,
    shown,
  );
  usePlaceWhenGrown(scroller, transcript.from);
  const words = useLiveWords(transcript, ready, name);
  const listed = useQuery({ ...conversations, enabled: false }).data?.find((each) => each.id === id);
  const title = conversation ? titleOf(conversation) : listed ? titleOf(listed) : '';
  usePageTitle(title === '' ? 'Chat' : title);

  useEffect(() => {
    if (!ready) return;
    const first = takeOver(id);
    if (first) store.send(first);
  }, [ready, id, store]);

  function send(text: string) {
    store.send(text);
    toBottom();
  }

  const own = conversation?.model ?? null;
  const fallback = conversation?.fallback ?? 'default';
  const used = own ?? chosen?.default ?? null;
  const model = used
    ? { demo: used.provider === 'demo', label: `${used.model} (${used.provider})`, own: own !== null }
    : null;
  const empty = ready && transcript.items.length === 0 && state.outgoing.length === 0;

  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex h-14 shrink-0 items-center gap-2 border-b border-line pr-3 pl-6 max-md:pl-2">
        <Link
          to="/chat"
          aria-label="Back to the conversations"
          className="flex size-10 items-center justify-center rounded-md text-muted hover:bg-hover md:hidden"
        >
          <ArrowLeft aria-hidden size={20} />
        </Link>
        <ConversationTitle id={id} title={title} editing={renaming} onDone={() => setRenaming(false)} />
        <ConversationMenu
          id={id}
          title={title}
          onRename={() => setRenaming(true)}
          onDelete={() => setDeleting(true)}
        />
      </header>
      <ConnectionBanner connection={state.connection} onRetry={() => store.reconnect()} />
      <div className="relative min-h-0 flex-1">
        <div
          ref={scroller}
          onScroll={(event) => {
            onScroll();
            if (event.currentTarget.scrollTop < NEAR_TOP) void store.loadEarlier();
          }}
          className="h-full overflow-y-auto overscroll-contain [overflow-anchor:none]"
          data-testid="transcript"
        >
          <div className="mx-auto flex min-h-full max-w-[760px] flex-col px-6 py-6 max-md:px-4">
            {empty ? (
              <div className="flex flex-1 flex-col items-center justify-center gap-4">
                <p className="text-muted">Nothing has been said here yet.</p>
                <Suggestions disabled={false} onPick={send} />
              </div>
            ) : shown ? (
              <>
                {transcript.from > 0 && (
                  <Button
                    tone="quiet"
                    className="mb-4 self-center"
                    busy={state.loadingEarlier}
                    onClick={() => void store.loadEarlier()}
                    data-testid="earlier-messages"
                  >
                    Show earlier messages
                  </Button>
                )}
                <TranscriptView
                  transcript={transcript}
                  outgoing={state.outgoing}
                  name={name}
                  demoByDefault={model?.demo ?? false}
                  stopping={state.stopping}
                  onRetry={() => store.retry()}
                  onContinue={() => store.goOn()}
                  onSendAgain={(key) => store.sendAgain(key)}
                  onDiscard={(key) => store.discard(key)}
                  onEdit={(messageId, text) => store.edit(messageId, text)}
                />
              </>
            ) : (
              <TranscriptSkeleton />
            )}
          </div>
        </div>
        {unseen && (
          <button
            type="button"
            onClick={toBottom}
            data-testid="new-messages"
            className="absolute bottom-3 left-1/2 flex h-8 -translate-x-1/2 items-center gap-2 rounded-full border border-line bg-raised px-3 text-meta font-medium shadow-pop hover:bg-hover"
          >
            <ArrowDown aria-hidden size={14} />
            New messages
          </button>
        )}
      </div>
      <div className="mx-auto flex w-full max-w-[760px] shrink-0 flex-col gap-2 px-6 pb-[max(8px,env(safe-area-inset-bottom))] max-md:px-3">
        <AskDock conversation={id} transcript={transcript} agentName={name} />
        {state.refusal && (
          <Notice
            tone="ask"
            action={
              <button
                type="button"
                className={buttonClass('quiet', true)}
                onClick={() => store.dismissRefusal()}
              >
                Dismiss
              </button>
            }
          >
            {state.refusal}
          </Notice>
        )}
        <Composer
          conversationId={id}
          running={running}
          stopping={state.stopping}
          model={model}
          context={contextUsage(transcript, used, chosen?.models ?? [])}
          onModel={() => setChoosing(true)}
          onSend={send}
          onStop={() => void store.stop()}
        />
      </div>
      <div aria-live="polite" role="status" className="sr-only">
        {words}
      </div>
      <ConversationModelDialog
        id={id}
        own={own}
        fallback={fallback}
        open={choosing}
        onOpenChange={setChoosing}
      />
      <DeleteConversation
        conversation={deleting ? (conversation ?? listed ?? null) : null}
        onClose={() => setDeleting(false)}
        onDeleted={() => void navigate({ to: '/chat' })}
      />
    </div>
  );
}

/** From so many pixels below the top on, what lies before is loaded. */
const NEAR_TOP = 300;

/** What is put in front of the rest moves nothing of what is read. */
function usePlaceWhenGrown(scroller: RefObject<HTMLDivElement | null>, from: number): void {
  const before = useRef({ from, height: 0 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const height = element.scrollHeight;
    if (from < before.current.from)
      element.scrollBy({ top: height - before.current.height, behavior: 'instant' });
    before.current = { from, height };
  });
}

function TranscriptSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col gap-6">
      <div className="skeleton h-10 w-2/5 self-end" />
      <div className="flex flex-col gap-2">
        <div className="skeleton h-3 w-24" />
        <div className="skeleton h-8 w-full" />
        <div className="skeleton h-3 w-4/5" />
        <div className="skeleton h-3 w-3/5" />
      </div>
    </div>
  );
}

function Gone() {
  usePageTitle('Chat');
  return (
    <div className="flex h-full items-center justify-center">
      <Empty
        icon={<Trash2 aria-hidden size={20} />}
        title="This conversation is gone"
        action={
          <Link to="/chat" className={buttonClass('plain')}>
            Show the others
          </Link>
        }
      >
        It was deleted, or the link is not complete. What it did is still in the activity log.
      </Empty>
    </div>
  );
}
