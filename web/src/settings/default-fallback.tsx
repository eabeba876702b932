import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call, explain } from '../api/client.ts';
import { models, place } from '../api/queries.ts';
import type { ModelsAnswer } from '../api/types.ts';
import { modelName } from '../ui/model-name.ts';
import { Picker } from '../ui/picker.tsx';

const NONE = 'none';

/** What a turn goes on with when its model can't be had, where its conversation names nothing of its own. */
export function DefaultFallback() {
  const { data } = useQuery(models);
  const [problem, setProblem] = useState<string | null>(null);
  const [saved, setSaved] = useState(false);
  if (!data) return null;
  const current = data.fallback === null ? NONE : modelName(data.fallback);
  const listed = data.models.filter((model) => modelName(model) !== modelName(data.default));
  const items = [
    { value: NONE, label: 'No other model', note: 'the turn fails' },
    ...listed.map((model) => ({ value: modelName(model), label: model.label, note: model.provider })),
  ];
  if (data.fallback && !items.some((item) => item.value === current))
    items.push({ value: current, label: data.fallback.model, note: data.fallback.provider });

  async function choose(value: string) {
    const model = listed.find((each) => modelName(each) === value);
    const fallback = model ? { provider: model.provider, model: model.model } : null;
    setProblem(null);
    setSaved(false);
    try {
      await call('PUT', '/api/models/fallback', { body: { fallback } });
      place<ModelsAnswer>(models.queryKey, (old) => (old ? { ...old, fallback } : old));
      setSaved(true);
    } catch (failure) {
      const { message, fix } = explain(failure);
      setProblem(fix ? `${message} ${fix}` : message);
    }
  }

  return (
    <section className="flex flex-col gap-2" aria-labelledby="default-fallback">
      <h2 id="default-fallback" className="font-semibold">
        If it is unavailable
      </h2>
      <div className="max-w-[480px]">
        <Picker
          label="A turn goes on with"
          items={items}
          value={current}
          onChange={(value) => void choose(value)}
          error={problem}
          hint={
            saved
              ? 'Saved. It counts at once.'
              : 'Once in a turn, and the conversation says so. Its provider then gets the conversation.'
          }
          testId="default-fallback-picker"
        />
      </div>
    </section>
  );
}
