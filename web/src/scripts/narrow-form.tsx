import { useId } from 'react';
import type { Script } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { INPUT_CLASS } from '../ui/field.tsx';
import {
  bytes,
  hostsOf,
  QUOTA_NAMES,
  readQuota,
  typed,
  type Narrowing,
  type QuotaName,
} from './narrow-grant.ts';

const ENDS: readonly (readonly [number | null, string])[] = [
  [null, 'Until I take it back'],
  [1, 'For one day'],
  [7, 'For 7 days'],
  [30, 'For 30 days'],
];
const LIMITS: Readonly<Record<QuotaName, string>> = {
  runs_per_hour: 'Runs an hour',
  requests_per_hour: 'Requests an hour',
  bytes_per_hour: 'MiB of answers an hour',
};

function endAfter(value: string): Narrowing['end'] {
  const days = Number(value);
  return value === 'null' ? null : { days, at: new Date(Date.now() + days * 86_400_000).toISOString() };
}

interface NarrowFormProps {
  readonly asks: Script['proposed_grant'];
  readonly quotas: Script['quotas'];
  readonly without: Narrowing;
  readonly onChange: (next: Narrowing) => void;
}

/** What of it is given, how much in an hour, and how long. */
export function NarrowForm({ asks, quotas, without, onChange }: NarrowFormProps) {
  const end = useId();
  const groups = [
    { key: 'secrets', label: 'Secrets', items: Object.keys(asks.secrets) },
    { key: 'hosts', label: 'Hosts', items: hostsOf(asks) },
    { key: 'methods', label: 'Methods', items: asks.methods },
  ] as const;
  // What asks for no host sends nothing that could be counted.
  const limits = hostsOf(asks).length === 0 ? QUOTA_NAMES.slice(0, 1) : QUOTA_NAMES;
  return (
    <div className="flex flex-col gap-4" data-testid="script-narrow">
      <div className="flex flex-wrap gap-x-8 gap-y-3 empty:hidden">
        {groups.map(
          ({ key, label, items }) =>
            items.length > 0 && (
              <fieldset key={key} className="flex min-w-0 flex-col gap-1">
                <legend className="mb-1 text-mini font-medium text-muted">{label}: give it</legend>
                {items.map((item) => {
                  const given = !without[key].includes(item);
                  return (
                    <label key={item} className="flex min-h-6 items-center gap-2 text-meta max-md:min-h-10">
                      <input
                        type="checkbox"
                        checked={given}
                        onChange={() =>
                          onChange({
                            ...without,
                            [key]: given
                              ? [...without[key], item]
                              : without[key].filter((each) => each !== item),
                          })
                        }
                        className="size-4 shrink-0 accent-accent"
                      />
                      <code className="min-w-0 wrap-anywhere">{item}</code>
                    </label>
                  );
                })}
              </fieldset>
            ),
        )}
      </div>
      <div className="grid grid-cols-4 gap-x-4 gap-y-2 max-md:grid-cols-2 max-sm:grid-cols-1">
        <div className="flex flex-col gap-1">
          <label htmlFor={end} className="text-mini font-medium text-muted">
            How long
          </label>
          <select
            id={end}
            value={String(without.end?.days ?? null)}
            onChange={({ target }) => onChange({ ...without, end: endAfter(target.value) })}
            className={INPUT_CLASS}
            data-testid="script-expiry"
          >
            {ENDS.map(([days, words]) => (
              <option key={words} value={String(days)}>
                {words}
              </option>
            ))}
          </select>
        </div>
        {limits.map((name) => (
          <Limit key={name} name={name} quotas={quotas} without={without} onChange={onChange} />
        ))}
      </div>
    </div>
  );
}

function Limit({
  name,
  quotas,
  without,
  onChange,
}: Omit<NarrowFormProps, 'asks'> & { readonly name: QuotaName }) {
  const id = useId();
  const text = without.quotas[name];
  const wrong = readQuota(name, text, quotas.most) === null;
  const inBytes = name === 'bytes_per_hour';
  const most = inBytes ? bytes(quotas.most[name]) : String(quotas.most[name]);
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-mini font-medium text-muted">
        {LIMITS[name]}
      </label>
      <input
        id={id}
        inputMode="decimal"
        autoComplete="off"
        value={text}
        placeholder={`${typed(name, quotas.usual[name])}, the usual limit`}
        aria-invalid={wrong || undefined}
        aria-describedby={wrong ? `${id}-wrong` : undefined}
        onChange={({ target }) =>
          onChange({ ...without, quotas: { ...without.quotas, [name]: target.value } })
        }
        className={cx(INPUT_CLASS, 'tabular-nums')}
        data-testid={`script-quota-${name}`}
      />
      {wrong && (
        <p id={`${id}-wrong`} role="alert" className="text-mini text-stop">
          {inBytes ? 'A number' : 'A whole number'} from 0 to {most}.
        </p>
      )}
    </div>
  );
}
