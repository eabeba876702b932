import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { CallError, explain } from '../api/client.ts';
import { Button } from './button.tsx';
import { cx } from './class-names.ts';
import { clockTime } from './time.tsx';

export type NoticeTone = 'info' | 'ok' | 'ask' | 'stop';

const LOOK = {
  info: { className: 'bg-sunken text-ink border-line', icon: Info, tint: 'text-muted' },
  ok: { className: 'bg-ok-soft text-ink border-ok-line', icon: CircleCheck, tint: 'text-ok' },
  ask: { className: 'bg-ask-soft text-ink border-ask-line', icon: TriangleAlert, tint: 'text-ask' },
  stop: { className: 'bg-stop-soft text-ink border-stop-line', icon: CircleAlert, tint: 'text-stop' },
} as const;

export interface NoticeProps {
  readonly tone?: NoticeTone;
  readonly title?: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
  readonly className?: string;
  readonly testId?: string;
}

export function Notice({ tone = 'info', title, children, action, className, testId }: NoticeProps) {
  const look = LOOK[tone];
  const Icon = look.icon;
  return (
    <div
      role={tone === 'stop' ? 'alert' : 'status'}
      data-testid={testId}
      className={cx(
        'flex gap-2 rounded-md border px-3 py-2 text-meta max-sm:flex-wrap',
        look.className,
        className,
      )}
    >
      <Icon aria-hidden size={16} className={cx('mt-0.5 shrink-0', look.tint)} />
      <div
        className={cx('min-w-0 flex-1 wrap-anywhere', Boolean(action) && 'max-sm:basis-[calc(100%-24px)]')}
      >
        {title && <p className="font-medium">{title}</p>}
        {children}
      </div>
      {action && <div className="flex shrink-0 items-center max-sm:pl-6">{action}</div>}
    </div>
  );
}

/** Says that what is shown is old, once it can't be asked for any more. That nothing answers at all the frame says. */
export function Behind({
  error,
  since,
  what,
}: {
  readonly error: unknown;
  /** When it was loaded last, in milliseconds. */
  readonly since: number;
  /** What is shown: "The list", a name. */
  readonly what: string;
}) {
  if (!error || (error instanceof CallError && error.status === 0)) return null;
  const { message, fix } = explain(error);
  return (
    <Notice tone="ask" title={`${what} is shown as it was at ${clockTime(since)}`} testId="behind">
      It could not be loaded since. {message} {fix}
    </Notice>
  );
}

export interface ProblemProps {
  readonly error: unknown;
  /** What could not be done: "The approvals could not be loaded." */
  readonly what: string;
  readonly onRetry?: () => void;
  readonly busy?: boolean;
}

/** An error of a list or page, with what to do and a way to try again. */
export function Problem({ error, what, onRetry, busy = false }: ProblemProps) {
  const { message, fix } = explain(error);
  return (
    <Notice
      tone="stop"
      title={what}
      action={
        onRetry && (
          <Button small busy={busy} onClick={onRetry}>
            Try again
          </Button>
        )
      }
    >
      <p>
        {message} {fix}
      </p>
    </Notice>
  );
}
