import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Script } from '../api/types.ts';
import { CodeDiff } from '../code/code-diff.tsx';
import { CodeView } from '../code/code-view.tsx';
import { Button } from '../ui/button.tsx';
import { Problem } from '../ui/notice.tsx';
import { SkeletonRows } from '../ui/page.tsx';
import { scriptVersion } from './script-queries.ts';

/** The text that is decided on; beside an approved one, what changed comes first. `children`: the editor. */
export function CodeSection({
  script,
  editing,
  onEdit,
  children,
}: {
  readonly script: Script;
  readonly editing: boolean;
  readonly onEdit: () => void;
  readonly children: ReactNode;
}) {
  const approved = script.modified ? script.approved_hash : null;
  return (
    <section className="flex flex-col gap-4" aria-labelledby="script-code-title">
      {!editing && approved && <Difference script={script} approved={approved} />}
      <div className="flex items-center justify-between gap-3">
        <h2 id="script-code-title" className="font-semibold">
          {approved === null || editing ? 'The code' : 'The whole code of the newest version'}
        </h2>
        {!editing && (
          <Button small onClick={onEdit} data-testid="script-edit">
            Change the code
          </Button>
        )}
      </div>
      {editing ? (
        children
      ) : (
        <CodeView source={script.source} mistakes={script.problems} testId="script-code" />
      )}
    </section>
  );
}

function Difference({ script, approved }: { readonly script: Script; readonly approved: string }) {
  const { data, error, refetch, isFetching } = useQuery(scriptVersion(script.name, approved));
  return (
    <div className="flex flex-col gap-2">
      <h2 className="font-semibold">What changed since the version that you approved</h2>
      {error && !data ? (
        <Problem
          error={error}
          what="The approved version could not be loaded."
          busy={isFetching}
          onRetry={() => void refetch()}
        />
      ) : !data ? (
        <SkeletonRows count={3} className="h-6" />
      ) : (
        <CodeDiff
          before={data.source}
          after={script.source}
          label="What changed since the approved version"
          testId="script-diff"
        />
      )}
    </div>
  );
}
