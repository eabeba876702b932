import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { call } from '../api/client.ts';
import { queryClient } from '../api/queries.ts';
import type { Script } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { ExactText } from '../ui/exact-text.tsx';
import { Time } from '../ui/time.tsx';
import { who } from '../ui/who.ts';
import { PowerCard } from './power-card.tsx';
import { scriptList, scriptPath } from './script-queries.ts';
import { StateMark } from './script-state.tsx';
import type { ScriptAct } from './use-script-act.ts';

/** Whether it runs, by whose word, with what power, and the ways to stop it. */
export function Standing({
  script,
  act,
  editing,
}: {
  readonly script: Script;
  readonly act: ScriptAct;
  readonly editing: boolean;
}) {
  const [asking, setAsking] = useState<'disable' | 'delete' | null>(null);
  const navigate = useNavigate();
  const { name, granted_power: power } = script;
  return (
    <section className="flex flex-col gap-4" aria-label="How it stands">
      <div className="flex items-start justify-between gap-3 max-md:flex-col">
        <div className="flex min-w-0 flex-col gap-1 text-meta text-muted">
          <StateMark script={script} />
          <p data-testid="script-refused" className="text-body text-ink wrap-anywhere">
            {standingWords(script)}
          </p>
          <p>
            {writtenBy(script.author)}, <Time iso={script.modified_at} />.
          </p>
          {script.approved_at && script.approved_by && (
            <p>
              {script.modified ? 'An older version was approved' : 'Approved'} by {who(script.approved_by)},{' '}
              <Time iso={script.approved_at} />
              {script.grant?.expires_at !== undefined && (
                <>
                  ; runs out <Time iso={script.grant.expires_at} />
                </>
              )}
              .
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
          {script.disabled_at && script.disabled_by && (
            <p>
              Disabled by {who(script.disabled_by)}, <Time iso={script.disabled_at} />.
            </p>
          )}
        </div>
        <div className="flex shrink-0 flex-wrap gap-2">
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
            <Button tone="danger-plain" onClick={() => setAsking('disable')} data-testid="script-disable">
              Disable this script
            </Button>
          )}
          <Button tone="danger-plain" onClick={() => setAsking('delete')} data-testid="script-delete">
            Delete it
          </Button>
        </div>
      </div>
      {power && (
        <div className="rounded-lg border border-line px-4 py-3" data-testid="script-granted">
          <PowerCard
            title={script.modified ? 'What the approved version was given' : 'What it was given'}
            power={power}
          />
        </div>
      )}
      <Confirm
        open={asking === 'disable'}
        onOpenChange={(open) => !open && setAsking(null)}
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
      <Confirm
        open={asking === 'delete'}
        onOpenChange={(open) => !open && setAsking(null)}
        title={`Delete ${name}?`}
        act="Delete this script"
        onAct={async () => {
          await call<undefined>('DELETE', scriptPath(name));
          await queryClient.invalidateQueries(scriptList);
          // What is written in the editor goes with it: that was asked just now.
          await navigate({ to: '/scripts', ignoreBlocker: true });
          queryClient.removeQueries({ queryKey: ['script', name] });
        }}
        testId="script-delete-dialog"
      >
        The file scripts/{name}.star is removed, what was approved does not hold any more, and what runs of it
        now is stopped. Its versions and runs stay in the database: to undo this, make a script of the same
        name; they are listed there, and nothing of them is approved.
        {editing && ' What you are writing in the editor is lost.'}
      </Confirm>
    </section>
  );
}

/** For the owner, who decides; what the assistant is told names him. */
function standingWords({ refused, status, modified }: Script): string {
  if (refused === null) return 'It may run now.';
  if (refused.code === 'script_disabled') return 'It does not run: it is disabled.';
  if (refused.code === 'script_not_approved')
    return status === 'rejected'
      ? 'It does not run: this version was rejected.'
      : 'It does not run before you approve it.';
  if (refused.code === 'script_modified' && modified)
    return 'It does not run: it was changed since it was approved, and the change waits for you.';
  return `It does not run now: ${refused.message}`;
}

function writtenBy(author: string): string {
  return author === 'unknown' ? 'Found in the folder scripts/' : `Written by ${who(author)}`;
}
