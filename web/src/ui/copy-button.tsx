import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { cx } from './class-names.ts';

/** Copies a text; plain HTTP on a LAN has no clipboard, and then the button isn't there. */
export function CopyButton({
  text,
  label,
  className,
}: {
  readonly text: string;
  readonly label: string;
  readonly className?: string;
}) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = window.setTimeout(() => setCopied(false), 1_500);
    return () => window.clearTimeout(timer);
  }, [copied]);
  if (!window.isSecureContext) return null;
  return (
    <button
      type="button"
      aria-label={copied ? 'Copied' : label}
      title={label}
      className={cx(
        'inline-flex h-6 shrink-0 items-center gap-1 whitespace-nowrap rounded-sm px-1 text-mini text-faint hover:bg-hover hover:text-ink',
        className,
      )}
      onClick={() => {
        navigator.clipboard.writeText(text).then(
          () => setCopied(true),
          () => setCopied(false),
        );
      }}
    >
      {copied ? <Check aria-hidden size={14} /> : <Copy aria-hidden size={14} />}
      <span>{copied ? 'Copied' : 'Copy'}</span>
    </button>
  );
}
