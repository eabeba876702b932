import { useQuery } from '@tanstack/react-query';
import { CircleCheck, CircleHelp, CircleX } from 'lucide-react';
import { useState } from 'react';
import { call, CallError, explain } from '../api/client.ts';
import { policy, queryClient } from '../api/queries.ts';
import type { PolicyAnswer, PolicyCell, PolicyDecision, PolicyRuleChange } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { Notice, Problem } from '../ui/notice.tsx';
import { Page, SkeletonRows } from '../ui/page.tsx';
import { PasswordDialog } from '../ui/password-dialog.tsx';

const WORDS: Readonly<Record<PolicyDecision, string>> = { allow: 'Allow', ask: 'Ask me', deny: 'Deny' };
const LOOK = {
  allow: { icon: CircleCheck, className: 'text-ok' },
  ask: { icon: CircleHelp, className: 'text-ask' },
  deny: { icon: CircleX, className: 'text-stop' },
} as const;

const keyOf = ({ tool, resource, origin }: PolicyRuleChange): string => `${tool} ${resource} ${origin}`;

/** Settings → Policy: each tool and class of files, with allow, ask or deny. */
export function PolicyPage() {
  const { data, error, refetch, isFetching } = useQuery(policy);
  return (
    <Page
      wide
      title="Policy"
      lead="What the assistant may do with each tool. A change counts for its very next call, needs your password and stands in the log."
    >
      {error && !data ? (
        <Problem
          error={error}
          what="The policy could not be loaded."
          busy={isFetching}
          onRetry={() => void refetch()}
        />
      ) : !data ? (
        <SkeletonRows count={5} className="h-14" />
      ) : (
        // A policy that is another one meanwhile begins anew: a draft belongs to what was seen.
        <Editor key={data.digest} policy={data} />
      )}
    </Page>
  );
}

function Editor({ policy: data }: { readonly policy: PolicyAnswer }) {
  const [draft, setDraft] = useState<ReadonlyMap<string, PolicyDecision>>(new Map());
  const [pending, setPending] = useState<'save' | 'shipped' | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [conflict, setConflict] = useState<string | null>(null);

  const changed = data.cells.filter((cell) => {
    const next = draft.get(keyOf(cell));
    return next !== undefined && next !== cell.decision;
  });
  const many = data.origins.length > 1;
  const title = (cell: PolicyCell): string =>
    `${data.tools.find(({ name }) => name === cell.tool)?.title ?? cell.tool}, ${
      data.resources.find(({ name }) => name === cell.resource)?.label ?? cell.resource
    }${many ? `, from ${cell.origin}` : ''}`;

  async function send(password: string) {
    setBusy(true);
    setProblem(null);
    const rules: PolicyRuleChange[] =
      pending === 'shipped'
        ? []
        : data.cells.flatMap(({ tool, resource, origin, decision, shipped, rule }) => {
            const chosen = draft.get(keyOf({ tool, resource, origin, decision })) ?? decision;
            const own = rule === 'owner' || chosen !== decision;
            return own && chosen !== shipped ? [{ tool, resource, origin, decision: chosen }] : [];
          });
    try {
      const answer = await call<PolicyAnswer>('PUT', '/api/policy', {
        body: { rules, digest: data.digest, password },
        bodyHasPassword: true,
      });
      setPending(null);
      queryClient.setQueryData(policy.queryKey, answer);
      void queryClient.invalidateQueries({ queryKey: ['capabilities'] });
    } catch (failure) {
      const { message, fix } = explain(failure);
      const text = fix ? `${message} ${fix}` : message;
      if (failure instanceof CallError && failure.status === 409) {
        setPending(null);
        setConflict(text);
      } else {
        const wait = failure instanceof CallError ? failure.retryAfter : undefined;
        setProblem(wait ? `${text} Wait ${wait} s.` : text);
      }
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      {data.source === 'damaged' && (
        <Notice
          tone="stop"
          title="Your own rules can't be read; the shipped policy decides"
          testId="policy-damaged"
        >
          <p>{data.problem}. Go back to the shipped policy, or save rules anew.</p>
        </Notice>
      )}
      {conflict && (
        <Notice
          tone="ask"
          action={
            <Button
              small
              onClick={() => {
                setConflict(null);
                void queryClient.invalidateQueries(policy);
              }}
            >
              Show it as it is now
            </Button>
          }
        >
          {conflict}
        </Notice>
      )}
      <ul className="flex flex-col divide-y divide-line rounded-lg border border-line">
        {data.tools.map((tool) => (
          <li key={tool.name} className="flex flex-col gap-3 px-4 py-4" data-testid={`policy-${tool.name}`}>
            <div className="flex flex-wrap items-baseline gap-x-2">
              <h2 className="font-semibold">{tool.title}</h2>
              <span className="font-mono text-mini text-faint">{tool.name}</span>
            </div>
            <div className="grid grid-cols-4 gap-3 max-md:grid-cols-1">
              {data.cells
                .filter((cell) => cell.tool === tool.name)
                .map((cell) => (
                  <Square
                    key={keyOf(cell)}
                    cell={cell}
                    label={title(cell)}
                    head={`${data.resources.find(({ name }) => name === cell.resource)?.label ?? cell.resource}${
                      many ? ` · ${cell.origin}` : ''
                    }`}
                    value={draft.get(keyOf(cell)) ?? cell.decision}
                    onChange={(next) => setDraft(new Map([...draft, [keyOf(cell), next]]))}
                  />
                ))}
            </div>
          </li>
        ))}
      </ul>
      <div className="sticky bottom-0 -mx-2 flex flex-wrap items-center gap-2 border-t border-line bg-canvas px-2 py-3">
        <Button
          tone="primary"
          disabled={changed.length === 0}
          onClick={() => setPending('save')}
          data-testid="policy-save"
        >
          {changed.length === 0
            ? 'Nothing changed'
            : `Save ${changed.length} ${changed.length === 1 ? 'change' : 'changes'}`}
        </Button>
        {changed.length > 0 && <Button onClick={() => setDraft(new Map())}>Discard</Button>}
        {data.source !== 'shipped' && (
          <Button tone="quiet" onClick={() => setPending('shipped')} data-testid="policy-shipped">
            Back to the shipped policy
          </Button>
        )}
        {data.source === 'shipped' && <p className="text-meta text-muted">This is the shipped policy.</p>}
      </div>
      <section className="flex flex-col gap-2" aria-labelledby="reach">
        <h2 id="reach" className="font-semibold">
          What the columns reach
        </h2>
        <dl className="grid grid-cols-[96px_1fr] gap-x-4 gap-y-1 text-meta">
          {data.resources.map(({ name, label, reach }) => (
            <div key={name} className="contents">
              <dt className="text-muted">{label}</dt>
              <dd>{reach}</dd>
            </div>
          ))}
        </dl>
        <p className="text-meta text-muted">
          Deny beats ask, ask beats allow, and what no rule names is denied. SOUL.md, USER.md, MEMORY.md, the
          notes of today and the list of skills are part of each message, whatever reading is set to here.
        </p>
      </section>
      <PasswordDialog
        open={pending !== null}
        problem={problem}
        busy={busy}
        act={pending === 'shipped' ? 'Go back to the shipped policy' : 'Save these rules'}
        onCancel={() => {
          setPending(null);
          setProblem(null);
        }}
        onPassword={(password) => void send(password)}
      >
        {pending === 'shipped' ? (
          <p>
            Your own rules are removed and the ones that came with this version decide, from the next call on.
          </p>
        ) : (
          <ul className="flex flex-col gap-1">
            {changed.map((cell) => (
              <li key={keyOf(cell)}>
                {title(cell)}: {WORDS[cell.decision]} becomes{' '}
                <strong>{WORDS[draft.get(keyOf(cell)) ?? cell.decision]}</strong>
              </li>
            ))}
          </ul>
        )}
      </PasswordDialog>
    </>
  );
}

function Square({
  cell,
  label,
  head,
  value,
  onChange,
}: {
  readonly cell: PolicyCell;
  readonly label: string;
  readonly head: string;
  readonly value: PolicyDecision;
  readonly onChange: (next: PolicyDecision) => void;
}) {
  const { icon: Icon, className } = LOOK[value];
  const note =
    cell.limit !== null && cell.choices.length < 2
      ? 'Fixed'
      : value !== cell.decision
        ? `Not saved; was ${WORDS[cell.decision]}`
        : cell.rule === 'owner'
          ? `Yours; shipped: ${WORDS[cell.shipped]}`
          : 'Shipped';
  return (
    <div className="flex flex-col gap-1">
      <span className="text-mini text-muted">{head}</span>
      <div className="flex items-center gap-2">
        <Icon aria-hidden size={16} className={cx('shrink-0', className)} />
        <select
          aria-label={label}
          title={cell.limit ?? cell.because}
          value={value}
          disabled={cell.choices.length < 2}
          onChange={(event) => onChange(event.target.value as PolicyDecision)}
          className="h-8 min-w-0 flex-1 rounded-md bg-raised px-2 text-body text-ink shadow-[inset_0_0_0_1px_var(--line-strong)] disabled:bg-sunken disabled:text-muted max-md:h-11"
          data-testid={`policy-${cell.tool}-${cell.resource}`}
        >
          {cell.choices.map((choice) => (
            <option key={choice} value={choice}>
              {WORDS[choice]}
            </option>
          ))}
        </select>
      </div>
      <span className="text-mini text-faint">{note}</span>
    </div>
  );
}
