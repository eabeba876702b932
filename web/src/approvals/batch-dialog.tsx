import { useEffect, useRef, useState, type FormEvent } from 'react';
import type { BatchResult, InboxItem } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { FormDialog, useHeldOpen } from '../ui/dialog.tsx';
import { ExactText } from '../ui/exact-text.tsx';
import { TextField } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import { ReasonField } from './reason-form.tsx';
import { resultText, useBatch } from './use-batch.ts';

export interface BatchOrder {
  readonly decision: 'approve' | 'deny';
  /** As they were on the screen when they were selected: nothing is added while the dialog is open. */
  readonly items: readonly InboxItem[];
}

/** Names everything that one act decides, takes the reason or the password, and says what became of each. */
export function BatchDialog({
  order,
  onClose,
  onDone,
}: {
  readonly order: BatchOrder | null;
  readonly onClose: () => void;
  readonly onDone: (results: readonly BatchResult[]) => void;
}) {
  const [decided, setDecided] = useState<BatchOrder | null>(null);
  const over = order !== null && decided === order;
  return (
    <FormDialog
      open={order !== null}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={order === null ? '' : over ? 'What became of them' : titleOf(order)}
      description={order === null ? '' : over ? 'Each was decided for itself.' : sentenceOf(order)}
      testId="batch-dialog"
    >
      {order && (
        <Body
          order={order}
          onClose={onClose}
          onDone={(results) => {
            setDecided(order);
            onDone(results);
          }}
        />
      )}
    </FormDialog>
  );
}

function Body({
  order: { decision, items },
  onClose,
  onDone,
}: {
  readonly order: BatchOrder;
  readonly onClose: () => void;
  readonly onDone: (results: readonly BatchResult[]) => void;
}) {
  const batch = useBatch();
  useHeldOpen(batch.busy);
  const [reason, setReason] = useState('');
  const [password, setPassword] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const wrong = batch.stepUp?.problem ?? null;
  useEffect(() => {
    if (wrong) field.current?.focus();
  }, [wrong, batch.busy]);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (batch.busy || (batch.stepUp && password === '')) return;
    const results = await batch.send(
      items.map((item) => ({
        id: item.id,
        digest: item.kind === 'script' ? item.hash : item.digest,
        decision,
        ...(decision === 'deny' && reason.trim() !== '' ? { reason: reason.trim() } : {}),
      })),
      batch.stepUp ? password : undefined,
    );
    setPassword('');
    if (results) onDone(results);
  }

  if (batch.results) {
    const failed = batch.results.filter(({ outcome }) => outcome !== 'done');
    const done = batch.results.length - failed.length;
    const word = decision === 'approve' ? 'approved' : 'denied';
    return (
      <div className="flex flex-col gap-3" data-testid="batch-results">
        <Notice tone={failed.length === 0 ? 'ok' : 'ask'}>
          {done} of {batch.results.length} {word}.
          {failed.length > 0 && ` ${failed.length === 1 ? 'One was' : `${failed.length} were`} not:`}
        </Notice>
        <ul className="flex flex-col divide-y divide-line">
          {failed.map((result) => (
            <li
              key={result.id}
              className="flex flex-col py-2 text-meta"
              data-testid="batch-result"
              data-outcome={result.outcome}
            >
              <span className="wrap-anywhere">
                <ExactText text={nameOf(items.find(({ id }) => id === result.id))} />
              </span>
              <span className="text-muted wrap-anywhere">{resultText(result)}</span>
            </li>
          ))}
        </ul>
        <div className="flex justify-end">
          <Button onClick={onClose} data-testid="batch-close">
            Back to the list
          </Button>
        </div>
      </div>
    );
  }
  return (
    <form className="flex flex-col gap-3" onSubmit={(event) => void submit(event)}>
      <ul
        className="flex max-h-56 flex-col gap-1 overflow-y-auto rounded-md bg-sunken px-3 py-2 text-meta"
        // It scrolls, so the keyboard must reach it.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        aria-label="What this decides"
        data-testid="batch-items"
      >
        {items.map((item) => (
          <li key={item.id} className="flex justify-between gap-3">
            <span className="min-w-0 wrap-anywhere">
              <ExactText text={nameOf(item)} />
            </span>
            <code className="shrink-0 text-mini text-faint">{printOf(item)}</code>
          </li>
        ))}
      </ul>
      {decision === 'deny' && !batch.stepUp && (
        <div className="flex flex-col gap-2">
          <ReasonField
            label="Why not? The assistant reads this for each of them."
            value={reason}
            onChange={setReason}
            testId="batch-reason"
            focused
          />
        </div>
      )}
      {batch.stepUp && (
        <TextField
          label="Password"
          ref={field}
          secret
          autoComplete="current-password"
          // The server has just asked for it.
          // oxlint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          error={wrong}
          hint="This gives power, so it needs to be sure that it is you."
          data-testid="batch-password"
        />
      )}
      {batch.problem && (
        <Notice tone="stop" testId="batch-problem">
          {batch.problem}
        </Notice>
      )}
      <div className="flex flex-wrap justify-end gap-2">
        <Button disabled={batch.busy} onClick={onClose}>
          Decide nothing yet
        </Button>
        <Button
          type="submit"
          tone={decision === 'approve' ? 'primary' : 'danger'}
          busy={batch.busy}
          disabled={batch.stepUp !== null && password === ''}
          data-testid="batch-act"
        >
          {titleOf({ decision, items })}
        </Button>
      </div>
    </form>
  );
}

function titleOf({ decision, items }: BatchOrder): string {
  const scripts = items.filter(({ kind }) => kind === 'script').length;
  const calls = items.length - scripts;
  const parts = [
    ...(calls > 0 ? [calls === 1 ? 'this call' : `${calls} calls`] : []),
    ...(scripts > 0 ? [scripts === 1 ? '1 script' : `${scripts} scripts`] : []),
  ];
  const verb = decision === 'approve' ? 'Approve' : calls === 0 ? 'Reject' : 'Deny';
  return `${verb} ${parts.join(' and ')}`;
}

function sentenceOf({ decision, items }: BatchOrder): string {
  if (decision === 'approve')
    return 'Each runs once, exactly as its card shows it. What runs can’t be called back.';
  return items.some(({ kind }) => kind === 'script')
    ? 'Nothing of it runs. A rejected script can still be approved later.'
    : 'Nothing of it runs. The assistant may ask again.';
}

function nameOf(item: InboxItem | undefined): string {
  if (item === undefined) return '';
  return item.kind === 'script' ? `Script ${item.name}` : item.summary;
}

function printOf(item: InboxItem): string {
  return (item.kind === 'script' ? item.hash.replace(/^sha256:/, '') : item.digest).slice(0, 8);
}
