import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { call, explain } from '../api/client.ts';
import { models, queryClient, upstreams } from '../api/queries.ts';
import type { Conversation, ModelChoice, UpstreamName, UpstreamView } from '../api/types.ts';
import { handOver } from '../chat/first-message.ts';
import { ModelPicker } from '../settings/model-picker.tsx';
import { UpstreamForm } from '../settings/upstream-form.tsx';
import { Button } from '../ui/button.tsx';
import { Notice, Problem } from '../ui/notice.tsx';
import { SkeletonRows } from '../ui/page.tsx';

const FIRST_MESSAGE = 'What files do you have?';

/** Step 3: the demo now, or a key with a test call. Ends in a chat that shows a tool at work. */
export function BrainStep() {
  const router = useRouter();
  const { data, error, refetch, isFetching } = useQuery(upstreams);
  const [chosen, setChosen] = useState<UpstreamName>('demo');
  const [tested, setTested] = useState<UpstreamName | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [picked, setPicked] = useState<ModelChoice | null>(null);

  async function start() {
    setBusy(true);
    setProblem(null);
    try {
      const choice = picked?.provider === chosen ? picked : await firstModel(chosen);
      if (choice) await call('PUT', '/api/models/default', { body: choice });
      void queryClient.invalidateQueries(models);
      const made = await call<Conversation>('POST', '/api/sessions', { body: {} });
      handOver(made.id, FIRST_MESSAGE);
      await router.navigate({ to: '/chat/$id', params: { id: made.id } });
    } catch (failure) {
      const { message, fix } = explain(failure);
      setProblem(fix ? `${message} ${fix}` : message);
      setBusy(false);
    }
  }

  if (error) {
    return (
      <Problem
        error={error}
        what="The list of models could not be loaded."
        busy={isFetching}
        onRetry={() => void refetch()}
      />
    );
  }
  if (!data) return <SkeletonRows count={4} className="h-14" />;
  const known = [...data.upstreams].sort((a, b) => Number(b.name === 'demo') - Number(a.name === 'demo'));
  const open = chosen === 'demo' || tested === chosen;
  return (
    <div className="flex flex-col gap-6">
      <fieldset className="flex flex-col gap-2">
        <legend className="sr-only">Where the assistant thinks</legend>
        {known.map((upstream) => (
          <Choice
            key={upstream.name}
            upstream={upstream}
            checked={chosen === upstream.name}
            onCheck={() => setChosen(upstream.name)}
          >
            {upstream.name !== 'demo' && (
              <>
                <UpstreamForm upstream={upstream} onTested={(ok) => setTested(ok ? upstream.name : null)} />
                {tested === upstream.name && (
                  <ModelPicker
                    provider={upstream.name}
                    value={picked?.provider === upstream.name ? picked : null}
                    onChange={setPicked}
                  />
                )}
              </>
            )}
          </Choice>
        ))}
      </fieldset>
      {problem && (
        <Notice tone="stop" testId="setup-error">
          {problem}
        </Notice>
      )}
      <div className="flex items-center justify-between gap-4">
        <p className="text-meta text-muted">
          {open
            ? `It opens a conversation and asks: “${FIRST_MESSAGE}”`
            : 'Test the connection first, or take the demo.'}
        </p>
        <Button
          tone="primary"
          busy={busy}
          disabled={!open || ((chosen === 'openai-compatible' || chosen === 'azure') && tested !== chosen)}
          onClick={() => void start()}
          data-testid="setup-finish"
        >
          Start talking
        </Button>
      </div>
    </div>
  );
}

/** The first model of an upstream's own list; nothing when it has none, and then the server's default stays. */
async function firstModel(provider: UpstreamName): Promise<ModelChoice | null> {
  const list = await queryClient.fetchQuery({ ...models, staleTime: 0 });
  if (list.default.provider === provider) return null;
  const found = list.models.find((model) => model.provider === provider);
  return found ? { provider, model: found.model } : null;
}

function Choice({
  upstream,
  checked,
  onCheck,
  children,
}: {
  readonly upstream: UpstreamView;
  readonly checked: boolean;
  readonly onCheck: () => void;
  readonly children: React.ReactNode;
}) {
  const demo = upstream.name === 'demo';
  return (
    <div className="rounded-md shadow-[inset_0_0_0_1px_var(--line)] has-[input[type=radio]:checked]:shadow-[inset_0_0_0_1px_var(--accent)]">
      <label className="flex cursor-pointer items-start gap-3 rounded-md px-3 py-3 hover:bg-hover has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-link">
        <input
          type="radio"
          name="brain"
          checked={checked}
          onChange={onCheck}
          className="mt-0.5 size-4 shrink-0 accent-(--accent) outline-none"
          data-testid={`setup-brain-${upstream.name}`}
        />
        <span className="min-w-0">
          <span className="block font-medium">{demo ? 'Demo, not an AI' : upstream.label}</span>
          <span className="block text-meta text-muted">
            {demo
              ? 'Simple rules instead of a model. Works at once, without key or network, and shows how tools and approvals work.'
              : (upstream.note ?? NOTES[upstream.name])}
          </span>
        </span>
      </label>
      {checked && !demo && <div className="flex flex-col gap-4 border-t border-line p-3">{children}</div>}
    </div>
  );
}

const NOTES: Readonly<Record<UpstreamName, string>> = {
  demo: '',
  openai: 'With a key from platform.openai.com.',
  anthropic: 'With a key from platform.claude.com.',
  google: 'With a key from aistudio.google.com.',
  azure: 'With the address and key of your resource, and the name of a deployment.',
  openrouter: 'One key for models of many makers.',
  ollama: 'Models on your own machine. No key needed.',
  'openai-compatible': 'Any server that speaks the OpenAI chat API, by its base URL.',
};
