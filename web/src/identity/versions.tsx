import { useQuery } from '@tanstack/react-query';
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { identityVersion } from '../api/queries.ts';
import type { IdentityText, IdentityVersion } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { Confirm } from '../ui/dialog.tsx';
import { Problem } from '../ui/notice.tsx';
import { SkeletonRows } from '../ui/page.tsx';
import { exact, Time } from '../ui/time.tsx';
import { DiffView } from './diff-view.tsx';

interface VersionsProps {
  readonly current: IdentityText;
  readonly busy: boolean;
  readonly onRestore: (version: number) => Promise<void>;
}

/** Every version that is kept, newest first; each opens into what it would change, and can be restored. */
export function Versions({ current, busy, onRestore }: VersionsProps) {
  const [open, setOpen] = useState<number | null>(null);
  const { versions } = current;
  return (
    <section className="flex flex-col gap-2" aria-labelledby="versions">
      <h2 id="versions" className="font-semibold">
        Versions
      </h2>
      {versions.length === 0 ? (
        <p className="text-meta text-muted">
          None yet. The first is kept when you or the assistant change this file.
        </p>
      ) : (
        <ol className="flex flex-col divide-y divide-line rounded-lg border border-line">
          {versions.map((version) => (
            <li key={version.id} data-testid="identity-version">
              <button
                type="button"
                aria-expanded={open === version.id}
                onClick={() => setOpen(open === version.id ? null : version.id)}
                className="flex min-h-10 w-full items-center gap-2 rounded-lg px-3 py-2 text-left hover:bg-hover"
              >
                <ChevronRight
                  aria-hidden
                  size={16}
                  className={cx('shrink-0 text-faint', open === version.id && 'rotate-90')}
                />
                <span className={cx('min-w-0 flex-1 truncate', version.by === 'assistant' && 'text-ai')}>
                  {madeBy(version)}
                </span>
                {version.digest === current.digest && (
                  <span className="shrink-0 text-mini text-ok">as it is now</span>
                )}
                <Time iso={version.at} className="shrink-0 text-mini text-muted" />
              </button>
              {open === version.id && (
                <Version current={current} version={version} busy={busy} onRestore={onRestore} />
              )}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Version({
  current,
  version,
  busy,
  onRestore,
}: VersionsProps & { readonly version: IdentityVersion }) {
  const { data, error, refetch, isFetching } = useQuery(identityVersion(current.path, version.id));
  const [asking, setAsking] = useState(false);
  return (
    <div className="flex flex-col gap-3 px-3 pb-3">
      {error && !data ? (
        <Problem
          error={error}
          what="This version could not be loaded."
          busy={isFetching}
          onRetry={() => void refetch()}
        />
      ) : !data ? (
        <SkeletonRows count={3} className="h-6" />
      ) : (
        <>
          <p className="text-mini text-muted">
            {version.digest === current.digest
              ? 'This is the text as it is now.'
              : 'Restoring it would change this in the text as it is now:'}
          </p>
          {version.digest !== current.digest && <DiffView before={current.text} after={data.text} />}
          <p className="truncate font-mono text-mini text-faint" title={version.digest}>
            {version.digest.slice(0, 16)}, {version.bytes} bytes
          </p>
          {version.digest !== current.digest && (
            <div>
              <Button small busy={busy} onClick={() => setAsking(true)} data-testid="identity-restore">
                Restore this version
              </Button>
            </div>
          )}
          <Confirm
            open={asking}
            onOpenChange={setAsking}
            title={`Restore ${current.path}?`}
            act="Restore this version"
            tone="primary"
            onAct={() => onRestore(version.id)}
            testId="restore-dialog"
          >
            The text of {exact(version.at)} takes the place of the one that is there now, which stays among
            the versions and can be restored in the same way.
          </Confirm>
        </>
      )}
    </div>
  );
}

function madeBy({ how, by }: IdentityVersion): string {
  switch (how) {
    case 'page':
      return `Written by ${by.replace(/^user:/, '')}`;
    case 'restored':
      return `Restored by ${by.replace(/^user:/, '')}`;
    case 'tool':
      return 'Written by the assistant';
    case 'found':
      return 'Found there before a change';
  }
}
