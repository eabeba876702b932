import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { useRef, useState } from 'react';
import { CallError } from '../api/client.ts';
import { queryClient } from '../api/queries.ts';
import type { Script } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { ExactText } from '../ui/exact-text.tsx';
import { Behind, Notice, Problem } from '../ui/notice.tsx';
import { Page, SkeletonRows } from '../ui/page.tsx';
import { PasswordDialog } from '../ui/password-dialog.tsx';
import { useFocusAfter } from '../ui/use-focus-after.ts';
import { CodeSection } from './code-section.tsx';
import { DecisionPanel } from './decision-panel.tsx';
import { MissingSecrets } from './missing-secrets.tsx';
import { nothingLeftOut, type Narrowing } from './narrow-grant.ts';
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
  const query = useQuery(scriptQuery(name));
  const { error, refetch, isFetching, dataUpdatedAt } = query;
  // A review begins with what stands there now, not with what was seen on an earlier visit.
  const data = query.isFetchedAfterMount ? query.data : undefined;
  const gone = error instanceof CallError && error.status === 404;
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
        <>
          {gone ? (
            <Notice tone="stop" title={`${name} is not there any more`} testId="script-gone">
              It was deleted meanwhile. Below is its text as it was; nothing of it runs.
            </Notice>
          ) : (
            <Behind error={error} since={dataUpdatedAt} what={name} />
          )}
          <Review key={name} now={data} gone={gone} />
        </>
      )}
    </Page>
  );
}

/** What is read stays under the eyes: a version that comes meanwhile is announced, and shown when the reader wants it. */
function Review({ now, gone }: { readonly now: Script; readonly gone: boolean }) {
  const [read, setRead] = useState(now);
  const [editing, setEditing] = useState(false);
  /** What the reader leaves out of what a text asks for. */
  const [left, setLeft] = useState<{ readonly hash: string; readonly without: Narrowing } | null>(null);
  // News about the same text, such as a decision, are shown at once, and stay when a newer text comes.
  if (read.hash === now.hash && read !== now) setRead(now);
  const shown = read.hash === now.hash ? now : read;
  const showNow = async () => {
    await queryClient.invalidateQueries(scriptQuery(now.name));
    setRead(queryClient.getQueryData(scriptQuery(now.name).queryKey) ?? now);
  };
  // What somebody is writing stays: the editor says what came meanwhile.
  const act = useScriptAct(now.name, () => void showNow());
  const notice = useRef<HTMLDivElement>(null);
  useFocusAfter(() => notice.current, act.busy !== null);
  const said = act.said?.hash === now.hash && act.said.revision === now.revision ? act.said.words : null;
  const newer = shown !== now;
  const undecided =
    shown.status === 'pending' || shown.status === 'rejected' || shown.refused?.code === 'approval_expired';
  // Once it is approved that is over: when the approval has run out, what was chosen then, such as its end, is old.
  if (left !== null && !undecided && shown.approved_hash === left.hash) setLeft(null);
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
      {(act.problem ?? said) !== null && (
        // In sight wherever on the page the act was.
        <div ref={notice} tabIndex={-1} className="sticky top-2 z-10 rounded-md">
          {act.problem ? (
            <Notice tone="stop" testId="script-problem">
              {act.problem}
            </Notice>
          ) : (
            <Notice tone="ok" testId="script-said">
              {said}
            </Notice>
          )}
        </div>
      )}
      {!gone && <Standing script={now} act={act} editing={editing} />}
      {!gone && now.missing_secrets.length > 0 && now.status !== 'rejected' && (
        <MissingSecrets names={now.missing_secrets} />
      )}
      {!gone && <Offers script={now} act={act} />}
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
      {!gone && !editing && undecided && (
        <DecisionPanel
          key={`decision ${shown.hash}`}
          script={shown}
          act={act}
          without={left?.hash === shown.hash ? left.without : nothingLeftOut(shown)}
          onWithout={(without) => setLeft({ hash: shown.hash, without })}
        />
      )}
      {!gone && !editing && <TestRun key={shown.hash} script={shown} />}
      {!gone && <ScriptRuns name={shown.name} />}
      {!gone && <ScriptVersions script={now} onRestored={showNow} />}
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
        {act.stepUp?.order.act}: <code>{now.name}</code>
        {act.stepUp?.order.hash !== undefined && (
          <>
            , <code>{act.stepUp.order.hash.slice(7, 23)}</code>
          </>
        )}
        .
      </PasswordDialog>
    </>
  );
}
