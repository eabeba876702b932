import { Eye, EyeOff } from 'lucide-react';
import { useId, useState, type InputHTMLAttributes, type ReactNode, type Ref } from 'react';
import { cx } from './class-names.ts';

export const INPUT_CLASS =
  'h-9 w-full rounded-md bg-raised px-3 text-body text-ink shadow-[inset_0_0_0_1px_var(--line-strong)] placeholder:text-faint focus:outline-2 focus:-outline-offset-1 focus:outline-link disabled:bg-sunken disabled:text-faint aria-invalid:shadow-[inset_0_0_0_1px_var(--stop)] max-md:h-11';

export interface FieldFrameProps {
  readonly id: string;
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | null | undefined;
  readonly children: ReactNode;
}

/** Label above, hint or error below. The line below keeps its place so that an error moves nothing. */
export function FieldFrame({ id, label, hint, error, children }: FieldFrameProps) {
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-meta font-medium">
        {label}
      </label>
      {children}
      <div id={`${id}-note`} className="min-h-5 text-meta">
        {error ? (
          <p role="alert" className="text-stop">
            {error}
          </p>
        ) : hint ? (
          <div className="text-muted">{hint}</div>
        ) : null}
      </div>
    </div>
  );
}

export interface TextFieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'id'> {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | null | undefined;
  /** A password or key: dots, with a button that shows it. */
  readonly secret?: boolean;
  readonly mono?: boolean;
  readonly ref?: Ref<HTMLInputElement>;
}

export function TextField({
  label,
  hint,
  error,
  secret = false,
  mono = false,
  className,
  ...rest
}: TextFieldProps) {
  const id = useId();
  const [shown, setShown] = useState(false);
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error}>
      <div className="relative">
        <input
          id={id}
          type={secret && !shown ? 'password' : 'text'}
          aria-describedby={`${id}-note`}
          aria-invalid={error ? true : undefined}
          className={cx(INPUT_CLASS, secret && 'pr-10', mono && 'font-mono text-meta', className)}
          {...rest}
        />
        {secret && (
          <button
            type="button"
            aria-label={shown ? `Hide ${label.toLowerCase()}` : `Show ${label.toLowerCase()}`}
            aria-pressed={shown}
            onClick={() => setShown(!shown)}
            className="absolute inset-y-0 right-0 flex w-10 items-center justify-center rounded-md text-faint hover:text-ink"
          >
            {shown ? <EyeOff aria-hidden size={16} /> : <Eye aria-hidden size={16} />}
          </button>
        )}
      </div>
    </FieldFrame>
  );
}
