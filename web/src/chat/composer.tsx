import { ArrowUp, ChevronDown, Square } from 'lucide-react';
import { useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react';
import { cx } from '../ui/class-names.ts';

/** What was typed and not sent, per conversation, for as long as the page is open. */
const drafts = new Map<string, string>();
const TALLEST = 200;

export interface ComposerProps {
  readonly conversationId: string;
  readonly running: boolean;
  readonly stopping: boolean;
  /** "Demo, not an AI", or the model's name; `own`: chosen for this conversation. */
  readonly model: { readonly label: string; readonly demo: boolean; readonly own: boolean } | null;
  /** What the next call begins with, in words. */
  readonly context: { readonly text: string; readonly says: string; readonly full: boolean } | null;
  readonly onModel: () => void;
  readonly onSend: (text: string) => void;
  readonly onStop: () => void;
}

/** Always usable: what is sent while something runs waits its turn. Stop stands where Send was and does not move. */
export function Composer({
  conversationId,
  running,
  stopping,
  model,
  context,
  onModel,
  onSend,
  onStop,
}: ComposerProps) {
  const [text, setText] = useState(() => drafts.get(conversationId) ?? '');
  const field = useRef<HTMLTextAreaElement>(null);
  const filled = text.trim() !== '';

  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${Math.min(TALLEST, element.scrollHeight)}px`;
  }, [text]);

  function change(next: string) {
    setText(next);
    if (next === '') drafts.delete(conversationId);
    else drafts.set(conversationId, next);
  }

  function send() {
    if (!filled) return;
    onSend(text.trim());
    change('');
    field.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent) {
    // Enter that ends an input method's composition is not a send.
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send();
    }
  }

  return (
    <div className="flex flex-col gap-1">
      <div className="flex items-end gap-2 rounded-lg bg-raised p-2 shadow-[inset_0_0_0_1px_var(--line-strong)] focus-within:shadow-[inset_0_0_0_1.5px_var(--link)]">
        <textarea
          ref={field}
          rows={1}
          aria-label="Message"
          placeholder="Write a message"
          value={text}
          // The place where one writes; opening a conversation is for that.
          // oxlint-disable-next-line jsx-a11y/no-autofocus
          autoFocus={!window.matchMedia('(pointer: coarse)').matches}
          onChange={(event) => change(event.target.value)}
          onKeyDown={onKeyDown}
          data-testid="composer"
          className="max-h-[200px] min-h-8 max-md:min-h-10 max-md:py-2 flex-1 resize-none bg-transparent px-1 py-1.5 text-body outline-none placeholder:text-faint"
        />
        {running && filled && (
          <SendButton label="Send after the running turn" onClick={send} className="text-accent" quiet />
        )}
        {running ? (
          <button
            type="button"
            aria-label="Stop"
            title="Stop this turn"
            disabled={stopping}
            onClick={onStop}
            data-testid="stop"
            className="flex h-8 min-w-8 shrink-0 items-center justify-center gap-2 rounded-md bg-stop-fill px-2 text-white enabled:hover:bg-stop-hover disabled:opacity-60 max-md:h-10 max-md:min-w-10"
          >
            <Square aria-hidden size={14} fill="currentColor" className={stopping ? 'dot-live' : undefined} />
          </button>
        ) : (
          <SendButton label="Send" onClick={send} disabled={!filled} />
        )}
      </div>
      <div className="flex h-5 items-center justify-between gap-4 px-1 text-mini text-faint">
        {model ? (
          <button
            type="button"
            title="Choose the model of this conversation"
            onClick={onModel}
            className="flex h-5 min-w-0 items-center gap-1 hover:text-ink"
            data-testid="composer-model"
          >
            <span className="truncate">
              {model.demo ? (
                <>
                  <span className="font-medium text-muted">Demo, not an AI.</span> Choose a model
                </>
              ) : (
                <>
                  {model.label}
                  {model.own && ', for this conversation'}
                </>
              )}
            </span>
            <ChevronDown aria-hidden size={12} className="shrink-0" />
          </button>
        ) : (
          <span />
        )}
        {context && (
          <span
            title={context.says}
            data-testid="context-usage"
            className={cx('shrink-0 tabular-nums', context.full && 'font-medium text-ask')}
          >
            {context.text}
          </span>
        )}
        <span className={cx('shrink-0 max-md:hidden', context && 'max-lg:hidden')}>
          {stopping ? 'Stopping' : 'Enter sends, Shift+Enter makes a new line'}
        </span>
      </div>
    </div>
  );
}

function SendButton({
  label,
  onClick,
  disabled = false,
  quiet = false,
  className,
}: {
  readonly label: string;
  readonly onClick: () => void;
  readonly disabled?: boolean;
  readonly quiet?: boolean;
  readonly className?: string;
}) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onClick}
      data-testid="send"
      className={cx(
        'flex h-8 min-w-8 shrink-0 items-center justify-center rounded-md max-md:h-10 max-md:min-w-10',
        quiet
          ? 'shadow-[inset_0_0_0_1px_var(--line-strong)] hover:bg-hover'
          : 'bg-accent text-accent-ink enabled:hover:bg-accent-hover disabled:bg-hover disabled:text-faint',
        className,
      )}
    >
      <ArrowUp aria-hidden size={16} />
    </button>
  );
}
