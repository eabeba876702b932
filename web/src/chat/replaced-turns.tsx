import { ChevronRight } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { cx } from '../ui/class-names.ts';

/** What an edit replaced: one line that opens. */
export function ReplacedTurns({ count, children }: { readonly count: number; readonly children: ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <div data-testid="replaced" className="pt-6">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex h-8 w-full items-center gap-2 rounded-md px-2 text-left text-meta text-muted hover:bg-hover max-md:h-10"
      >
        <ChevronRight aria-hidden size={14} className={cx('shrink-0 text-faint', open && 'rotate-90')} />
        <span className="min-w-0 truncate">
          Replaced by your edit: {count} {count === 1 ? 'entry' : 'entries'} that the assistant is not told of
          any more
        </span>
      </button>
      {open && <div className="mt-2 flex flex-col gap-2 border-l-2 border-line-strong pl-4">{children}</div>}
    </div>
  );
}
