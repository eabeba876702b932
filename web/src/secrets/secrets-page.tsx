import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { CalendarClock, ChevronRight, EyeOff, KeyRound, Plus, Server, TriangleAlert } from 'lucide-react';
import { useCallback, useId, useRef, useState, type ReactNode } from 'react';
import { call } from '../api/client.ts';
import { queryClient, secrets } from '../api/queries.ts';
import type { SecretFacts } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { Confirm } from '../ui/dialog.tsx';
import { useListKeys } from '../ui/list-keys.ts';
import { Behind, Notice, Problem } from '../ui/notice.tsx';
import { Empty, Page, SkeletonRows } from '../ui/page.tsx';
import { exact, Time } from '../ui/time.tsx';
import { WordsField } from '../ui/words-field.tsx';
import { scriptList } from '../scripts/script-queries.ts';
import { LockVault } from './lock-vault.tsx';
import { SecretDialog, type SecretTask } from './secret-dialog.tsx';

const route = getRouteApi('/app/secrets');

/** What scripts can be given, by name. A value comes in here and never out. */
export function SecretsPage() {
  const { q = '', name, show, set } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch, isFetching, dataUpdatedAt } = useQuery(secrets);
  // A link from a script names the secret that it lacks.
  const [task, setTask] = useState<SecretTask | null>(set === undefined ? null : { kind: 'set', name: set });
  const [doomed, setDoomed] = useState<SecretFacts | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const open = useCallback(
    (next: string | undefined) =>
      void navigate({
        search: ({ q: words, show: which }) => address(words, which, next),
        replace: true,
      }),
    [navigate],
  );
  const look = useCallback(
    (text: string) =>
      void navigate({
        search: ({ name: row, show: which }) => address(text, which, row),
        replace: true,
      }),
    [navigate],
  );
  useListKeys(
    list,
    useCallback(() => open(undefined), [open]),
  );

  const all = data?.secrets ?? [];
  const due = all.filter((each) => each.due === 'due');
  const words = q.toLowerCase();
  const shown = all.filter(
    (each) =>
      (show !== 'due' || each.due !== 'no') &&
      [each.name, each.note, ...each.hosts].some((text) => text.toLowerCase().includes(words)),
  );
  const setButton = (
    <Button
      tone="primary"
      icon={<Plus aria-hidden size={16} />}
      onClick={() => setTask({ kind: 'set' })}
      data-testid="secret-new"
    >
      Set a secret
    </Button>
  );

  return (
    <Page
      title="Secrets"
      lead="Keys that scripts can use and nobody can read: not the assistant, not the script, not this page."
      actions={
        <div className="flex shrink-0 flex-wrap justify-end gap-2">
          <LockVault />
          {all.length > 0 && setButton}
        </div>
      }
    >
      {data && <Behind error={error} since={dataUpdatedAt} what="The list" />}
      {due.length > 0 && (
        <Notice tone="ask" testId="secrets-due">
          {due.length === 1
            ? `${due[0]?.name ?? ''} is due to be rotated.`
            : `${due.length} secrets are due to be rotated.`}{' '}
          Make a new one where it comes from, then set it here.
        </Notice>
      )}
      {all.length > 0 && (
        <div className="flex flex-wrap items-center gap-2">
          <WordsField
            label="Search by name, note or host"
            value={q}
            onChange={look}
            testId="secret-search"
            className="w-72 max-sm:w-full"
          />
          <div role="group" aria-label="Filter" className="flex gap-1">
            {([undefined, 'due'] as const).map((each) => (
              <Link
                key={each ?? 'all'}
                to="/secrets"
                search={address(q, each, undefined)}
                replace
                aria-current={show === each ? 'true' : undefined}
                className={cx(
                  'inline-flex h-8 items-center rounded-md px-3 text-meta max-md:h-10',
                  show === each ? 'bg-selected font-medium' : 'text-muted hover:bg-hover hover:text-ink',
                )}
              >
                {each === undefined ? 'All' : 'To rotate'}
              </Link>
            ))}
          </div>
        </div>
      )}
      {error && !data ? (
        <Problem
          error={error}
          what="The secrets could not be loaded."
          busy={isFetching}
          onRetry={() => void refetch()}
        />
      ) : !data ? (
        <SkeletonRows count={4} className="h-14" />
      ) : all.length === 0 ? (
        <div className="rounded-lg border border-line">
          <Empty icon={<KeyRound aria-hidden size={20} />} title="No secrets yet" action={setButton}>
            A secret is a key to somebody else&apos;s service, such as a GitHub token. A script gets a handle
            to it; the value is filled in only while a request is sent, and only to hosts that you approved.
          </Empty>
        </div>
      ) : shown.length === 0 ? (
        <Empty icon={<KeyRound aria-hidden size={20} />} title="None of them fits">
          {show === 'due' ? 'No secret that fits is due within two weeks.' : 'Try another word.'}
        </Empty>
      ) : (
        <ul ref={list} className="flex flex-col divide-y divide-line border-y border-line">
          {shown.map((each) => (
            <Row
              key={each.name}
              secret={each}
              open={name === each.name}
              onToggle={() => open(name === each.name ? undefined : each.name)}
              onTask={setTask}
              onDelete={() => setDoomed(each)}
            />
          ))}
        </ul>
      )}
      {task && (
        <SecretDialog
          task={task}
          now={(task.kind !== 'set' && all.find((each) => each.name === task.secret.name)) || null}
          onDone={(done) => {
            setTask(null);
            if (done !== null || set !== undefined) open(done ?? undefined);
          }}
        />
      )}
      {doomed && (
        <Confirm
          open
          onOpenChange={(next) => {
            if (!next) setDoomed(null);
          }}
          title={`Delete ${doomed.name}?`}
          act="Delete this secret"
          onAct={async () => {
            await call('DELETE', `/api/secrets/${doomed.name}`);
            await queryClient.invalidateQueries(secrets);
          }}
          testId="secret-delete-dialog"
        >
          Scripts that ask for it get nothing from the next request on. Its value is gone for good: to have it
          again you need to enter it again. It stays hidden in texts for a while.
        </Confirm>
      )}
    </Page>
  );
}

/** Only what is said stands in the address. */
function address(q: string | undefined, show: 'due' | undefined, name: string | undefined) {
  return { ...(q ? { q } : {}), ...(show ? { show } : {}), ...(name ? { name } : {}) };
}

function Row({
  secret,
  open,
  onToggle,
  onTask,
  onDelete,
}: {
  readonly secret: SecretFacts;
  readonly open: boolean;
  readonly onToggle: () => void;
  readonly onTask: (task: SecretTask) => void;
  readonly onDelete: () => void;
}) {
  const panel = useId();
  const { hosts, last_used: used } = secret;
  return (
    <li>
      <button
        type="button"
        data-row
        data-testid="secret-row"
        data-name={secret.name}
        aria-expanded={open}
        aria-controls={panel}
        onClick={onToggle}
        className="grid min-h-14 w-full grid-cols-[14px_minmax(0,1fr)_auto] items-center gap-3 rounded-sm px-2 py-2 text-left hover:bg-hover"
      >
        <ChevronRight aria-hidden size={14} className={cx('text-faint', open && 'rotate-90')} />
        <span className="flex min-w-0 flex-col">
          <span className="truncate font-mono text-meta font-medium">{secret.name}</span>
          <span className="truncate text-mini text-muted">
            {hosts.length === 0 ? 'where an approval says' : hosts.join(', ')}
          </span>
        </span>
        <span className="flex flex-col items-end gap-0.5 text-mini text-faint">
          <span className="flex flex-wrap justify-end gap-x-3">
            {secret.source !== 'vault' && (
              <Mark icon={<Server aria-hidden size={12} />} tint="text-muted">
                {secret.source === 'environment' ? 'environment' : 'config.yaml'}
              </Mark>
            )}
            {!secret.matched && (
              <Mark icon={<EyeOff aria-hidden size={12} />} tint="text-ask">
                not hidden in texts
              </Mark>
            )}
            {secret.due !== 'no' && (
              <Mark
                icon={
                  secret.due === 'due' ? (
                    <TriangleAlert aria-hidden size={12} />
                  ) : (
                    <CalendarClock aria-hidden size={12} />
                  )
                }
                tint="text-ask"
              >
                {secret.due === 'due' ? 'rotate now' : 'rotate soon'}
              </Mark>
            )}
          </span>
          <span className="tabular-nums">
            {used ? (
              <>
                used <Time iso={used.at} />
              </>
            ) : (
              'never used'
            )}
          </span>
        </span>
      </button>
      {open && (
        <div id={panel} className="flex flex-col gap-4 px-8 pt-2 pb-5 max-md:px-2">
          <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-6 gap-y-1 text-meta [&>dd]:wrap-anywhere [&>dt]:text-muted">
            <dt>May be sent to</dt>
            <dd>{hosts.length === 0 ? 'the hosts that the approval of a script names' : hosts.join(', ')}</dd>
            <dt>Asked for by</dt>
            <dd>
              <AskedForBy name={secret.name} />
            </dd>
            <dt>Last used by</dt>
            <dd>{used ? `${used.by}, ${exact(used.at)}` : 'nobody yet'}</dd>
            <dt>Value set</dt>
            <dd>
              {secret.rotated_at
                ? exact(secret.rotated_at)
                : secret.source === 'environment'
                  ? `in the variable OPENPACT_SECRET_${secret.name}`
                  : 'by starlark.secrets in config.yaml'}
            </dd>
            <dt>Rotate by</dt>
            <dd>{secret.rotate_by ?? 'no date'}</dd>
            {secret.note !== '' && (
              <>
                <dt>Note</dt>
                <dd>{secret.note}</dd>
              </>
            )}
            <dt>In texts</dt>
            <dd>
              {secret.matched
                ? 'hidden, in every encoding that we know'
                : 'not looked for: it is easily guessed, and hiding it would tell a guesser when he is right'}
            </dd>
            {secret.stored && secret.source === 'environment' && (
              <>
                <dt>Stored value</dt>
                <dd>not used: the variable OPENPACT_SECRET_{secret.name} wins</dd>
              </>
            )}
          </dl>
          {secret.stored ? (
            <div className="flex flex-wrap gap-2">
              <Button onClick={() => onTask({ kind: 'rotate', secret })} data-testid="secret-rotate">
                Rotate the value
              </Button>
              <Button onClick={() => onTask({ kind: 'edit', secret })} data-testid="secret-edit">
                Change hosts, note and date
              </Button>
              <Button tone="danger-plain" onClick={onDelete} data-testid="secret-delete">
                Delete
              </Button>
            </div>
          ) : (
            <p className="text-meta text-muted">
              It comes from outside and can only be changed there; that counts after the next start.
            </p>
          )}
          <Link
            to="/activity"
            search={{ target: secret.name }}
            className="self-start text-meta text-link hover:underline"
          >
            What happened with it
          </Link>
        </div>
      )}
    </li>
  );
}

/** The scripts whose newest version declares it. */
function AskedForBy({ name }: { readonly name: string }) {
  const { data } = useQuery(scriptList);
  const scripts = data?.scripts.filter((each) => each.required_secrets.includes(name)) ?? [];
  if (scripts.length === 0) return data ? 'no script' : '…';
  return (
    <ul className="flex flex-wrap gap-x-3">
      {scripts.map((each) => (
        <li key={each.name} className="min-w-0">
          <Link
            to="/scripts/$name"
            params={{ name: each.name }}
            className="text-link underline underline-offset-2 wrap-anywhere"
          >
            {each.name}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Mark({
  icon,
  tint,
  children,
}: {
  readonly icon: ReactNode;
  readonly tint: string;
  readonly children: ReactNode;
}) {
  return (
    <span className={cx('inline-flex items-center gap-1', tint)}>
      {icon}
      {children}
    </span>
  );
}
