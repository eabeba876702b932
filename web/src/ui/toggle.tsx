import { Switch } from '@base-ui/react/switch';

/** On or off, at once. */
export function Toggle({
  label,
  checked,
  disabled = false,
  onChange,
}: {
  readonly label: string;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly onChange: (next: boolean) => void;
}) {
  return (
    <Switch.Root
      aria-label={label}
      title={label}
      checked={checked}
      disabled={disabled}
      onCheckedChange={onChange}
      className="inline-flex h-5 w-9 items-center shrink-0 rounded-full bg-line-strong transition-colors data-checked:bg-accent data-disabled:opacity-60"
    >
      <Switch.Thumb className="block size-4 translate-x-0.5 rounded-full bg-white shadow-sm transition-transform data-checked:translate-x-[18px]" />
    </Switch.Root>
  );
}
