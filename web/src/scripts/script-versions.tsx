import { useQuery } from '@tanstack/react-query';
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { call } from '../api/client.ts';
import type { Script, ScriptRestored, ScriptVersionView } from '../api/types.ts';
import { CodeDiff } from '../code/code-diff.tsx';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { Confirm } from '../ui/dialog.tsx';
import { ExactText } from '../ui/exact-text.tsx';
import { Problem } from '../ui/notice.tsx';
import { SkeletonRows } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { who } from '../ui/who.ts';
import { CompareVersions } from './compare-versions.tsx';
import { refreshScript, scriptHistory, scriptPath, scriptVersion } from './script-queries.ts';

const HOW = {
  tool: 'Written by',
  page: 'Written on this page by',
  folder: 'Found in the folder by',
  restored: 'Restored by',
  import: 'Imported by',
} as const;
const DECIDED = {
  approved: { words: 'approved', className: 'text-ok' },
  rejected: { words: 'rejected', className: 'text-stop' },
  passed_over: { words: 'never decided', className: 'text-faint' },
} as const;

interface VersionsProps {
  readonly script: Script;
  readonly onRestored: () => Promise<void>;
}

/** Every version, newest first; each opens into what it would change, and can be restored. */
export function ScriptVersions({ script, onRestored }: VersionsProps) {
  const { data, error, refetch, isFetching } = useQuery(scriptHistory(script.name));
  const [open, setOpen] = useState<string | null>(null);
  return (
    <section className="flex flex-col gap-2" aria-labelledby="script-versions">
      <h2 id="script-versions" className="font-semibold">
        Versions
      </h2>
      {error && !data ? (
        <Problem
          error={error}
          what="The versions could not be loaded."
          busy={isFetching}
          onRetry={() => void refetch()}
        />
      ) : !data ? (
        <SkeletonRows count={2} className="h-10" />
      ) : (
        <>
          {data.versions.length > 1 && <CompareVersions name={script.name} versions={data.versions} />}
          <ol className="flex flex-col divide-y divide-line rounded-lg border border-line">
            {data.versions.map((version, index) => {
              // Not its place: a newer one above must not close what is read, or ask about another.
              const key = `${version.hash} ${version.timestamp}`;
              const expanded = open === key;
              return (
                <li key={key} data-testid="script-version" data-hash={version.hash}>
                  <button
                    type="button"
                    aria-expanded={expanded}
                    onClick={() => setOpen(expanded ? null : key)}
                    className="flex min-h-10 w-full items-center gap-2 rounded-lg px-3 py-2 text-left hover:bg-hover"
                  >
                    <ChevronRight
                      aria-hidden
                      size={16}
                      className={cx('shrink-0 text-faint', expanded && 'rotate-90')}
                    />
                    <span className={cx('min-w-0 flex-1 wrap-anywhere', version.how === 'tool' && 'text-ai')}>
                      {version.author === 'unknown'
                        ? 'Found in the folder scripts/'
                        : `${HOW[version.how]} ${who(version.author)}`}
                    </span>
                    <Decided version={version} newest={index === 0} />
                    <Time iso={version.timestamp} className="shrink-0 text-mini text-muted" />
                  </button>
                  {expanded && <Version script={script} version={version} onRestored={onRestored} />}
                </li>
              );
            })}
          </ol>
        </>
      )}
    </section>
  );
}

/** Only the newest waits: one before it that nobody decided on was replaced. */
function Decided({ version, newest }: { readonly version: ScriptVersionView; readonly newest: boolean }) {
  if (version.decision === null)
    return newest ? (
      <span className="shrink-0 text-mini text-ask">newest, waits</span>
    ) : (
      <span className="shrink-0 text-mini text-faint">replaced</span>
    );
  const { words, className } = DECIDED[version.decision];
  return (
    <span className={cx('shrink-0 text-mini', className)}>
      {newest ? 'newest, ' : ''}
      {words}
    </span>
  );
}

function Version({ script, version, onRestored }: VersionsProps & { readonly version: ScriptVersionView }) {
  const { data, error, refetch, isFetching } = useQuery(scriptVersion(script.name, version.hash));
  const [asking, setAsking] = useState(false);
  const newest = version.hash === script.hash;
  return (
    <div className="flex flex-col gap-3 px-3 pb-3">
      {version.message && (
        <p className="text-meta wrap-anywhere">
          <ExactText text={version.message} />
        </p>
      )}
      {/* One that was passed over was decided on by nobody. */}
      {version.decided_at && version.decision !== 'passed_over' && (
        <p className="text-mini text-muted wrap-anywhere">
          {version.decision === 'rejected' ? 'Rejected' : 'Approved'} by{' '}
          {version.decided_by ? who(version.decided_by) : 'OpenPact'}, <Time iso={version.decided_at} />
          {version.reason && (
            <>
              : <ExactText text={version.reason} />
            </>
          )}
        </p>
      )}
      {error && !data ? (
        <Problem
          error={error}
          what="This version could not be loaded."
          busy={isFetching}
          onRetry={() => void refetch()}
        />
      ) : !data ? (
        <SkeletonRows count={3} className="h-6" />
      ) : newest ? (
        <p className="text-mini text-muted">This is the newest text.</p>
      ) : (
        <>
          <p className="text-mini text-muted">Restoring it would change this in the newest text:</p>
          <CodeDiff
            before={script.source}
            after={data.source}
            label="What restoring this version would change"
            testId="script-version-diff"
          />
          <div>
            <Button small onClick={() => setAsking(true)} data-testid="script-restore">
              Restore this version
            </Button>
          </div>
          <Confirm
            open={asking}
            onOpenChange={setAsking}
            title={`Restore this version of ${script.name}?`}
            act="Restore this version"
            tone="primary"
            onAct={async () => {
              await call<ScriptRestored>('POST', scriptPath(script.name, `/restore/${version.hash}`));
              refreshScript(script.name);
              await onRestored();
            }}
            testId="script-restore-dialog"
          >
            Its text becomes the newest one. Only text that stands approved runs at once; any other waits for
            you. The text that is there now stays among the versions.
          </Confirm>
        </>
      )}
      <p className="truncate font-mono text-mini text-faint" title={version.hash}>
        {version.hash.slice(0, 23)}
      </p>
    </div>
  );
}
