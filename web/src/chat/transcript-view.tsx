import { Link } from '@tanstack/react-router';
import { ArrowRightLeft, CircleAlert, Pencil, Scissors, Square } from 'lucide-react';
import { memo, useMemo, useState } from 'react';
import { Button, IconButton } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { exact } from '../ui/time.tsx';
import { who } from '../ui/who.ts';
import type { Outgoing } from './conversation-store.ts';
import { EditMessage } from './edit-message.tsx';
import { Markdown } from './markdown.tsx';
import { ReplacedTurns } from './replaced-turns.tsx';
import { ThinkingRow } from './thinking-row.tsx';
import { ToolRow } from './tool-row.tsx';
import { readingOrder, type Item, type Transcript, type Turn, type UserItem } from './transcript.ts';
import { TurnEnd } from './turn-end.tsx';

/** So many steps are drawn at first; the earlier ones on demand. */
const PAGE = 200;

export interface TranscriptViewProps {
  readonly transcript: Transcript;
  readonly outgoing: readonly Outgoing[];
  readonly name: string;
  /** Turns that have not told their model yet will be answered by the demo. */
  readonly demoByDefault: boolean;
  readonly stopping: boolean;
  readonly onRetry: () => void;
  readonly onContinue: () => void;
  readonly onSendAgain: (key: string) => void;
  readonly onDiscard: (key: string) => void;
  /** False: it could not be sent. */
  readonly onEdit: (messageId: string, text: string) => boolean;
}

export function TranscriptView(props: TranscriptViewProps) {
  const { transcript, outgoing, name, demoByDefault } = props;
  const [pages, setPages] = useState(1);
  const { turns, open, replaced, lastMessage } = transcript;
  const items = useMemo(() => readingOrder(transcript.items), [transcript.items]);
  const from = Math.max(0, items.length - PAGE * pages);
  const shown = items.slice(from);
  const lastTurn = items.findLast((item) => item.turnId !== null)?.turnId ?? null;
  const end = lastTurn === null ? undefined : turns.get(lastTurn);
  const running = open.size > 0;
  const isOld = (item: Item | undefined): boolean =>
    item !== undefined && item.turnId !== null && replaced.has(item.turnId);
  const editable = !running && outgoing.length === 0 && lastMessage && !replaced.has(lastMessage.turnId);

  // The same message once more takes the place of the last one, as an edit does.
  const again = editable
    ? items.find((item): item is UserItem => item.kind === 'user' && item.messageId === lastMessage.id)
    : undefined;

  return (
    <div className="flex flex-col gap-2">
      {from > 0 && (
        <Button small className="self-center" onClick={() => setPages(pages + 1)}>
          Show earlier ({from} more)
        </Button>
      )}
      {shown.map((item, index) => {
        const before = shown[index - 1];
        const begins = item.kind !== 'user' && (before?.kind === 'user' || before?.turnId !== item.turnId);
        const turn = item.turnId === null ? undefined : turns.get(item.turnId);
        if (isOld(item)) {
          // All that one edit or several in a row replaced stands behind one line.
          if (isOld(before)) return null;
          const end = shown.findIndex((each, at) => at > index && !isOld(each));
          const old = shown.slice(index, end === -1 ? undefined : end);
          return (
            <ReplacedTurns key={item.key} count={old.length}>
              {old.map((each) => (
                <Row
                  key={each.key}
                  item={each}
                  turnRuns={false}
                  turn={each.turnId === null ? undefined : turns.get(each.turnId)}
                  onEdit={null}
                />
              ))}
            </ReplacedTurns>
          );
        }
        return (
          <div key={item.key} className={cx(item.kind === 'user' && index > 0 && 'pt-6')}>
            {begins && (
              <AnswerHead
                name={name}
                demo={turn?.provider ? turn.provider === 'demo' : demoByDefault}
                at={item.at}
              />
            )}
            <Row
              item={item}
              turnRuns={item.turnId !== null && open.has(item.turnId)}
              turn={turn}
              onEdit={
                editable && item.kind === 'user' && item.messageId === lastMessage.id ? props.onEdit : null
              }
            />
          </div>
        );
      })}
      {running ? (
        <Working transcript={transcript} name={name} stopping={props.stopping} />
      ) : (
        end &&
        outgoing.length === 0 && (
          <TurnEnd
            turn={end}
            onRetry={props.onRetry}
            onContinue={props.onContinue}
            onAgain={again && lastMessage ? () => void props.onEdit(lastMessage.id, again.content) : null}
          />
        )
      )}
      {outgoing.map((message) => (
        <div key={message.key} className="flex flex-col items-end gap-1 pt-6">
          <Bubble text={message.content} faint />
          {message.problem === null ? (
            <p className="text-mini text-faint">Sending</p>
          ) : (
            <p
              role="alert"
              className="flex flex-wrap items-center justify-end gap-x-2 gap-y-1 text-mini text-stop"
            >
              <CircleAlert aria-hidden size={14} /> Not sent: {message.problem}
              <Button small onClick={() => props.onSendAgain(message.key)}>
                Send again
              </Button>
              <Button small tone="quiet" onClick={() => props.onDiscard(message.key)}>
                Discard
              </Button>
            </p>
          )}
        </div>
      ))}
    </div>
  );
}

const Row = memo(function Row({
  item,
  turnRuns,
  turn,
  onEdit,
}: {
  readonly item: Item;
  readonly turnRuns: boolean;
  readonly turn: Turn | undefined;
  readonly onEdit: TranscriptViewProps['onEdit'] | null;
}) {
  switch (item.kind) {
    case 'user':
      return <UserMessage item={item} turn={turn} onEdit={onEdit} />;
    case 'trimmed':
      return (
        <p className="flex min-h-8 items-center gap-2 text-meta text-muted" data-testid="trimmed">
          <Scissors aria-hidden size={14} className="shrink-0" />
          This conversation is long: the assistant no longer gets {item.leftOut} of its earlier messages. They
          stay here.
        </p>
      );
    case 'switched':
      return (
        <p className="flex gap-2 py-1 text-meta text-muted" data-testid="switched" title={item.content}>
          <ArrowRightLeft aria-hidden size={14} className="mt-1 shrink-0 text-ask" />
          <span className="min-w-0 wrap-anywhere">
            {item.from} was unavailable (<code className="text-mini">{item.code}</code>); went on with{' '}
            {item.to}.
          </span>
        </p>
      );
    case 'text':
      return (
        <div className="py-1" data-testid="answer">
          <Markdown text={item.content} />
        </div>
      );
    case 'thinking':
      return <ThinkingRow text={item.content} />;
    case 'tool':
      return <ToolRow tool={item} turnRuns={turnRuns} />;
    case 'error':
      return (
        <div
          role="alert"
          data-testid="turn-error"
          className="flex gap-2 rounded-md border border-stop-line bg-stop-soft px-3 py-2 text-meta"
        >
          <CircleAlert aria-hidden size={16} className="mt-0.5 shrink-0 text-stop" />
          <div className="min-w-0 wrap-anywhere">
            <p>{item.content}</p>
            <p className="font-mono text-mini text-muted">{item.code}</p>
            {item.code.startsWith('budget_') && (
              <Link to="/usage" className="text-link underline underline-offset-2" data-testid="open-budgets">
                See the budgets
              </Link>
            )}
          </div>
        </div>
      );
    case 'stopped':
      return (
        <p className="flex h-8 items-center gap-2 text-meta text-muted" data-testid="turn-stopped">
          <Square aria-hidden size={12} fill="currentColor" className="text-stop" />
          Stopped by {who(item.by)}. What is written so far stays.
        </p>
      );
  }
});

function UserMessage({
  item,
  turn,
  onEdit,
}: {
  readonly item: UserItem;
  readonly turn: Turn | undefined;
  readonly onEdit: TranscriptViewProps['onEdit'] | null;
}) {
  const [editing, setEditing] = useState(false);
  if (editing && onEdit) {
    return (
      <EditMessage
        text={item.content}
        onCancel={() => setEditing(false)}
        onSend={(text) => {
          if (onEdit(item.messageId, text)) setEditing(false);
        }}
      />
    );
  }
  return (
    <div className="group flex flex-col items-end gap-1" title={exact(item.at)}>
      <div className="flex w-full items-center justify-end gap-1">
        {onEdit && (
          <IconButton
            label="Edit this message"
            data-testid="message-edit"
            onClick={() => setEditing(true)}
            className="opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 focus-visible:opacity-100 max-md:opacity-100"
          >
            <Pencil aria-hidden size={14} />
          </IconButton>
        )}
        <Bubble text={item.content} />
      </div>
      {turn?.status === 'queued' && (
        <p className="text-mini text-faint" data-testid="queued">
          Waits for its turn{turn.queuePosition !== null && `, number ${turn.queuePosition} in line`}
        </p>
      )}
    </div>
  );
}

function Bubble({ text, faint = false }: { readonly text: string; readonly faint?: boolean }) {
  return (
    <div
      data-testid="user-message"
      className={cx(
        'max-w-[85%] rounded-lg bg-selected px-3 py-2 text-[14px] leading-[22px] whitespace-pre-wrap wrap-anywhere',
        faint && 'text-muted',
      )}
    >
      {text}
    </div>
  );
}

function AnswerHead({
  name,
  demo,
  at,
}: {
  readonly name: string;
  readonly demo: boolean;
  readonly at: string;
}) {
  return (
    <div className="flex h-8 items-center gap-2 text-meta" title={exact(at)}>
      <span className="font-semibold text-ai">{name}</span>
      {demo && <DemoLabel />}
    </div>
  );
}

/** Stands wherever the stand-in answers, so that nobody takes its rules for thought. */
export function DemoLabel() {
  return (
    <span
      data-testid="demo-label"
      className="rounded-full border border-line-strong px-2 text-mini leading-[18px] text-muted"
    >
      demo, not an AI
    </span>
  );
}

/** One line of fixed height at the end while something runs; the usage takes its place. */
function Working({
  transcript,
  name,
  stopping,
}: {
  readonly transcript: Transcript;
  readonly name: string;
  readonly stopping: boolean;
}) {
  const states = [...transcript.open].map((id) => transcript.turns.get(id)?.status);
  const waiting = states.includes('waiting');
  const text = stopping
    ? 'Stopping'
    : waiting
      ? `${name} waits for your decision`
      : states.every((status) => status === 'queued')
        ? `${name} is busy with another turn`
        : `${name} is working`;
  return (
    <p className="flex h-8 items-center gap-2 text-meta text-muted" data-testid="working">
      <span
        aria-hidden
        className={cx('size-2 rounded-full', waiting && !stopping ? 'bg-ask' : 'dot-live bg-ai')}
      />
      {text}
    </p>
  );
}
