import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { Check } from 'lucide-react';
import { useEffect } from 'react';
import { queryClient, setupStatus } from '../api/queries.ts';
import { Brand } from '../ui/brand.tsx';
import { cx } from '../ui/class-names.ts';
import { AccountStep } from './account-step.tsx';
import { BrainStep } from './brain-step.tsx';
import { ProfileStep } from './profile-step.tsx';

const route = getRouteApi('/setup');

const STEPS = [
  {
    name: 'Account',
    title: 'Create your account',
    lead: 'The person who has the setup code owns this OpenPact. There is one account: yours.',
  },
  {
    name: 'Assistant',
    title: 'Your assistant',
    lead: 'How it is called and how it talks. You can change all of this later.',
  },
  {
    name: 'Brain',
    title: 'Its brain',
    lead: 'Start with the demo now, or connect a model. The key stays sealed on this machine; the assistant never sees it.',
  },
] as const;

export function SetupPage() {
  const { step: wanted } = route.useSearch();
  const router = useRouter();
  const { data } = useQuery(setupStatus);
  const step = wanted === 'brain' ? 2 : data?.setup_step === 'profile' ? 1 : 0;
  const current = STEPS[step];

  useEffect(() => {
    document.title = `Setup: ${current.title} · OpenPact`;
    window.scrollTo(0, 0);
  }, [current]);

  return (
    <main className="flex min-h-full flex-col items-center px-4 py-12 max-md:py-6">
      <div className="flex w-full max-w-[520px] flex-col gap-8">
        <div className="flex items-center justify-between gap-4">
          <div className="flex items-center gap-2">
            <Brand size={24} />
            <span className="font-semibold max-[359px]:hidden">OpenPact</span>
          </div>
          <ol aria-label="Steps" className="flex items-center gap-4 text-meta">
            {STEPS.map(({ name }, index) => (
              <li
                key={name}
                aria-current={index === step ? 'step' : undefined}
                className={cx(
                  'flex items-center gap-2',
                  index === step ? 'font-medium text-ink' : 'text-faint',
                )}
              >
                <span
                  className={cx(
                    'flex size-5 items-center justify-center rounded-full border text-mini tabular-nums',
                    index < step && 'border-ok-line bg-ok-soft text-ok',
                    index === step && 'border-accent bg-accent text-accent-ink',
                    index > step && 'border-line-strong',
                  )}
                >
                  {index < step ? <Check aria-label="done" size={12} /> : index + 1}
                </span>
                <span className={cx(index !== step && 'max-sm:sr-only')}>{name}</span>
              </li>
            ))}
          </ol>
        </div>
        <div className="flex flex-col gap-1">
          <h1 className="text-title font-semibold">{current.title}</h1>
          <p className="text-muted">{current.lead}</p>
        </div>
        {step === 0 && <AccountStep onDone={() => void queryClient.invalidateQueries(setupStatus)} />}
        {step === 1 && (
          <ProfileStep
            onDone={() => {
              void queryClient
                .invalidateQueries(setupStatus)
                .then(() => router.navigate({ to: '/setup', search: { step: 'brain' } }));
            }}
          />
        )}
        {step === 2 && <BrainStep />}
      </div>
    </main>
  );
}
