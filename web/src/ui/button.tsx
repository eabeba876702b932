import { LoaderCircle } from 'lucide-react';
import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { cx } from './class-names.ts';

export type ButtonTone = 'primary' | 'plain' | 'quiet' | 'danger' | 'danger-plain';

const TONES: Readonly<Record<ButtonTone, string>> = {
  primary:
    'bg-accent text-accent-ink enabled:hover:bg-accent-hover disabled:bg-hover disabled:text-faint disabled:shadow-[inset_0_0_0_1px_var(--line)]',
  plain:
    'bg-raised text-ink shadow-[inset_0_0_0_1px_var(--line-strong)] enabled:hover:bg-hover disabled:text-faint disabled:shadow-[inset_0_0_0_1px_var(--line)]',
  quiet: 'text-muted enabled:hover:bg-hover enabled:hover:text-ink disabled:text-faint',
  danger:
    'bg-stop-fill text-white enabled:hover:bg-stop-hover disabled:bg-hover disabled:text-faint disabled:shadow-[inset_0_0_0_1px_var(--line)]',
  'danger-plain':
    'bg-raised text-stop shadow-[inset_0_0_0_1px_var(--stop-line)] enabled:hover:bg-stop-soft disabled:text-faint disabled:shadow-[inset_0_0_0_1px_var(--line)]',
};

export function buttonClass(tone: ButtonTone, small = false): string {
  return cx(
    'inline-flex shrink-0 items-center justify-center gap-2 rounded-md font-medium whitespace-nowrap select-none disabled:cursor-not-allowed',
    small ? 'h-7 px-2 text-meta' : 'h-8 px-3 text-body max-md:h-10 max-md:px-4',
    TONES[tone],
  );
}

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly tone?: ButtonTone;
  readonly small?: boolean;
  /** Shows that it works and takes no second click; the width stays. */
  readonly busy?: boolean;
  readonly icon?: ReactNode;
  readonly ref?: Ref<HTMLButtonElement>;
}

export function Button({
  tone = 'plain',
  small = false,
  busy = false,
  icon,
  className,
  children,
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      className={cx(buttonClass(tone, small), className)}
      disabled={disabled === true || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy ? <LoaderCircle aria-hidden size={16} className="spin" /> : icon}
      {children}
    </button>
  );
}

export interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** Said by screen readers and shown on hover. */
  readonly label: string;
  readonly ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ label, className, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={cx(
        'inline-flex size-8 shrink-0 items-center justify-center rounded-md text-muted enabled:hover:bg-hover enabled:hover:text-ink disabled:text-faint max-md:size-10',
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}
