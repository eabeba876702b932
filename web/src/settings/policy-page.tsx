import { useQuery } from '@tanstack/react-query';
import { CircleCheck, CircleHelp, CircleX } from 'lucide-react';
import { useState } from 'react';
import { call, CallError, explain } from '../api/client.ts';
import { place, policy, queryClient } from '../api/queries.ts';
import type { PolicyAnswer, PolicyCell, PolicyDecision, PolicyRuleChange } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { Behind, Notice, Problem } from '../ui/notice.tsx';
import { Page, SkeletonRows } from '../ui/page.tsx';
import { PasswordDialog } from '../ui/password-dialog.tsx';
import { Unsaved } from '../ui/unsaved.tsx';

const WORDS: Readonly<Record<PolicyDecision, string>> = { allow: 'Allow', ask: 'Ask me', deny: 'Deny' };
const LOOK = {
  allow: { icon: CircleCheck, className: 'text-ok' },
  ask: { icon: CircleHelp, className: 'text-ask' },
  deny: { icon: CircleX, className: 'text-stop' },
} as const;

const keyOf = ({ tool, resource, origin }: PolicyRuleChange): string => `${tool} ${resource} ${origin}`;

/** Settings → Policy: each tool and class of files, with allow, ask or deny. */
export function PolicyPage() {
  const { data, error, refetch, isFetching, dataUpdatedAt } = useQuery(policy);
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
        <>
          <Behind error={error} since={dataUpdatedAt} what="The policy" />
          <Editor policy={data} />
        </>
      )}
    </Page>
  );
}

interface Draft {
  readonly cells: ReadonlyMap<string, PolicyDecision>;
  /** The policy that was seen while they were chosen. */
  readonly over: PolicyAnswer;
}

/** What the password is asked for: with the policy and the choices that stood on the screen then. */
interface Order {
  readonly act: 'save' | 'shipped';
  readonly over: PolicyAnswer;
  readonly cells: Draft['cells'];
}

const NO_CELLS: Draft['cells'] = new Map();

function chosenFor(cell: PolicyCell, cells: Draft['cells']): PolicyDecision {
  const next = cells.get(keyOf(cell));
  return next !== undefined && cell.choices.includes(next) ? next : cell.decision;
}

function changedCells(over: PolicyAnswer, cells: Draft['cells']): readonly PolicyCell[] {
  return over.cells.filter((cell) => chosenFor(cell, cells) !== cell.decision);
}

function Editor({ policy: data }: { readonly policy: PolicyAnswer }) {
  const [draft, setDraft] = useState<Draft | null>(null);
  const [order, setOrder] = useState<Order | null>(null);
  /** What became of the last act, and which policy decides since; of a later one it says nothing. */
  const [said, setSaid] = useState<{
    readonly tone: 'ok' | 'ask';
    readonly words: string;
    readonly digest: string;
  } | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const cells = draft?.cells ?? NO_CELLS;
  const changed = changedCells(data, cells);
  const dirty = changed.length > 0;
  const meanwhile = dirty && draft !== null && draft.over.digest !== data.digest;
  const many = data.origins.length > 1;
  const title = (cell: PolicyCell): string =>
    `${data.tools.find(({ name }) => name === cell.tool)?.title ?? cell.tool}, ${
      data.resources.find(({ name }) => name === cell.resource)?.label ?? cell.resource
    }${many ? `, from ${cell.origin}` : ''}`;

  async function send({ act, over, cells: chosenCells }: Order, password: string) {
    setBusy(true);
    setProblem(null);
    const rules: PolicyRuleChange[] =
      act === 'shipped'
        ? []
        : over.cells.flatMap((cell) => {
            const { tool, resource, origin, decision, shipped, rule } = cell;
            const chosen = chosenFor(cell, chosenCells);
            const own = rule === 'owner' || chosen !== decision;
            return own && chosen !== shipped ? [{ tool, resource, origin, decision: chosen }] : [];
          });
    try {
      const answer = await call<PolicyAnswer>('PUT', '/api/policy', {
        body: { rules, digest: over.digest, password },
        bodyHasPassword: true,
      });
      setOrder(null);
      // What was chosen and not sent is still not saved.
      setDraft((old) => (act === 'save' || old === null ? null : { ...old, over: answer }));
      place(policy.queryKey, answer);
      setSaid({
        tone: 'ok',
        words:
          act === 'shipped'
            ? 'The shipped policy decides from the next call on.'
            : 'Saved. It counts from the next call on.',
        digest: answer.digest,
      });
      void queryClient.invalidateQueries({ queryKey: ['capabilities'] });
    } catch (failure) {
      const { message, fix } = explain(failure);
      const text = fix ? `${message} ${fix}` : message;
      if (failure instanceof CallError && failure.status === 409) {
        setOrder(null);
        // What was chosen stays; the policy as it is now is shown below it.
        await queryClient.invalidateQueries(policy);
        const now = queryClient.getQueryData(policy.queryKey) ?? over;
        setSaid({ tone: 'ask', words: text, digest: now.digest });
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
      {meanwhile && (
        <Notice
          tone="ask"
          title="The policy was changed meanwhile"
          testId="policy-meanwhile"
          action={
            <Button
              small
              onClick={() => {
                setSaid(null);
                setDraft({ cells, over: data });
              }}
              data-testid="policy-meanwhile-take"
            >
              I have seen it: change this one
            </Button>
          }
        >
          Nothing of yours was saved. Below is the policy as it is now, with what you chose marked as not
          saved.
        </Notice>
      )}
      {said?.digest === data.digest && !meanwhile && (
        <Notice tone={said.tone} testId="policy-said">
          {said.words}
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
                    value={chosenFor(cell, cells)}
                    onChange={(next) =>
                      setDraft({
                        cells: new Map([...cells, [keyOf(cell), next]]),
                        over: draft?.over ?? data,
                      })
                    }
                  />
                ))}
            </div>
          </li>
        ))}
      </ul>
      <div className="sticky bottom-0 -mx-2 flex flex-wrap items-center gap-2 border-t border-line bg-canvas px-2 py-3">
        <Button
          tone="primary"
          disabled={!dirty || meanwhile}
          onClick={() => setOrder({ act: 'save', over: data, cells })}
          data-testid="policy-save"
        >
          {changed.length === 0
            ? 'Nothing changed'
            : `Save ${changed.length} ${changed.length === 1 ? 'change' : 'changes'}`}
        </Button>
        {dirty && <Button onClick={() => setDraft(null)}>Discard</Button>}
        {data.source !== 'shipped' && (
          <Button
            tone="quiet"
            onClick={() => setOrder({ act: 'shipped', over: data, cells: NO_CELLS })}
            data-testid="policy-shipped"
          >
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
        open={order !== null}
        problem={problem}
        busy={busy}
        act={order?.act === 'shipped' ? 'Go back to the shipped policy' : 'Save these rules'}
        onCancel={() => {
          setOrder(null);
          setProblem(null);
        }}
        onPassword={(password) => {
          if (order) void send(order, password);
        }}
      >
        {order?.act === 'shipped' ? (
          <p>
            Your own rules are removed and the ones that came with this version decide, from the next call on.
          </p>
        ) : (
          <ul className="flex flex-col gap-1">
            {(order ? changedCells(order.over, order.cells) : []).map((cell) => (
              <li key={keyOf(cell)}>
                {title(cell)}: {WORDS[cell.decision]} becomes{' '}
                <strong>{WORDS[chosenFor(cell, order?.cells ?? NO_CELLS)]}</strong>
              </li>
            ))}
          </ul>
        )}
      </PasswordDialog>
      <Unsaved dirty={dirty} testId="policy-discard-dialog">
        Your changes to the policy are not saved.
      </Unsaved>
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
