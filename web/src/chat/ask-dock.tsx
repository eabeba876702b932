import { useQuery } from '@tanstack/react-query';
import { ChevronDown, ChevronUp, Hourglass } from 'lucide-react';
import { useState } from 'react';
import { ApprovalCard } from '../approvals/approval-card.tsx';
import { asksOf } from '../api/queries.ts';
import { IconButton } from '../ui/button.tsx';
import { ExactText } from '../ui/exact-text.tsx';
import type { Ask, Transcript } from './transcript.ts';

/**
 * The request that waits, above the composer. The conversation says that there is one; the card is the inbox's, because
 * only that has the digest and the model's reason.
 */
export function AskDock({
  conversation,
  transcript,
  agentName,
}: {
  readonly conversation: string;
  readonly transcript: Transcript;
  readonly agentName: string;
}) {
  const waiting = transcript.items.flatMap((item): Ask[] =>
    item.kind === 'tool' && item.ask?.status === 'pending' && !item.result ? [item.ask] : [],
  );
  const { data } = useQuery({ ...asksOf(conversation), enabled: waiting.length > 0 });
  const [folded, setFolded] = useState<string | null>(null);
  const first = waiting[0];
  if (!first) return null;
  const full = data?.approvals.find((each) => each.id === first.id && each.status === 'pending');
  const count = waiting.length > 1 ? `1 of ${waiting.length}` : null;
  if (folded === first.id || !full) {
    return (
      <div className="flex h-10 items-center gap-2 rounded-lg border border-ask-line bg-ask-soft pr-1 pl-3 text-meta">
        <Hourglass aria-hidden size={16} className="shrink-0 text-ask" />
        <p className="min-w-0 flex-1 truncate">
          <span className="font-medium">Waits for you{count && `, ${count}`}:</span>{' '}
          <ExactText text={first.summary} />
        </p>
        {full && (
          <IconButton label="Show the request" onClick={() => setFolded(null)}>
            <ChevronUp aria-hidden size={16} />
          </IconButton>
        )}
      </div>
    );
  }
  return (
    <ApprovalCard
      key={full.id}
      approval={full}
      agentName={agentName}
      showConversation={false}
      docked
      aside={
        <>
          {count && <span className="shrink-0 text-mini text-muted">{count}</span>}
          <IconButton label="Fold the request" className="-my-1 size-7" onClick={() => setFolded(first.id)}>
            <ChevronDown aria-hidden size={16} />
          </IconButton>
        </>
      }
    />
  );
}
