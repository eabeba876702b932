import { Link } from '@tanstack/react-router';
import {
  Ban,
  BookmarkPlus,
  BookOpen,
  Check,
  ChevronRight,
  CircleHelp,
  Clock,
  EyeOff,
  FilePen,
  FileText,
  FolderOpen,
  Hourglass,
  LoaderCircle,
  Square,
  Wrench,
  X,
  type LucideIcon,
} from 'lucide-react';
import { memo, useEffect, useId, useRef, useState } from 'react';
import type { Json, ToolOutcomeKind } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { ExactText } from '../ui/exact-text.tsx';
import { JsonView } from '../ui/json-view.tsx';
import { duration } from '../ui/time.tsx';
import { who } from '../ui/who.ts';
import type { Ask, ToolItem } from './transcript.ts';

const ICONS: Readonly<Record<string, LucideIcon>> = {
  workspace_read: FileText,
  workspace_write: FilePen,
  workspace_list: FolderOpen,
  memory_read: BookOpen,
  memory_write: BookmarkPlus,
};

interface Outcome {
  readonly word: string;
  readonly icon: LucideIcon;
  readonly tint: string;
  readonly spin?: boolean;
  /** What it means, for the opened row. */
  readonly meaning: string;
}

const OUTCOMES: Readonly<Record<ToolOutcomeKind, Outcome>> = {
  done: { word: 'Done', icon: Check, tint: 'text-ok', meaning: 'It ran.' },
  failed: { word: 'Failed', icon: X, tint: 'text-stop', meaning: 'It ran and ended with an error.' },
  denied: { word: 'Denied', icon: Ban, tint: 'text-stop', meaning: 'A person denied it. It did not run.' },
  refused: { word: 'Refused', icon: Ban, tint: 'text-stop', meaning: 'Policy refused it. It did not run.' },
  expired: {
    word: 'Expired',
    icon: Clock,
    tint: 'text-faint',
    meaning: 'Nobody decided in time. It did not run.',
  },
  stopped: {
    word: 'Stopped',
    icon: Square,
    tint: 'text-faint',
    meaning: 'The turn was stopped before it ended.',
  },
  unknown: {
    word: 'Unknown',
    icon: CircleHelp,
    tint: 'text-ask',
    meaning: 'OpenPact was cut off while it ran. It may or may not have taken effect, and is not run again.',
  },
};

function outcomeOf(tool: ToolItem, turnRuns: boolean): Outcome {
  if (tool.result) return OUTCOMES[tool.result.outcome];
  if (tool.ask?.status === 'pending') {
    return { word: 'Waits for you', icon: Hourglass, tint: 'text-ask', meaning: 'It runs once you approve.' };
  }
  if (turnRuns) {
    return { word: 'Running', icon: LoaderCircle, tint: 'text-ai', spin: true, meaning: 'It runs now.' };
  }
  return {
    word: 'No result',
    icon: CircleHelp,
    tint: 'text-faint',
    meaning: 'The turn ended before it did.',
  };
}

/** One step of the assistant: a line that opens into its facts. */
export const ToolRow = memo(function ToolRow({
  tool,
  turnRuns,
}: {
  readonly tool: ToolItem;
  readonly turnRuns: boolean;
}) {
  const [open, setOpen] = useState(false);
  const panel = useId();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (open) box.current?.scrollIntoView({ block: 'nearest' });
  }, [open]);
  const outcome = outcomeOf(tool, turnRuns);
  const Icon = ICONS[tool.name] ?? Wrench;
  const hidden = Object.entries(tool.result?.redactions ?? {});
  return (
    <div
      ref={box}
      className={cx(
        'scroll-my-4 rounded-md border',
        tool.ask?.status === 'pending' && !tool.result ? 'border-ask-line' : 'border-line',
      )}
      data-testid="tool-row"
      data-tool={tool.name}
      data-outcome={tool.result?.outcome ?? (tool.ask?.status === 'pending' ? 'waiting' : 'running')}
    >
      <button
        type="button"
        aria-expanded={open}
        aria-controls={panel}
        onClick={() => setOpen(!open)}
        className="flex h-8 w-full items-center gap-2 rounded-md px-2 text-left text-meta hover:bg-hover max-md:h-10"
      >
        <ChevronRight aria-hidden size={14} className={cx('shrink-0 text-faint', open && 'rotate-90')} />
        <Icon aria-hidden size={14} className="shrink-0 text-ai" />
        <span className="shrink-0 font-mono text-mini">{tool.name}</span>
        <span className="min-w-0 flex-1 truncate font-mono text-mini text-muted">
          <ExactText text={argumentThatMatters(tool.arguments)} />
        </span>
        {hidden.length > 0 && (
          <span className="flex shrink-0 items-center gap-1 text-mini text-muted">
            <EyeOff aria-hidden size={12} />
            {hidden.reduce((sum, [, count]) => sum + count, 0)} hidden
          </span>
        )}
        {tool.result?.durationMs !== null && tool.result?.durationMs !== undefined && (
          <span className="shrink-0 text-mini text-faint tabular-nums max-sm:hidden">
            {duration(tool.result.durationMs)}
          </span>
        )}
        <span
          className={cx('flex shrink-0 items-center justify-end gap-1 text-mini font-medium', outcome.tint)}
        >
          <outcome.icon aria-hidden size={14} className={outcome.spin ? 'spin' : undefined} />
          {outcome.word}
        </span>
      </button>
      {open && (
        <div id={panel} className="flex flex-col gap-3 border-t border-line px-3 py-3">
          <Part label="Arguments">
            <JsonView value={tool.arguments} />
          </Part>
          {tool.result && (
            <Part label={tool.result.isError ? 'Error' : 'Result'}>
              <JsonView value={tool.result.result} empty="Nothing" />
            </Part>
          )}
          <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-1 text-mini">
            <Fact label="Outcome">
              {outcome.word}. {outcome.meaning}
            </Fact>
            {tool.ask && (
              <Fact label="Approval">
                {askText(tool.ask)}{' '}
                <Link
                  to="/approvals"
                  search={tool.ask.status === 'pending' ? {} : { show: 'decided', id: tool.ask.id }}
                  className="text-link underline underline-offset-2"
                >
                  Show it
                </Link>
              </Fact>
            )}
            {tool.result && (
              <Fact label="Hidden">
                {hidden.length === 0
                  ? 'Nothing'
                  : hidden.map(([name, count]) => `${name} ×${count}`).join(', ')}
              </Fact>
            )}
            {tool.result?.rule && (
              <Fact label="Rule">
                <code>{tool.result.rule}</code>
              </Fact>
            )}
            {tool.result?.durationMs !== null && tool.result?.durationMs !== undefined && (
              <Fact label="Duration">{duration(tool.result.durationMs)}</Fact>
            )}
            {tool.result?.auditSeq && (
              <Fact label="Audit">
                <Link
                  to="/activity"
                  search={{ seq: tool.result.auditSeq }}
                  className="text-link underline underline-offset-2"
                >
                  Entry {tool.result.auditSeq}
                </Link>
              </Fact>
            )}
          </dl>
        </div>
      )}
    </div>
  );
});

export function askText(ask: Pick<Ask, 'status' | 'by'>): string {
  const by = ask.by ? ` by ${who(ask.by)}` : '';
  switch (ask.status) {
    case 'pending':
      return 'It waits for a decision.';
    case 'approved':
      return `Approved${by}.`;
    case 'denied':
      return `Denied${by}.`;
    case 'expired':
      return 'It expired before somebody decided.';
    case 'cancelled':
      return 'It was withdrawn because the turn ended.';
    default:
      return `${ask.status}${by}.`;
  }
}

/** The one argument that a reader wants to see on the line: what is acted on. */
function argumentThatMatters(value: Json): string {
  if (typeof value === 'string') return firstLine(value);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return '';
  const fields = value as { readonly [key: string]: Json };
  for (const name of ['path', 'file', 'name', 'url', 'query', 'date', 'text', 'content']) {
    const field = fields[name];
    if (typeof field === 'string' && field !== '') return firstLine(field);
  }
  const found = Object.values(fields).find((field) => typeof field === 'string' || typeof field === 'number');
  return found === undefined ? '' : firstLine(String(found));
}

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}

function Part({ label, children }: { readonly label: string; readonly children: React.ReactNode }) {
  return (
    <div className="flex flex-col gap-1">
      <p className="text-mini font-medium text-muted">{label}</p>
      {children}
    </div>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: React.ReactNode }) {
  return (
    <>
      <dt className="text-muted">{label}</dt>
      <dd className="wrap-anywhere">{children}</dd>
    </>
  );
}
