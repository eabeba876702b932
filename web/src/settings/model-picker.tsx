import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { models } from '../api/queries.ts';
import type { ModelChoice, UpstreamName } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { Problem } from '../ui/notice.tsx';
import { Picker } from '../ui/picker.tsx';

/** A model of one upstream: from its own list, or by name where it has no list. */
export function ModelPicker({
  provider,
  value,
  onChange,
}: {
  readonly provider: UpstreamName;
  readonly value: ModelChoice | null;
  readonly onChange: (choice: ModelChoice) => void;
}) {
  const { data, error, refetch, isFetching } = useQuery(models);
  if (error) {
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
  const own = data.models.filter((model) => model.provider === provider);
  const trouble = data.problems[provider];
  if (own.length === 0) {
    return (
      <NamedModel
        key={provider}
        hint={
          trouble
            ? `Its list could not be had: ${trouble}`
            : provider === 'azure'
              ? 'It gives no list. Type the name of your deployment.'
              : 'It gives no list. Type the name as its maker writes it.'
        }
        value={value?.model ?? (data.default.provider === provider ? data.default.model : '')}
        onUse={(model) => onChange({ provider, model })}
      />
    );
  }
  const current = value?.model ?? (data.default.provider === provider ? data.default.model : null);
  return (
    <Picker
      label="Model"
      items={own.map((model) => ({
        value: model.model,
        label: model.label,
        ...(model.context_limit ? { note: `${Math.round(model.context_limit / 1000)}k context` } : {}),
      }))}
      value={current ?? own[0]?.model ?? null}
      onChange={(model) => onChange({ provider, model })}
      hint={trouble ? `Some could not be listed: ${trouble}` : `${own.length} to choose from.`}
      testId="model-picker"
    />
  );
}

function NamedModel({
  hint,
  value,
  onUse,
}: {
  readonly hint: string;
  readonly value: string;
  readonly onUse: (model: string) => void;
}) {
  const [name, setName] = useState(value);
  return (
    <div className="flex items-start gap-2">
      <div className="flex-1">
        <TextField
          label="Model"
          mono
          spellCheck={false}
          value={name}
          onChange={(event) => setName(event.target.value)}
          hint={hint}
          data-testid="model-name"
        />
      </div>
      <Button
        className="mt-6 h-9"
        disabled={name.trim() === '' || name.trim() === value}
        onClick={() => onUse(name.trim())}
      >
        Use this model
      </Button>
    </div>
  );
}
