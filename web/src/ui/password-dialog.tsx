import { useEffect, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { Button } from './button.tsx';
import { FormDialog, useHeldOpen } from './dialog.tsx';
import { TextField } from './field.tsx';

export interface PasswordDialogProps {
  readonly open: boolean;
  readonly problem: string | null;
  readonly busy: boolean;
  /** What the password is for, in sentences. */
  readonly children: ReactNode;
  /** The act itself, such as "Save these rules". */
  readonly act: string;
  /** Default: it gives or takes power. */
  readonly description?: string;
  /** What not giving the password means. Default "Not yet". */
  readonly cancel?: string;
  /** As in FormDialog. */
  readonly givesFocusBack?: () => boolean;
  readonly onCancel: () => void;
  readonly onPassword: (password: string) => void;
}

/**
 * Shows what an act will do and asks for the password; stays open and says why when the act fails. While the act is under
 * way it can't be left: it would be done all the same.
 */
export function PasswordDialog(props: PasswordDialogProps) {
  return (
    <FormDialog
      open={props.open}
      onOpenChange={(next) => {
        if (!next) props.onCancel();
      }}
      title="Your password, please"
      description={props.description ?? 'This gives or takes power, so it needs to be sure that it is you.'}
      testId="password-dialog"
      {...(props.givesFocusBack ? { givesFocusBack: props.givesFocusBack } : {})}
    >
      <PasswordForm {...props} />
    </FormDialog>
  );
}

/** Goes when the dialog closes, and what was typed with it. */
function PasswordForm(props: PasswordDialogProps) {
  const { problem, busy, children, act, cancel = 'Not yet', onCancel, onPassword } = props;
  const [password, setPassword] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useHeldOpen(busy);
  useEffect(() => {
    if (problem) field.current?.focus();
  }, [problem, busy]);
  function submit(event: FormEvent) {
    event.preventDefault();
    // In React's tree the dialog can lie in another form, which must not be sent with it.
    event.stopPropagation();
    if (password === '' || busy) return;
    onPassword(password);
    setPassword('');
  }
  return (
    <form className="flex flex-col gap-3" onSubmit={submit}>
      <div className="rounded-md bg-sunken px-3 py-2 text-meta wrap-anywhere">{children}</div>
      <TextField
        label="Password"
        ref={field}
        secret
        autoComplete="current-password"
        // The dialog is for this field.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        error={problem}
        data-testid="password-dialog-field"
      />
      <div className="flex flex-wrap-reverse justify-end gap-2">
        <Button disabled={busy} onClick={onCancel}>
          {cancel}
        </Button>
        <Button
          type="submit"
          tone="primary"
          busy={busy}
          disabled={password === ''}
          data-testid="password-dialog-act"
        >
          {act}
        </Button>
      </div>
    </form>
  );
}
