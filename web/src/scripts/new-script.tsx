import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { call, CallError, explain } from '../api/client.ts';
import { queryClient } from '../api/queries.ts';
import type { Script } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { FormDialog, useHeldOpen } from '../ui/dialog.tsx';
import { TextField } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import { placeScript, scriptList } from './script-queries.ts';
import { TEMPLATES } from './script-templates.ts';

/** As the server has it (T-05). */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/;
const RULE = '1 to 64 letters, digits, "_" and "-"; the first one is no "-".';

/** A name and what to begin with; everything else is on the script's own page. */
export function NewScript({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  return (
    <FormDialog
      open={open}
      onOpenChange={(next) => !next && onClose()}
      title="New script"
      description="It is saved as scripts/NAME.star and waits for your approval like any other."
      testId="script-new-dialog"
    >
      <NewForm onClose={onClose} />
    </FormDialog>
  );
}

function NewForm({ onClose }: { readonly onClose: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [template, setTemplate] = useState<(typeof TEMPLATES)[number]['id']>('compute');
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const [taken, setTaken] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useHeldOpen(busy);
  const plain = name.trim().replace(/\.star$/, '');

  async function submit(event: FormEvent) {
    event.preventDefault();
    setProblem(null);
    setTaken(null);
    if (!NAME.test(plain)) return setWrong(RULE);
    const source = TEMPLATES.find(({ id }) => id === template)?.source ?? '';
    setBusy(true);
    try {
      const made = await call<Script>('POST', '/api/scripts', { body: { name: plain, source } });
      placeScript(made);
      await queryClient.invalidateQueries(scriptList);
      onClose();
      await navigate({ to: '/scripts/$name', params: { name: made.name } });
    } catch (error) {
      const { message, fix } = explain(error);
      if (error instanceof CallError && error.code === 'script_exists') setTaken(plain);
      else if (error instanceof CallError && error.code === 'invalid_name') setWrong(fix ?? message);
      else setProblem(fix ? `${message} ${fix}` : message);
    } finally {
      setBusy(false);
    }
    return undefined;
  }

  return (
    <form className="flex flex-col gap-3" onSubmit={(event) => void submit(event)}>
      <TextField
        label="Name"
        mono
        // The dialog begins with this field.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        autoCapitalize="off"
        autoComplete="off"
        spellCheck={false}
        maxLength={80}
        value={name}
        onChange={(event) => {
          setName(event.target.value);
          setWrong(null);
          setTaken(null);
        }}
        hint={RULE}
        error={wrong}
        data-testid="script-new-name"
      />
      <fieldset className="flex flex-col gap-1">
        <legend className="mb-1 text-meta font-medium">Begin with a script that</legend>
        {TEMPLATES.map(({ id, title, note }) => (
          <label key={id} className="flex min-h-7 items-center gap-2 text-meta max-md:min-h-10">
            <input
              type="radio"
              name="script-template"
              checked={template === id}
              onChange={() => setTemplate(id)}
              className="size-4 shrink-0 accent-accent"
              data-testid={`script-template-${id}`}
            />
            <span>
              {title}
              <span className="text-muted"> ({note})</span>
            </span>
          </label>
        ))}
      </fieldset>
      {taken !== null && (
        <Notice tone="ask" title={`There is a script ${taken} already`} testId="script-new-taken">
          Nothing was changed.{' '}
          <Link
            to="/scripts/$name"
            params={{ name: taken }}
            className="text-link underline underline-offset-2"
            onClick={onClose}
          >
            Open {taken}
          </Link>
          , or choose another name.
        </Notice>
      )}
      {problem && <Notice tone="stop">{problem}</Notice>}
      <div className="flex flex-wrap-reverse justify-end gap-2">
        <Button disabled={busy} onClick={onClose}>
          Not now
        </Button>
        <Button type="submit" tone="primary" busy={busy} data-testid="script-new-save">
          Make this script
        </Button>
      </div>
    </form>
  );
}
