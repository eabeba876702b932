import { CirclePlay, RefreshCw, RotateCcw } from 'lucide-react';
import { Button } from '../ui/button.tsx';
import type { Turn, Usage } from './transcript.ts';

/** Under the last answer: what it took, and the ways on after a turn that did not end well. */
export function TurnEnd({
  turn,
  onRetry,
  onContinue,
  onAgain,
}: {
  readonly turn: Turn;
  readonly onRetry: () => void;
  readonly onContinue: () => void;
  /** Null: the last message can't be asked again now. */
  readonly onAgain: (() => void) | null;
}) {
  return (
    <div className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-2 text-mini text-faint">
      {turn.canRetry && (
        <Button
          small
          icon={<RotateCcw aria-hidden size={14} />}
          title="Runs your last message once more"
          data-testid="turn-retry"
          onClick={onRetry}
        >
          Retry
        </Button>
      )}
      {turn.canContinue && (
        <Button
          small
          icon={<CirclePlay aria-hidden size={14} />}
          title="Lets the assistant go on from what is recorded"
          data-testid="turn-continue"
          onClick={onContinue}
        >
          Continue
        </Button>
      )}
      {turn.status === 'done' && onAgain && (
        <Button
          small
          tone="quiet"
          icon={<RefreshCw aria-hidden size={14} />}
          title="Asks your last message once more; this answer stays to be seen, and what its tools did stays done"
          data-testid="turn-again"
          onClick={onAgain}
        >
          Answer again
        </Button>
      )}
      {turn.usage && <span data-testid="usage">{usageText(turn.usage)}</span>}
    </div>
  );
}

function usageText(usage: Usage): string {
  if (usage.inputTokens + usage.outputTokens === 0 && usage.provider === 'demo') return 'Demo, not an AI';
  const tokens = `${usage.inputTokens.toLocaleString('en')} tokens in, ${usage.outputTokens.toLocaleString('en')} out`;
  if (usage.provider === 'demo') return `${tokens} · demo, not an AI`;
  const cost = usage.costUsd === null ? 'cost not known' : money(usage.costUsd);
  return `${tokens} · ${cost} · ${usage.model} (${usage.provider})`;
}

function money(usd: number): string {
  if (usd === 0) return 'no cost';
  return usd < 0.0001
    ? 'under $0.0001'
    : `$${usd.toLocaleString('en', { maximumFractionDigits: usd < 1 ? 4 : 2 })}`;
}
