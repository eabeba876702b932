import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { useState } from 'react';
import { queryClient } from '../api/queries.ts';
import type { Script } from '../api/types.ts';
import { DiffView } from '../identity/diff-view.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { ExactText } from '../ui/exact-text.tsx';
import { Notice, Problem } from '../ui/notice.tsx';
import { Page, SkeletonRows } from '../ui/page.tsx';
import { PasswordDialog } from '../ui/step-up.tsx';
import { Time } from '../ui/time.tsx';
import { who } from '../ui/who.ts';
import { CodeView } from './code-view.tsx';
import { DecisionPanel } from './decision-panel.tsx';
import { PowerCard } from './power-card.tsx';
import { ScriptEditor } from './script-editor.tsx';
import { script as scriptQuery, scriptVersion } from './script-queries.ts';
import { ScriptRuns } from './script-runs.tsx';
import { StateMark } from './script-state.tsx';
import { ScriptVersions } from './script-versions.tsx';
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
      lead={data && data.description !== '' ? <ExactText text={data.description} /> : undefined}
      actions={data && <StateMark script={data} />}
    >
      <Link to="/scripts" className="inline-flex items-center gap-1 self-start text-meta text-link">
        <ArrowLeft aria-hidden size={14} />
        All scripts
      </Link>
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
  // News about the same text, such as a decision made elsewhere, are shown at once.
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
      {newer && (
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
      {act.problem && (
        <Notice tone="stop" testId="script-problem">
          {act.problem}
        </Notice>
      )}
      {act.said && (
        <Notice tone="ok" testId="script-said">
          {act.said}
        </Notice>
      )}
      <Standing script={now} act={act} />
      <Text script={shown} editing={editing} onEdit={() => setEditing(true)}>
        <ScriptEditor
          script={shown}
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
      </Text>
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

/** Whether it runs, by whose word, and the way to stop it. */
function Standing({
  script,
  act,
}: {
  readonly script: Script;
  readonly act: ReturnType<typeof useScriptAct>;
}) {
  const [asking, setAsking] = useState(false);
  const { name, granted_power: power } = script;
  return (
    <section className="flex flex-col gap-4" aria-label="How it stands">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="flex min-w-0 flex-col gap-1 text-meta text-muted">
          <p>
            Written by {who(script.author)}, <Time iso={script.modified_at} />.
          </p>
          {script.approved_at && script.approved_by && (
            <p>
              {script.modified ? 'An older version was approved' : 'Approved'} by {who(script.approved_by)},{' '}
              <Time iso={script.approved_at} />.
            </p>
          )}
          {script.rejected_at && (
            <p className="wrap-anywhere" data-testid="script-rejected">
              Rejected by {who(script.rejected_by ?? 'owner')}, <Time iso={script.rejected_at} />
              {script.reject_reason ? (
                <>
                  : <ExactText text={script.reject_reason} />
                </>
              ) : (
                '.'
              )}
            </p>
          )}
          <p data-testid="script-refused" className="wrap-anywhere">
            {script.refused ? `It does not run now: ${script.refused.message}` : 'It may run now.'}
          </p>
        </div>
        {script.status === 'disabled' ? (
          <Button
            busy={act.busy === 'Enable this script'}
            disabled={act.busy !== null}
            onClick={() =>
              void act.run({
                method: 'POST',
                path: '/enable',
                body: {},
                done: 'Enabled. What was approved runs again.',
                act: 'Enable this script',
              })
            }
            data-testid="script-enable"
          >
            Enable this script
          </Button>
        ) : (
          <Button tone="danger-plain" onClick={() => setAsking(true)} data-testid="script-disable">
            Disable this script
          </Button>
        )}
      </div>
      {script.problems.length > 0 && (
        <Notice tone="stop" title="The text has mistakes">
          <ul>
            {script.problems.map(({ line, message }) => (
              <li key={`${line} ${message}`}>{`Line ${line}: ${message}`}</li>
            ))}
          </ul>
        </Notice>
      )}
      {script.offers.length > 0 && (
        <Notice
          tone="ask"
          title="Refused while it ran, because it is not in the grant"
          testId="script-offers"
        >
          <ul>
            {script.offers.map(({ kind, what, times }) => (
              <li
                key={`${kind} ${what}`}
              >{`the ${kind} ${what}, ${times === 1 ? 'once' : `${times} times`}`}</li>
            ))}
          </ul>
        </Notice>
      )}
      {power && (
        <div className="rounded-lg border border-line px-4 py-3" data-testid="script-granted">
          <PowerCard
            title={script.modified ? 'What the approved version was given' : 'What it was given'}
            power={power}
          />
        </div>
      )}
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Disable ${name}?`}
        act="Disable this script"
        onAct={() =>
          act.run({
            method: 'POST',
            path: '/disable',
            done: 'Disabled. What ran was stopped.',
            act: 'Disable this script',
          })
        }
        testId="script-disable-dialog"
      >
        It does not start any more, and what runs of it now is stopped. Enabling it on this page undoes that.
      </Confirm>
    </section>
  );
}

/** The text that is decided on; beside an approved one, what changed. */
function Text({
  script,
  editing,
  onEdit,
  children,
}: {
  readonly script: Script;
  readonly editing: boolean;
  readonly onEdit: () => void;
  readonly children: React.ReactNode;
}) {
  const approved = script.modified ? script.approved_hash : null;
  return (
    <section className="flex flex-col gap-3" aria-labelledby="script-code-title">
      <div className="flex items-center justify-between gap-3">
        <h2 id="script-code-title" className="font-semibold">
          The code
        </h2>
        {!editing && (
          <Button small onClick={onEdit} data-testid="script-edit">
            Change the code
          </Button>
        )}
      </div>
      {editing ? children : <CodeView source={script.source} />}
      {!editing && approved && <Difference script={script} approved={approved} />}
    </section>
  );
}

function Difference({ script, approved }: { readonly script: Script; readonly approved: string }) {
  const { data, error, refetch, isFetching } = useQuery(scriptVersion(script.name, approved));
  return (
    <div className="flex flex-col gap-2">
      <h3 className="text-meta font-medium text-muted">What changed since the version that you approved</h3>
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
        <DiffView before={data.source} after={script.source} testId="script-diff" />
      )}
    </div>
  );
}
