import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChevronRight, CircleCheck, CircleHelp, CircleX, Shield, ShieldX, TriangleAlert } from 'lucide-react';
import { useId, useState } from 'react';
import { capabilities } from '../api/queries.ts';
import type { Capability, CapabilityAnswer } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { Notice, Problem } from '../ui/notice.tsx';
import { Page, SkeletonRows } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';

const ANSWERS: Readonly<
  Record<CapabilityAnswer, { word: string; icon: typeof CircleCheck; className: string }>
> = {
  allowed: { word: 'Allowed', icon: CircleCheck, className: 'text-ok' },
  asks: { word: 'Asks you', icon: CircleHelp, className: 'text-ask' },
  never: { word: 'Never', icon: CircleX, className: 'text-stop' },
  not_enforced: { word: 'Not enforced', icon: TriangleAlert, className: 'text-stop' },
};
const GROUPS: readonly { readonly name: Capability['group']; readonly title: string }[] = [
  { name: 'files', title: 'Your files' },
  { name: 'network', title: 'The network' },
  { name: 'machine', title: 'This machine' },
  { name: 'itself', title: 'Itself' },
];

/** What can it do? One page that can be read aloud, made from the running system. */
export function CapabilitiesPage() {
  const { data, error, refetch, isFetching } = useQuery(capabilities);
  return (
    <Page
      title="What can it do?"
      lead={
        <>
          Said by the running system: its policy, its providers, and the fences that were tried when it
          started. Change the policy under{' '}
          <Link to="/settings/policy" className="text-link underline">
            Settings, Policy
          </Link>
          .
        </>
      }
    >
      {error && !data ? (
        <Problem
          error={error}
          what="What it can do could not be asked."
          busy={isFetching}
          onRetry={() => void refetch()}
        />
      ) : !data ? (
        <SkeletonRows count={10} className="h-12" />
      ) : (
        <>
          {data.policy_source === 'damaged' && (
            <Notice tone="stop" title="Your own rules can't be read; the shipped policy decides" />
          )}
          <p className="text-body">
            {data.agent_name} runs at isolation level {data.isolation.level} of 3. {data.isolation.summary}{' '}
            {data.policy_source === 'owner' ? 'You changed the policy.' : 'The shipped policy is in force.'}{' '}
            <span className="text-muted">
              Asked <Time iso={data.at} />.
            </span>
          </p>
          {GROUPS.map(({ name, title }) => {
            const all = data.capabilities.filter(({ group }) => group === name);
            return (
              all.length > 0 && (
                <section key={name} className="flex flex-col gap-2" aria-labelledby={`group-${name}`}>
                  <h2 id={`group-${name}`} className="font-semibold">
                    {title}
                  </h2>
                  <ul className="flex flex-col divide-y divide-line rounded-lg border border-line">
                    {all.map((one) => (
                      <Row key={one.id} capability={one} />
                    ))}
                  </ul>
                </section>
              )
            );
          })}
          <section className="flex flex-col gap-2" aria-labelledby="limits">
            <h2 id="limits" className="font-semibold">
              Limits in force
            </h2>
            <dl className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 gap-y-1 text-meta">
              {data.limits.map(({ name, value }) => (
                <div key={name} className="contents">
                  <dt className="text-muted">{name}</dt>
                  <dd className="text-right tabular-nums">{value}</dd>
                </div>
              ))}
            </dl>
          </section>
        </>
      )}
    </Page>
  );
}

function Row({ capability }: { readonly capability: Capability }) {
  const [open, setOpen] = useState(false);
  const panel = useId();
  const { word, icon: Icon, className } = ANSWERS[capability.answer];
  return (
    <li data-testid="capability" data-id={capability.id} data-answer={capability.answer}>
      <button
        type="button"
        aria-expanded={open}
        aria-controls={panel}
        onClick={() => setOpen(!open)}
        className="flex w-full items-start gap-3 rounded-lg px-3 py-3 text-left hover:bg-hover max-md:flex-col max-md:gap-1"
      >
        <span className={cx('flex w-[112px] shrink-0 items-center gap-1.5 text-meta font-medium', className)}>
          <Icon aria-hidden size={16} className="shrink-0" />
          {word}
        </span>
        <span className="min-w-0 flex-1 wrap-anywhere">{capability.sentence}</span>
        <ChevronRight
          aria-hidden
          size={16}
          className={cx('mt-0.5 shrink-0 text-faint max-md:hidden', open && 'rotate-90')}
        />
      </button>
      {open && (
        <div id={panel} className="flex flex-col gap-3 px-3 pb-4 pl-[136px] text-meta max-md:pl-3">
          <div className="flex flex-col gap-1">
            <h3 className="text-mini text-muted">What enforces it</h3>
            <ul className="flex flex-col gap-1">
              {capability.fences.map(({ text, holds }) => (
                <li key={text} className="flex gap-2">
                  {holds ? (
                    <Shield aria-hidden size={16} className="mt-0.5 shrink-0 text-ok" />
                  ) : (
                    <ShieldX aria-hidden size={16} className="mt-0.5 shrink-0 text-stop" />
                  )}
                  <span>
                    {!holds && <strong>Not in force: </strong>}
                    {text}
                  </span>
                </li>
              ))}
            </ul>
          </div>
          <div className="flex flex-col gap-1">
            <h3 className="text-mini text-muted">The tests that attack it</h3>
            <ul className="flex flex-col gap-2">
              {capability.tests.map(({ file, name }) => (
                <li key={`${file} ${name}`} className="wrap-anywhere">
                  {name}
                  <span className="block font-mono text-mini text-faint">{file}</span>
                </li>
              ))}
            </ul>
          </div>
        </div>
      )}
    </li>
  );
}
