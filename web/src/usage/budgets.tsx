import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { call, CallError, explain } from '../api/client.ts';
import { budgets, place } from '../api/queries.ts';
import type { BudgetAmount, BudgetLimits, BudgetsView } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { INPUT_CLASS } from '../ui/field.tsx';
import { Notice, Problem } from '../ui/notice.tsx';
import { SkeletonRows } from '../ui/page.tsx';
import { PasswordDialog } from '../ui/password-dialog.tsx';
import { exact } from '../ui/time.tsx';
import { money, tokens } from './amounts.ts';

const SCOPES = ['turn', 'conversation', 'day'] as const;
const NAMES = { turn: 'One turn', conversation: 'One conversation', day: 'One day (UTC)' } as const;
type Draft = Readonly<Record<(typeof SCOPES)[number], { readonly tokens: string; readonly usd: string }>>;

/** What may be used, what is left of today, and the form that changes it. */
export function Budgets() {
  const { data, error, refetch, isFetching } = useQuery(budgets);
  return (
    <section className="flex flex-col gap-3" aria-labelledby="budgets">
      <h2 id="budgets" className="font-semibold">
        Budgets
      </h2>
      {error && !data ? (
        <Problem
          error={error}
          what="The budgets could not be loaded."
          busy={isFetching}
          onRetry={() => void refetch()}
        />
      ) : !data ? (
        <SkeletonRows count={4} className="h-12" />
      ) : (
        <Loaded view={data} />
      )}
    </section>
  );
}

function Loaded({ view }: { readonly view: BudgetsView }) {
  const { today, limits } = view;
  const [draft, setDraft] = useState<Draft | null>(null);
  return (
    <>
      <div className="grid grid-cols-2 gap-4 max-sm:grid-cols-1" data-testid="budget-today">
        <Meter label="Tokens today" used={today.spent.tokens} of={limits.day.tokens} text={tokens} />
        <Meter label="Money today" used={today.spent.usd} of={limits.day.usd} text={money} />
      </div>
      <p className="text-meta text-muted">
        Before each call to a model its worst case is reserved; afterwards what it came to is counted. A call
        that would not fit is not sent. Today ends at <span title={exact(today.ends_at)}>00:00 UTC</span>. The
        demo is free. A model without a known price counts ${view.fallback_price.input_usd} for a million
        tokens in and ${view.fallback_price.output_usd} out. Other prices are from {view.prices_as_of}.
      </p>
      {draft ? (
        <BudgetForm view={view} draft={draft} onDraft={setDraft} onDone={() => setDraft(null)} />
      ) : (
        <>
          <table className="w-full border-collapse text-meta" data-testid="budget-limits">
            <thead>
              <tr className="border-b border-line text-left text-mini text-muted">
                <th scope="col" className="py-2 font-medium">
                  At most for
                </th>
                <th scope="col" className="px-2 py-2 text-right font-medium">
                  Tokens
                </th>
                <th scope="col" className="py-2 pl-2 text-right font-medium">
                  Money
                </th>
              </tr>
            </thead>
            <tbody>
              {SCOPES.map((scope) => (
                <tr key={scope} className="border-b border-line">
                  <th scope="row" className="py-2 text-left font-normal">
                    {NAMES[scope]}
                  </th>
                  <td className="px-2 py-2 text-right tabular-nums">{tokens(limits[scope].tokens)}</td>
                  <td className="py-2 pl-2 text-right tabular-nums">{money(limits[scope].usd)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <div>
            <Button onClick={() => setDraft(asDraft(limits))} data-testid="budget-edit">
              Change the budgets
            </Button>
          </div>
        </>
      )}
    </>
  );
}

function Meter({
  label,
  used,
  of,
  text,
}: {
  readonly label: string;
  readonly used: number;
  readonly of: number;
  readonly text: (value: number) => string;
}) {
  const share = Math.min(100, (used / of) * 100);
  const left = Math.max(0, of - used);
  return (
    <div className="flex flex-col gap-1 rounded-lg border border-line px-4 py-3">
      <p className="text-mini text-muted">{label}</p>
      <p className="font-medium tabular-nums">{text(left)} left</p>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden className="h-1.5 w-full">
        <rect width="100" height="6" className="fill-selected" />
        <rect width={share} height="6" className={share >= 90 ? 'fill-stop-fill' : 'fill-accent'} />
      </svg>
      <p className="text-mini text-faint tabular-nums">
        {text(used)} of {text(of)} used or reserved
      </p>
    </div>
  );
}

function BudgetForm({
  view,
  draft,
  onDraft,
  onDone,
}: {
  readonly view: BudgetsView;
  readonly draft: Draft;
  readonly onDraft: (draft: Draft) => void;
  readonly onDone: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [stepUp, setStepUp] = useState<{ readonly problem: string | null } | null>(null);
  const wanted = asLimits(draft);
  const raised = wanted ? raises(view.limits, wanted) : [];

  async function save(password?: string) {
    if (!wanted) return;
    setBusy(true);
    setProblem(null);
    try {
      const body = { ...wanted, ...(password === undefined ? {} : { password }) };
      const changed = await call<BudgetsView>('PUT', '/api/budgets', {
        body,
        bodyHasPassword: password !== undefined,
      });
      place(budgets.queryKey, changed);
      setStepUp(null);
      onDone();
    } catch (error) {
      const { message, fix } = explain(error);
      const text = fix ? `${message} ${fix}` : message;
      if (error instanceof CallError && error.code === 'step_up_required') setStepUp({ problem: null });
      else if (password !== undefined) setStepUp({ problem: text });
      else setProblem(text);
    } finally {
      setBusy(false);
    }
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (busy || !wanted) return;
    // The server asks for the password as well, whatever the page thinks.
    if (raised.length > 0) setStepUp({ problem: null });
    else void save();
  }

  return (
    <form className="flex flex-col gap-3" onSubmit={submit} data-testid="budget-form">
      {SCOPES.map((scope) => (
        <fieldset key={scope} className="flex flex-wrap items-center gap-2">
          <legend className="float-left w-40 text-meta font-medium max-sm:w-full">{NAMES[scope]}</legend>
          {(['tokens', 'usd'] as const).map((unit) => (
            <label key={unit} className="flex min-w-0 items-center gap-2 text-meta text-muted">
              <input
                inputMode={unit === 'tokens' ? 'numeric' : 'decimal'}
                autoComplete="off"
                value={draft[scope][unit]}
                onChange={(event) =>
                  onDraft({ ...draft, [scope]: { ...draft[scope], [unit]: event.target.value } })
                }
                aria-label={`${NAMES[scope]}, ${unit === 'tokens' ? 'tokens' : 'US dollars'}`}
                className={`${INPUT_CLASS} w-36! text-right tabular-nums`}
                data-testid={`budget-${scope}-${unit}`}
              />
              {unit === 'tokens' ? 'tokens' : 'US dollars'}
            </label>
          ))}
        </fieldset>
      ))}
      {!wanted && (
        <p className="text-meta text-stop" role="alert">
          Each budget is a whole number of tokens from 1, and at least 0.01 US dollars.
        </p>
      )}
      {raised.length > 0 && (
        <Notice tone="ask">
          This lets the assistant use more: {raised.join('; ')}. It needs your password. Lowering it again
          needs none.
        </Notice>
      )}
      {problem && <Notice tone="stop">{problem}</Notice>}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" tone="primary" busy={busy} disabled={!wanted} data-testid="budget-save">
          {raised.length > 0 ? 'Raise the budgets' : 'Save the budgets'}
        </Button>
        <Button disabled={busy} onClick={() => onDraft(asDraft(view.defaults))}>
          Fill in the defaults
        </Button>
        <Button disabled={busy} onClick={onDone}>
          Keep things as they are
        </Button>
      </div>
      <PasswordDialog
        open={stepUp !== null}
        problem={stepUp?.problem ?? null}
        busy={busy}
        act="Raise the budgets"
        description="Raising a budget lets the assistant spend more, so it needs to be you."
        cancel="Don't raise them yet"
        onCancel={() => setStepUp(null)}
        onPassword={(password) => void save(password)}
      >
        {raised.join('; ')}
      </PasswordDialog>
    </form>
  );
}

function asDraft(limits: BudgetLimits): Draft {
  const text = ({ tokens: count, usd }: BudgetAmount) => ({ tokens: String(count), usd: String(usd) });
  return { turn: text(limits.turn), conversation: text(limits.conversation), day: text(limits.day) };
}

/** Null while something is no budget. */
function asLimits(draft: Draft): BudgetLimits | null {
  const read = ({ tokens: count, usd }: Draft['turn']): BudgetAmount | null => {
    const amount = { tokens: Number(count.replaceAll(/[\s,]/g, '')), usd: Number(usd) };
    const fits =
      Number.isSafeInteger(amount.tokens) &&
      amount.tokens >= 1 &&
      amount.usd >= 0.01 &&
      Number.isFinite(amount.usd);
    return fits ? amount : null;
  };
  const [turn, conversation, day] = [read(draft.turn), read(draft.conversation), read(draft.day)];
  return turn && conversation && day ? { turn, conversation, day } : null;
}

function raises(now: BudgetLimits, next: BudgetLimits): string[] {
  return SCOPES.flatMap((scope) => [
    ...(next[scope].tokens > now[scope].tokens
      ? [`${NAMES[scope]}: ${tokens(now[scope].tokens)} to ${tokens(next[scope].tokens)} tokens`]
      : []),
    ...(next[scope].usd > now[scope].usd
      ? [`${NAMES[scope]}: ${money(now[scope].usd)} to ${money(next[scope].usd)}`]
      : []),
  ]);
}
