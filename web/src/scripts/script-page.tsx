import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { useState } from 'react';
import { queryClient } from '../api/queries.ts';
import type { Script } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { ExactText } from '../ui/exact-text.tsx';
import { Notice, Problem } from '../ui/notice.tsx';
import { Page, SkeletonRows } from '../ui/page.tsx';
import { PasswordDialog } from '../ui/password-dialog.tsx';
import { CodeSection } from './code-section.tsx';
import { DecisionPanel } from './decision-panel.tsx';
import { MissingSecrets } from './missing-secrets.tsx';
import { Offers } from './offers.tsx';
import { ScriptEditor } from './script-editor.tsx';
import { script as scriptQuery } from './script-queries.ts';
import { ScriptRuns } from './script-runs.tsx';
import { ScriptVersions } from './script-versions.tsx';
import { Standing } from './standing.tsx';
import { TestRun } from './test-run.tsx';
import { useScriptAct } from './use-script-act.ts';

const route = getRouteApi('/app/scripts/$name');

/** One script: its text, its power, the decision, and everything that became of it. */
export function ScriptPage() {
  const { name } = route.useParams();
  const { data, error, refetch, isFetching } = useQuery(scriptQuery(name));
  return (
    <Page
      wide
      title={name}
      back={
        <Link
          to="/scripts"
          className="inline-flex items-center gap-1 self-start text-meta text-link max-md:py-2"
        >
          <ArrowLeft aria-hidden size={14} />
          All scripts
        </Link>
      }
      lead={data && data.description !== '' ? <ExactText text={data.description} /> : undefined}
    >
      {error && !data ? (
        <Problem
          error={error}
          what={`${name} could not be loaded.`}
          busy={isFetching}
          onRetry={() => void refetch()}
        />
      ) : !data ? (
        <SkeletonRows count={8} className="h-8" />
      ) : (
        <Review key={name} now={data} />
      )}
    </Page>
  );
}

/** What is read stays under the eyes: a version that comes meanwhile is announced, and shown when the reader wants it. */
function Review({ now }: { readonly now: Script }) {
  const [read, setRead] = useState(now);
  const [editing, setEditing] = useState(false);
  // News about the same text, such as a decision, are shown at once, and stay when a newer text comes.
  if (read.hash === now.hash && read !== now) setRead(now);
  const shown = read.hash === now.hash ? now : read;
  const showNow = async () => {
    setEditing(false);
    await queryClient.invalidateQueries(scriptQuery(now.name));
    setRead(queryClient.getQueryData(scriptQuery(now.name).queryKey) ?? now);
  };
  const act = useScriptAct(now.name, () => void showNow());
  const newer = shown !== now;
  const undecided =
    shown.status === 'pending' || shown.status === 'rejected' || shown.refused?.code === 'approval_expired';
  return (
    <>
      {newer && !editing && (
        <Notice
          tone="ask"
          title="A newer version came"
          testId="script-newer"
          action={
            <Button small onClick={() => void showNow()} data-testid="script-show-newer">
              Show the newer version
            </Button>
          }
        >
          You read {shown.hash.slice(7, 19)}; the newest is {now.hash.slice(7, 19)}.
        </Notice>
      )}
      {(act.problem ?? act.said) !== null && (
        // In sight wherever on the page the act was.
        <div className="sticky top-2 z-10">
          {act.problem ? (
            <Notice tone="stop" testId="script-problem">
              {act.problem}
            </Notice>
          ) : (
            <Notice tone="ok" testId="script-said">
              {act.said}
            </Notice>
          )}
        </div>
      )}
      <Standing script={now} act={act} />
      {now.missing_secrets.length > 0 && now.status !== 'rejected' && (
        <MissingSecrets names={now.missing_secrets} />
      )}
      <Offers script={now} act={act} />
      <CodeSection script={shown} editing={editing} onEdit={() => setEditing(true)}>
        <ScriptEditor
          script={shown}
          now={now}
          act={{
            ...act,
            run: async (order) => {
              const changed = await act.run(order);
              if (changed) setRead(changed);
              return changed;
            },
          }}
          onClose={() => setEditing(false)}
        />
      </CodeSection>
      {!editing && undecided && (
        <DecisionPanel key={`${shown.hash} ${shown.revision}`} script={shown} act={act} />
      )}
      {!editing && <TestRun key={shown.hash} script={shown} />}
      <ScriptRuns name={shown.name} />
      <ScriptVersions script={now} onRestored={showNow} />
      <PasswordDialog
        open={act.stepUp !== null}
        problem={act.stepUp?.problem ?? null}
        busy={act.busy !== null}
        act={act.stepUp?.order.act ?? 'Go on'}
        onCancel={act.cancelStepUp}
        onPassword={(password) => {
          if (act.stepUp) void act.run(act.stepUp.order, password);
        }}
      >
        {act.stepUp?.order.act}: <code>{shown.name}</code>, <code>{shown.hash.slice(7, 23)}</code>.
      </PasswordDialog>
    </>
  );
}
