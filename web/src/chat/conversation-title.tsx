import { useEffect, useRef, useState } from 'react';
import { explain } from '../api/client.ts';
import { INPUT_CLASS } from '../ui/field.tsx';
import { cx } from '../ui/class-names.ts';
import { changeConversation } from './change-conversation.ts';

/** The title; the menu makes it a field. Enter keeps, Escape leaves. */
export function ConversationTitle({
  id,
  title,
  editing,
  onDone,
}: {
  readonly id: string;
  readonly title: string;
  readonly editing: boolean;
  readonly onDone: () => void;
}) {
  if (!editing) {
    return (
      <h1 className="min-w-0 flex-1 truncate font-semibold" data-testid="conversation-title">
        {title}
      </h1>
    );
  }
  return <TitleField id={id} title={title} onDone={onDone} />;
}

function TitleField({
  id,
  title,
  onDone,
}: {
  readonly id: string;
  readonly title: string;
  readonly onDone: () => void;
}) {
  const [words, setWords] = useState(title);
  const [problem, setProblem] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  // The menu gives the focus back to its button when it closes; after that it is ours.
  useEffect(() => {
    const timer = window.setTimeout(() => field.current?.select(), 50);
    return () => window.clearTimeout(timer);
  }, []);
  async function keep() {
    const next = words.trim();
    if (next === '' || next === title) {
      onDone();
      return;
    }
    try {
      await changeConversation(id, { title: next });
      onDone();
    } catch (error) {
      setProblem(explain(error).message);
    }
  }
  return (
    <form
      className="min-w-0 flex-1"
      onSubmit={(event) => {
        event.preventDefault();
        void keep();
      }}
    >
      <input
        ref={field}
        aria-label="Title of the conversation"
        aria-invalid={problem ? true : undefined}
        title={problem ?? 'Enter keeps it, Escape leaves it as it was'}
        value={words}
        maxLength={200}
        onChange={(event) => setWords(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onDone();
        }}
        data-testid="conversation-title-field"
        className={cx(INPUT_CLASS, 'font-semibold')}
      />
      {problem && (
        <p role="alert" className="sr-only">
          {problem}
        </p>
      )}
    </form>
  );
}
