import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import type { ScriptVersionView } from '../api/types.ts';
import { CodeDiff } from '../code/code-diff.tsx';
import { Button } from '../ui/button.tsx';
import { INPUT_CLASS } from '../ui/field.tsx';
import { Problem } from '../ui/notice.tsx';
import { SkeletonRows } from '../ui/page.tsx';
import { exact } from '../ui/time.tsx';
import { who } from '../ui/who.ts';
import { scriptVersion } from './script-queries.ts';

interface CompareProps {
  readonly name: string;
  readonly versions: readonly ScriptVersionView[];
}

/** What changed between any two versions. */
export function CompareVersions({ name, versions }: CompareProps) {
  const [open, setOpen] = useState(false);
  return (
    <div className="flex flex-col gap-3">
      <div>
        <Button small aria-expanded={open} onClick={() => setOpen(!open)} data-testid="script-compare">
          {open ? 'Close the comparison' : 'Compare two versions'}
        </Button>
      </div>
      {open && <Compare name={name} versions={versions} />}
    </div>
  );
}

function Compare({ name, versions }: CompareProps) {
  // The same text can be there more than once: its newest place stands for it.
  const texts = versions.filter(
    ({ hash }, index) => versions.findIndex((each) => each.hash === hash) === index,
  );
  const [from, setFrom] = useState(texts[1]?.hash ?? texts[0]?.hash ?? '');
  const [to, setTo] = useState(texts[0]?.hash ?? '');
  const before = useQuery(scriptVersion(name, from));
  const after = useQuery(scriptVersion(name, to));
  const error = before.error ?? after.error;
  return (
    <div className="flex flex-col gap-2">
      <div className="grid grid-cols-2 gap-x-4 gap-y-2 max-md:grid-cols-1">
        <Choice label="From" texts={texts} value={from} onChange={setFrom} testId="script-compare-from" />
        <Choice label="To" texts={texts} value={to} onChange={setTo} testId="script-compare-to" />
      </div>
      {error && !(before.data && after.data) ? (
        <Problem
          error={error}
          what="These versions could not be loaded."
          busy={before.isFetching || after.isFetching}
          onRetry={() => void Promise.all([before.refetch(), after.refetch()])}
        />
      ) : !before.data || !after.data ? (
        <SkeletonRows count={3} className="h-6" />
      ) : (
        <CodeDiff
          before={before.data.source}
          after={after.data.source}
          label="What changed between these versions"
          testId="script-compare-diff"
        />
      )}
    </div>
  );
}

function Choice({
  label,
  texts,
  value,
  onChange,
  testId,
}: {
  readonly label: string;
  readonly texts: readonly ScriptVersionView[];
  readonly value: string;
  readonly onChange: (hash: string) => void;
  readonly testId: string;
}) {
  const id = useId();
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <label htmlFor={id} className="text-mini font-medium text-muted">
        {label}
      </label>
      <select
        id={id}
        value={value}
        onChange={({ target }) => onChange(target.value)}
        className={INPUT_CLASS}
        data-testid={testId}
      >
        {texts.map(({ hash, timestamp, author, decision }, index) => (
          <option key={hash} value={hash}>
            {`${index === 0 ? 'Newest, ' : ''}${hash.slice(7, 15)}, ${who(author)}, ${exact(timestamp)}${
              decision === 'approved' || decision === 'rejected' ? `, ${decision}` : ''
            }`}
          </option>
        ))}
      </select>
    </div>
  );
}
