import { Brain, ChevronRight } from 'lucide-react';
import { memo, useId, useState } from 'react';
import { cx } from '../ui/class-names.ts';

/** What the model thought, on one line until somebody wants to read it. */
export const ThinkingRow = memo(function ThinkingRow({ text }: { readonly text: string }) {
  const [open, setOpen] = useState(false);
  const panel = useId();
  return (
    <div data-testid="thinking-row">
      <button
        type="button"
        aria-expanded={open}
        aria-controls={panel}
        onClick={() => setOpen(!open)}
        className="flex h-8 w-full items-center gap-2 rounded-md px-2 text-left text-meta text-muted hover:bg-hover max-md:h-10"
      >
        <ChevronRight aria-hidden size={14} className={cx('shrink-0 text-faint', open && 'rotate-90')} />
        <Brain aria-hidden size={14} className="shrink-0 text-ai" />
        <span className="shrink-0">Thinking</span>
        {!open && (
          <span className="min-w-0 flex-1 truncate text-faint">
            {text.trim().split('\n', 1)[0]?.slice(0, 160)}
          </span>
        )}
      </button>
      {open && (
        <div
          id={panel}
          className="mt-1 mb-2 ml-[15px] border-l-2 border-ai-line pl-4 text-meta whitespace-pre-wrap text-muted wrap-anywhere"
        >
          {text}
        </div>
      )}
    </div>
  );
});
