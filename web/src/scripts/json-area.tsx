import { useId } from 'react';
import { cx } from '../ui/class-names.ts';
import { FieldFrame, INPUT_CLASS } from '../ui/field.tsx';

/** A field for JSON, with what is wrong with it below. */
export function JsonArea({
  label,
  value,
  sample,
  error,
  hint,
  rows = 1,
  onChange,
  testId,
}: {
  readonly label: string;
  readonly value: string;
  readonly sample: string;
  readonly error: string | undefined;
  readonly hint?: string;
  readonly rows?: number;
  readonly onChange: (text: string) => void;
  readonly testId: string;
}) {
  const id = useId();
  return (
    <FieldFrame id={id} label={label} error={error} hint={hint}>
      <textarea
        id={id}
        rows={rows}
        spellCheck={false}
        autoCapitalize="off"
        value={value}
        placeholder={sample}
        aria-describedby={`${id}-note`}
        aria-invalid={error ? true : undefined}
        onChange={(event) => onChange(event.target.value)}
        className={cx(
          INPUT_CLASS,
          'h-auto min-h-9 resize-y py-2 font-mono text-meta max-md:h-auto max-md:min-h-11',
        )}
        data-testid={testId}
      />
    </FieldFrame>
  );
}
