import { useState } from 'react';
import { Button } from '../ui/button.tsx';

/** The last message, to be written anew; says what that does and what it does not. */
export function EditMessage({
  text,
  onSend,
  onCancel,
}: {
  readonly text: string;
  readonly onSend: (text: string) => void;
  readonly onCancel: () => void;
}) {
  const [words, setWords] = useState(text);
  const rows = Math.min(12, words.split('\n').length + Math.floor(words.length / 80) + 1);
  return (
    <form
      className="ml-auto flex w-full max-w-[85%] flex-col gap-2 rounded-lg border border-line-strong bg-raised p-3 max-md:max-w-full"
      onSubmit={(event) => {
        event.preventDefault();
        if (words.trim() !== '') onSend(words.trim());
      }}
    >
      <textarea
        aria-label="The message, edited"
        rows={rows}
        value={words}
        // Editing was just asked for.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        onChange={(event) => setWords(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            event.preventDefault();
            onCancel();
          }
        }}
        data-testid="message-edit-text"
        className="w-full resize-none bg-transparent text-[14px] leading-[22px] outline-none"
      />
      <p className="text-mini text-muted">
        The answer to the old message stays here, marked as replaced; the assistant is not told of it any
        more. What its tools did stays done. Open requests for approval of it are withdrawn.
      </p>
      <div className="flex flex-wrap justify-end gap-2">
        <Button small onClick={onCancel}>
          Keep the old message
        </Button>
        <Button
          small
          tone="primary"
          type="submit"
          disabled={words.trim() === '' || words.trim() === text}
          data-testid="message-edit-send"
        >
          Send it edited
        </Button>
      </div>
    </form>
  );
}
