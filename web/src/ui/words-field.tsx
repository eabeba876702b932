import { Search } from 'lucide-react';
import { useEffect, useState } from 'react';
import { cx } from './class-names.ts';
import { INPUT_CLASS } from './field.tsx';

/** Words to look for; they are asked for when the typing stands still. */
export function WordsField({
  label,
  value,
  onChange,
  testId,
  className,
}: {
  /** Its name, and what stands in it while it is empty. */
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly testId: string;
  readonly className?: string;
}) {
  const [text, setText] = useState(value);
  const [asked, setAsked] = useState(value);
  const [seen, setSeen] = useState(value);
  // What was asked for comes back as the value a moment later: only another one takes the place of what is being typed.
  if (value !== seen) {
    setSeen(value);
    if (value !== asked) {
      setAsked(value);
      setText(value);
    }
  }
  useEffect(() => {
    const words = text.trim();
    if (words === asked) return;
    const timer = window.setTimeout(() => {
      setAsked(words);
      onChange(words);
    }, 300);
    return () => window.clearTimeout(timer);
  }, [text, asked, onChange]);
  return (
    <div className={cx('relative', className)}>
      <Search
        aria-hidden
        size={14}
        className="pointer-events-none absolute top-[11px] left-3 text-faint max-md:top-[15px]"
      />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        data-testid={testId}
        maxLength={200}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className={cx(INPUT_CLASS, 'pl-8')}
      />
    </div>
  );
}
