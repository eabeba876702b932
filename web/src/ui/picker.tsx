import { Combobox } from '@base-ui/react/combobox';
import { Check, ChevronsUpDown } from 'lucide-react';
import { useId, type ReactNode } from 'react';
import { cx } from './class-names.ts';
import { FieldFrame, INPUT_CLASS } from './field.tsx';

export interface PickerItem {
  readonly value: string;
  readonly label: string;
  /** Small text behind the label. */
  readonly note?: string;
}

export interface PickerProps {
  readonly label: string;
  readonly items: readonly PickerItem[];
  readonly value: string | null;
  readonly onChange: (value: string) => void;
  readonly hint?: ReactNode;
  readonly error?: string | null;
  readonly placeholder?: string;
  readonly testId?: string;
  readonly disabled?: boolean;
}

/** A list that is searched by typing. */
export function Picker({
  label,
  items,
  value,
  onChange,
  hint,
  error,
  placeholder,
  testId,
  disabled,
}: PickerProps) {
  const id = useId();
  const selected = items.find((item) => item.value === value) ?? null;
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error}>
      <Combobox.Root
        items={items}
        value={selected}
        disabled={disabled ?? false}
        isItemEqualToValue={(a: PickerItem, b: PickerItem) => a.value === b.value}
        itemToStringLabel={(item: PickerItem) => item.label}
        onValueChange={(item: PickerItem | null) => {
          if (item) onChange(item.value);
        }}
        autoHighlight
      >
        <div className="relative">
          <Combobox.Input
            id={id}
            placeholder={placeholder}
            data-testid={testId}
            aria-describedby={`${id}-note`}
            className={cx(INPUT_CLASS, 'pr-9')}
          />
          <Combobox.Trigger
            aria-label={`Show the list: ${label}`}
            className="absolute inset-y-0 right-0 flex w-9 items-center justify-center text-faint hover:text-ink"
          >
            <ChevronsUpDown aria-hidden size={16} />
          </Combobox.Trigger>
        </div>
        <Combobox.Portal>
          <Combobox.Positioner className="z-50 outline-none" sideOffset={4}>
            <Combobox.Popup className="w-(--anchor-width) max-w-(--available-width) rounded-md border border-line bg-raised shadow-pop">
              <Combobox.Empty>
                <p className="px-3 py-3 text-meta text-muted">Nothing by that name.</p>
              </Combobox.Empty>
              <Combobox.List className="max-h-[min(304px,var(--available-height))] overflow-y-auto overscroll-contain p-1 outline-none data-empty:p-0">
                {(item: PickerItem) => (
                  <Combobox.Item
                    key={item.value}
                    value={item}
                    className="grid min-h-8 cursor-default grid-cols-[16px_minmax(0,1fr)_auto] items-center gap-2 rounded-sm px-2 text-body select-none data-highlighted:bg-hover max-md:min-h-10"
                  >
                    <Combobox.ItemIndicator className="col-start-1 text-link">
                      <Check aria-hidden size={16} />
                    </Combobox.ItemIndicator>
                    <span className="col-start-2 truncate">{item.label}</span>
                    {item.note && <span className="text-mini text-faint">{item.note}</span>}
                  </Combobox.Item>
                )}
              </Combobox.List>
            </Combobox.Popup>
          </Combobox.Positioner>
        </Combobox.Portal>
      </Combobox.Root>
    </FieldFrame>
  );
}
