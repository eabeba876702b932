import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { explain } from '../api/client.ts';
import { models } from '../api/queries.ts';
import type { ConversationFallback, ConversationModel } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { FormDialog, useHeldOpen } from '../ui/dialog.tsx';
import { modelName } from '../ui/model-name.ts';
import { Problem } from '../ui/notice.tsx';
import { Picker } from '../ui/picker.tsx';
import { changeConversation } from './change-conversation.ts';

const DEFAULT = 'default';
const NONE = 'none';

/** Chooses the model of one conversation, for its next turns, and what they go on with when it can't be had. */
export function ConversationModelDialog({
  id,
  own,
  fallback,
  open,
  onOpenChange,
}: {
  readonly id: string;
  readonly own: ConversationModel | null;
  readonly fallback: ConversationFallback;
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
}) {
  return (
    <FormDialog
      open={open}
      onOpenChange={onOpenChange}
      title="Model of this conversation"
      description="It answers from your next message on, and its provider gets the whole conversation then."
      testId="model-dialog"
    >
      <Choice id={id} own={own} fallback={fallback} onDone={() => onOpenChange(false)} />
    </FormDialog>
  );
}

function Choice({
  id,
  own,
  fallback,
  onDone,
}: {
  readonly id: string;
  readonly own: ConversationModel | null;
  readonly fallback: ConversationFallback;
  readonly onDone: () => void;
}) {
  const { data, error, refetch, isFetching } = useQuery(models);
  // Null: as it is. What nobody touched here is not sent, so nothing that another tab chose is written over.
  const [picked, setPicked] = useState<string | null>(null);
  const [pickedInstead, setPickedInstead] = useState<string | null>(null);
  const value = picked ?? (own ? modelName(own) : DEFAULT);
  const instead = pickedInstead ?? (typeof fallback === 'string' ? fallback : modelName(fallback));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useHeldOpen(busy);
  if (error && !data)
    return (
      <Problem
        error={error}
        what="The models could not be listed."
        busy={isFetching}
        onRetry={() => void refetch()}
      />
    );
  if (!data) return <div className="skeleton h-9" role="status" aria-label="Loading" />;
  // A model that its provider does not list can be the default, or have been chosen before.
  const choices = new Map<string, ConversationModel>();
  const named = typeof fallback === 'string' ? [] : [fallback];
  for (const choice of [...data.models, data.default, ...(own ? [own] : []), ...named])
    choices.set(modelName(choice), { provider: choice.provider, model: choice.model });
  const each = [...choices].map(([name, choice]) => ({
    value: name,
    label: data.models.find((model) => modelName(model) === name)?.label ?? choice.model,
    note: choice.provider,
  }));
  const items = [{ value: DEFAULT, label: 'The default', note: data.default.model }, ...each];
  const chosen = value === DEFAULT ? modelName(data.default) : value;
  const insteadItems = [
    { value: DEFAULT, label: 'The default', note: data.fallback?.model ?? 'none' },
    { value: NONE, label: 'No other model', note: 'the turn fails' },
    ...each.filter((item) => item.value !== chosen),
  ];
  async function use() {
    if (picked === null && pickedInstead === null) return onDone();
    setBusy(true);
    setProblem(null);
    try {
      await changeConversation(id, {
        ...(picked === null ? {} : { model: choices.get(picked) ?? null }),
        ...(pickedInstead === null
          ? {}
          : {
              fallback:
                pickedInstead === DEFAULT || pickedInstead === NONE
                  ? pickedInstead
                  : (choices.get(pickedInstead) ?? DEFAULT),
            }),
      });
      onDone();
    } catch (failure) {
      const { message, fix } = explain(failure);
      setProblem(fix ? `${message} ${fix}` : message);
    } finally {
      setBusy(false);
    }
    return undefined;
  }
  return (
    <div className="flex flex-col gap-3">
      <Picker
        label="Model"
        items={items}
        value={value}
        onChange={setPicked}
        error={problem}
        hint="Models of the providers that are switched on."
        testId="conversation-model"
      />
      <Picker
        label="If unavailable"
        items={insteadItems}
        value={insteadItems.some((item) => item.value === instead) ? instead : null}
        placeholder="Choose another model, or none"
        onChange={setPickedInstead}
        hint="A turn goes on with this one when the model can not be had, and says so. Its provider then gets the conversation."
        testId="conversation-fallback"
      />
      <div className="flex flex-wrap items-center justify-between gap-2">
        <Link to="/settings/model" className="text-meta text-link underline underline-offset-2">
          Connect a provider
        </Link>
        <div className="flex gap-2">
          <Button disabled={busy} onClick={onDone} data-testid="conversation-model-keep">
            Keep the old one
          </Button>
          <Button tone="primary" busy={busy} onClick={() => void use()} data-testid="conversation-model-use">
            Use it here
          </Button>
        </div>
      </div>
    </div>
  );
}
