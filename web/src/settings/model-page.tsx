import { useQuery } from '@tanstack/react-query';
import { ChevronRight, CircleAlert, CircleCheck, KeyRound } from 'lucide-react';
import { useId, useState } from 'react';
import { call, explain } from '../api/client.ts';
import { models, place, queryClient, upstreams } from '../api/queries.ts';
import type { ModelsAnswer, UpstreamName, UpstreamView } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { modelName } from '../ui/model-name.ts';
import { Notice, Problem } from '../ui/notice.tsx';
import { Page, SkeletonRows } from '../ui/page.tsx';
import { Picker } from '../ui/picker.tsx';
import { Time } from '../ui/time.tsx';
import { Toggle } from '../ui/toggle.tsx';
import { DefaultFallback } from './default-fallback.tsx';
import { ModelPicker } from './model-picker.tsx';
import { UpstreamForm } from './upstream-form.tsx';

/** Settings → Model: where the assistant thinks, with which keys, and which model answers. */
export function ModelPage() {
  const { data, error, refetch, isFetching } = useQuery(upstreams);
  const [open, setOpen] = useState<UpstreamName | null>(null);
  return (
    <Page
      title="Models"
      lead="Where the assistant thinks. Keys are sealed on this machine; the assistant never holds one."
    >
      <DefaultModel />
      <DefaultFallback />
      <section className="flex flex-col gap-3" aria-labelledby="providers">
        <h2 id="providers" className="font-semibold">
          Providers
        </h2>
        {error && !data ? (
          <Problem
            error={error}
            what="The providers could not be loaded."
            busy={isFetching}
            onRetry={() => void refetch()}
          />
        ) : !data ? (
          <SkeletonRows count={5} className="h-14" />
        ) : (
          <ul className="flex flex-col divide-y divide-line rounded-lg border border-line">
            {data.upstreams.map((each) => (
              <Upstream
                key={each.name}
                upstream={each}
                open={open === each.name}
                onToggle={() => setOpen(open === each.name ? null : each.name)}
              />
            ))}
          </ul>
        )}
      </section>
    </Page>
  );
}

function DefaultModel() {
  const { data, error, refetch, isFetching } = useQuery(models);
  const labels = useQuery(upstreams).data?.upstreams;
  const [problem, setProblem] = useState<string | null>(null);
  const [saved, setSaved] = useState(false);
  if (error && !data) {
    return (
      <Problem
        error={error}
        what="The models could not be listed."
        busy={isFetching}
        onRetry={() => void refetch()}
      />
    );
  }
  if (!data) return <div className="skeleton h-9" role="status" aria-label="Loading" />;

  async function choose(value: string) {
    const chosen = data?.models.find((each) => modelName(each) === value);
    if (!chosen) return;
    const choice = { provider: chosen.provider, model: chosen.model };
    setProblem(null);
    setSaved(false);
    try {
      await call('PUT', '/api/models/default', { body: choice });
      place<ModelsAnswer>(models.queryKey, (old) => (old ? { ...old, default: choice } : old));
      setSaved(true);
    } catch (failure) {
      const { message, fix } = explain(failure);
      setProblem(fix ? `${message} ${fix}` : message);
    }
  }

  const current = modelName(data.default);
  const items = data.models.map((model) => ({
    value: modelName(model),
    label: model.provider === 'demo' ? 'Demo, not an AI' : model.label,
    note: model.provider,
  }));
  if (!items.some((item) => item.value === current)) {
    items.unshift({ value: current, label: data.default.model, note: data.default.provider });
  }
  return (
    <section className="flex flex-col gap-2" aria-labelledby="default-model">
      <h2 id="default-model" className="font-semibold">
        Default model
      </h2>
      <div className="max-w-[480px]">
        <Picker
          label="Answers every new turn"
          items={items}
          value={current}
          onChange={(value) => void choose(value)}
          error={problem}
          hint={
            saved
              ? 'Saved. It counts from the next turn.'
              : data.default.provider === 'demo'
                ? 'The demo follows simple rules. It is not an AI.'
                : 'Type to search. A change counts from the next turn.'
          }
          testId="default-model-picker"
        />
      </div>
      {Object.entries(data.problems).map(([name, text]) => (
        <Notice
          key={name}
          tone="ask"
          title={`The models of ${labels?.find((each) => each.name === name)?.label ?? name} could not be listed`}
        >
          <p>{text}</p>
        </Notice>
      ))}
    </section>
  );
}

function Upstream({
  upstream,
  open,
  onToggle,
}: {
  readonly upstream: UpstreamView;
  readonly open: boolean;
  readonly onToggle: () => void;
}) {
  const panel = useId();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const demo = upstream.name === 'demo';

  async function enable(enabled: boolean) {
    setBusy(true);
    setProblem(null);
    try {
      await call('PUT', `/api/llm/upstreams/${upstream.name}`, { body: { enabled } });
      await queryClient.invalidateQueries(upstreams);
      void queryClient.invalidateQueries(models);
    } catch (error) {
      const { message, fix } = explain(error);
      setProblem(fix ? `${message} ${fix}` : message);
    } finally {
      setBusy(false);
    }
  }

  return (
    <li data-testid={`upstream-${upstream.name}`}>
      <div className="flex items-center gap-1 pr-4">
        <button
          type="button"
          aria-expanded={open}
          aria-controls={panel}
          onClick={onToggle}
          className="flex min-h-14 min-w-0 flex-1 items-center gap-3 rounded-lg px-3 py-2 text-left hover:bg-hover"
          data-testid={`upstream-open-${upstream.name}`}
        >
          <ChevronRight aria-hidden size={16} className={cx('shrink-0 text-faint', open && 'rotate-90')} />
          <span className="min-w-0 flex-1">
            <span className="block font-medium">{upstream.label}</span>
            <span className="block truncate text-meta text-muted">{describe(upstream)}</span>
            {upstream.health?.outcome === 'failed' && (
              <span className="block text-mini text-stop">The last call failed</span>
            )}
          </span>
          <KeyState upstream={upstream} />
        </button>
        <Toggle
          label={`${upstream.label} may be used`}
          checked={upstream.enabled}
          disabled={busy}
          onChange={(next) => void enable(next)}
        />
      </div>
      {problem && (
        <Notice tone="stop" className="mx-4 mb-3">
          {problem}
        </Notice>
      )}
      {open && (
        <div id={panel} className="flex flex-col gap-4 border-t border-line px-4 py-4 pl-10 max-md:pl-4">
          {upstream.health && <Health health={upstream.health} />}
          {upstream.note && <p className="text-meta text-muted">{upstream.note}</p>}
          {demo ? (
            <p className="text-meta text-muted">
              There is nothing to set up. It runs inside OpenPact, without key and network.
            </p>
          ) : (
            <>
              <UpstreamForm upstream={upstream} />
              <NamedDefault upstream={upstream} />
            </>
          )}
        </div>
      )}
    </li>
  );
}

/** For upstreams without a list: their model can be named, and then it is the default. */
function NamedDefault({ upstream }: { readonly upstream: UpstreamView }) {
  const { data } = useQuery(models);
  const [problem, setProblem] = useState<string | null>(null);
  if (!data || !upstream.enabled || data.models.some((model) => model.provider === upstream.name))
    return null;
  return (
    <>
      <ModelPicker
        provider={upstream.name}
        value={null}
        onChange={(choice) => {
          setProblem(null);
          call('PUT', '/api/models/default', { body: choice }).then(
            () => queryClient.invalidateQueries(models),
            (error: unknown) => setProblem(explain(error).message),
          );
        }}
      />
      {problem && <Notice tone="stop">{problem}</Notice>}
    </>
  );
}

/** How the newest call ended, since OpenPact was started. */
function Health({ health }: { readonly health: NonNullable<UpstreamView['health']> }) {
  const failed = health.outcome === 'failed';
  const Icon = failed ? CircleAlert : CircleCheck;
  return (
    <p
      className="flex items-start gap-2 text-meta"
      data-testid="upstream-health"
      data-outcome={health.outcome}
    >
      <Icon aria-hidden size={16} className={cx('mt-0.5 shrink-0', failed ? 'text-stop' : 'text-ok')} />
      <span className="min-w-0 wrap-anywhere">
        {failed ? 'The last call failed ' : 'The last call was answered '}
        <Time iso={health.at} />
        {failed ? ': ' : '.'}
        {!failed && health.error_at && ' The last failure was '}
        {!failed && health.error_at && <Time iso={health.error_at} />}
        {!failed && health.error_at && ': '}
        {health.error_code && <code className="text-mini">{health.error_code}</code>}
      </span>
    </p>
  );
}

function describe(upstream: UpstreamView): string {
  if (upstream.name === 'demo') return 'Simple rules instead of a model';
  return upstream.base_url ?? upstream.default_base_url ?? 'No base URL yet';
}

function KeyState({ upstream }: { readonly upstream: UpstreamView }) {
  if (upstream.name === 'demo' || (!upstream.needs_key && !upstream.has_key)) {
    return <span className="shrink-0 text-meta text-faint max-sm:hidden">No key needed</span>;
  }
  return (
    <span
      className={cx(
        'flex shrink-0 items-center gap-1.5 text-meta',
        upstream.has_key ? 'text-ok' : 'text-faint',
      )}
    >
      <KeyRound aria-hidden size={14} />
      {upstream.key_source === 'environment' ? (
        // Where it is narrow the name of the provider needs the room; the note below says where the key is from.
        <>
          <span className="max-sm:hidden">Key from the environment</span>
          <span className="sm:hidden">Key set</span>
        </>
      ) : upstream.has_key ? (
        'Key set'
      ) : (
        'No key'
      )}
    </span>
  );
}
