import { useId, useState, type FormEvent } from 'react';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { ExactText } from '../ui/exact-text.tsx';
import { INPUT_CLASS } from '../ui/field.tsx';
import { hiddenCount } from '../ui/hidden-characters.ts';

/** A reason as it is typed; characters that nobody sees in a field are shown below it, before they are sent. */
export function ReasonField({
  value,
  onChange,
  onBack,
  label,
  testId,
  focused = false,
}: {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly onBack?: () => void;
  readonly label: string;
  readonly testId: string;
  readonly focused?: boolean;
}) {
  const id = useId();
  const hidden = hiddenCount(value);
  return (
    <>
      <label htmlFor={id} className="text-meta font-medium">
        {label}
      </label>
      <textarea
        id={id}
        rows={2}
        maxLength={2_000}
        // The person has just asked for this field.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus={focused}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || onBack === undefined) return;
          event.stopPropagation();
          onBack();
        }}
        className={cx(INPUT_CLASS, 'h-auto max-md:h-auto resize-none py-2')}
        data-testid={testId}
      />
      {hidden > 0 && (
        <div className="text-mini text-ask" role="status" data-testid={`${testId}-hidden`}>
          {hidden === 1 ? '1 character' : `${hidden} characters`} of this can’t be seen:{' '}
          <span className="whitespace-pre-wrap wrap-anywhere text-ink">
            <ExactText text={value} />
          </span>
        </div>
      )}
    </>
  );
}

/** Says no, with a reason for the assistant. `verb`: "Deny", "Reject". */
export function ReasonForm({
  verb,
  note,
  busy,
  testId,
  onSend,
  onBack,
}: {
  readonly verb: 'Deny' | 'Reject';
  readonly note: string;
  readonly busy: boolean;
  readonly testId: string;
  readonly onSend: (reason: string) => void;
  readonly onBack: () => void;
}) {
  const [reason, setReason] = useState('');
  function submit(event: FormEvent) {
    event.preventDefault();
    onSend(reason);
  }
  return (
    <form className="flex flex-col gap-2" onSubmit={submit}>
      <ReasonField
        label="Why not? The assistant reads this and can do better."
        value={reason}
        onChange={setReason}
        onBack={onBack}
        testId={`${testId}-reason`}
        focused
      />
      <div className="flex flex-wrap items-center gap-2">
        <Button type="submit" tone="danger" busy={busy} data-testid={`${testId}-send`}>
          {reason.trim() === '' ? `${verb} without a reason` : `${verb} and send the reason`}
        </Button>
        <Button disabled={busy} onClick={onBack}>
          Back
        </Button>
        <p className="text-mini text-faint">{note}</p>
      </div>
    </form>
  );
}
