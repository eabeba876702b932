import { useEffect, useRef, useState, type FormEvent } from 'react';
import { call, CallError, explain } from '../api/client.ts';
import { queryClient, secrets } from '../api/queries.ts';
import type { SecretFacts } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { FormDialog, useHeldOpen } from '../ui/dialog.tsx';
import { FieldFrame, INPUT_CLASS, TextField } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import { PasswordDialog } from '../ui/password-dialog.tsx';

export type SecretTask =
  | { readonly kind: 'set'; readonly name?: string }
  | { readonly kind: 'rotate' | 'edit'; readonly secret: SecretFacts };

const NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
const TEXTS = {
  set: {
    title: 'Set a secret',
    says: 'It is sealed on this machine. Nobody reads it back: neither this page, nor the assistant, nor a script.',
    act: 'Set this secret',
  },
  rotate: {
    title: 'Rotate',
    says: 'The new value counts from the next request on. The old one goes on being hidden in texts for a while.',
    act: 'Replace the value',
  },
  edit: {
    title: 'Hosts, note and date',
    says: 'The value stays as it is.',
    act: 'Save these facts',
  },
} as const;

/** Sets, rotates, or changes what is known of a secret. The value is dropped as soon as the dialog ends. */
export function SecretDialog({
  task,
  now,
  onDone,
}: {
  readonly task: SecretTask;
  /** The secret as the list has it now; null: it is not there. */
  readonly now: SecretFacts | null;
  readonly onDone: (name: string | null) => void;
}) {
  /** As it was when it was looked at: a change takes the place of that, and of nothing that came later. */
  const [secret, setSecret] = useState(task.kind === 'set' ? null : task.secret);
  const meanwhile = secret !== null && now !== null && now.updated_at !== secret.updated_at;
  const texts = TEXTS[task.kind];
  const given = task.kind === 'set' ? task.name : undefined;
  const [name, setName] = useState(secret?.name ?? given ?? '');
  const [value, setValue] = useState('');
  const [lines, setLines] = useState(false);
  const [hosts, setHosts] = useState(secret?.hosts.join('\n') ?? '');
  const [note, setNote] = useState(secret?.note ?? '');
  const [rotateBy, setRotateBy] = useState(secret?.rotate_by ?? '');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [weak, setWeak] = useState(false);
  const [stepUp, setStepUp] = useState<{ readonly problem: string | null } | null>(null);
  /** Where one dialog takes the place of the other, the focus does not go back to the page behind them. */
  const replaced = useRef(false);
  useEffect(() => {
    if (stepUp === null) replaced.current = false;
  }, [stepUp]);
  const finished = useRef(false);
  const buttons = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // On a small screen what is said, and the button for it, would stand below the edge of the dialog.
    if (weak || problem !== null) buttons.current?.scrollIntoView({ block: 'nearest' });
  }, [weak, problem]);
  const asksValue = task.kind !== 'edit';
  const asksFacts = task.kind !== 'rotate';
  const badName = task.kind === 'set' && name !== '' && !NAME.test(name);
  const complete =
    !meanwhile && (task.kind !== 'set' || NAME.test(name)) && (!asksValue || value.trim() !== '');
  const hostList = hosts.split(/[\s,]+/).filter((host) => host !== '');
  const added =
    secret && secret.hosts.length > 0 ? hostList.filter((host) => !secret.hosts.includes(host)) : [];
  const unbound = secret !== null && secret.hosts.length > 0 && hostList.length === 0;

  async function send(options: { readonly confirm?: boolean; readonly password?: string } = {}) {
    setBusy(true);
    setProblem(null);
    const body = {
      ...(asksValue ? { value } : {}),
      ...(asksFacts
        ? { hosts: hostList, note: note.trim(), rotate_by: rotateBy === '' ? null : rotateBy }
        : {}),
      ...(weak || options.confirm === true ? { confirm_weak: true } : {}),
      ...(options.password === undefined ? {} : { password: options.password }),
    };
    try {
      if (secret === null)
        await call('POST', '/api/secrets', { body: { name, ...body }, bodyHasPassword: true });
      else {
        await call('PUT', `/api/secrets/${secret.name}`, {
          body: { ...body, ...(secret.updated_at === null ? {} : { if_updated_at: secret.updated_at }) },
          bodyHasPassword: true,
        });
      }
      setValue('');
      await queryClient.invalidateQueries(secrets);
      finished.current = true;
      onDone(name);
    } catch (error) {
      const { message, fix } = explain(error);
      const text = fix ? `${message} ${fix}` : message;
      const code = error instanceof CallError ? error.code : '';
      // The list then has the newer one, and what changed is said below.
      if (code === 'secret_changed') void queryClient.invalidateQueries(secrets);
      if (code === 'step_up_required') {
        replaced.current = true;
        setStepUp({ problem: null });
      } else if (code === 'secret_weak') {
        setStepUp(null);
        setWeak(true);
      } else if (code === 'wrong_password' || (stepUp && code === 'rate_limited'))
        setStepUp({ problem: text });
      else {
        setStepUp(null);
        setProblem(text);
      }
    } finally {
      setBusy(false);
    }
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (complete && !busy) void send();
  }

  if (stepUp) {
    return (
      <PasswordDialog
        open
        problem={stepUp.problem}
        busy={busy}
        act={texts.act}
        givesFocusBack={() => finished.current}
        onCancel={() => setStepUp(null)}
        onPassword={(password) => void send({ password })}
      >
        {added.length > 0
          ? `${name} may then be sent to ${added.join(', ')} too, if an approval says so.`
          : unbound
            ? `${name} may then be sent wherever an approval says.`
            : `${texts.act}: ${name}.`}
      </PasswordDialog>
    );
  }

  return (
    <FormDialog
      open
      onOpenChange={(open) => {
        if (!open) onDone(null);
      }}
      title={secret === null ? texts.title : `${texts.title}: ${secret.name}`}
      description={texts.says}
      testId="secret-dialog"
      givesFocusBack={() => !replaced.current}
    >
      <HeldWhile busy={busy} />
      <form className="flex flex-col gap-1" onSubmit={submit}>
        {task.kind === 'set' && (
          <TextField
            label="Name"
            mono
            autoComplete="off"
            spellCheck={false}
            // The dialog is for this field.
            // oxlint-disable-next-line jsx-a11y/no-autofocus
            autoFocus={given === undefined}
            placeholder="GITHUB_TOKEN"
            value={name}
            onChange={(event) => setName(event.target.value.toUpperCase())}
            error={badName ? 'A to Z, 0 to 9 and _, beginning with a letter, at most 64.' : null}
            hint="Scripts ask for it by this name."
            data-testid="secret-name"
          />
        )}
        {asksValue &&
          (lines ? (
            <FieldFrame id="secret-lines" label="Value" hint="4 to 4096 bytes. Its line breaks are kept.">
              <textarea
                id="secret-lines"
                aria-describedby="secret-lines-note"
                rows={4}
                autoComplete="off"
                spellCheck={false}
                value={value}
                onChange={(event) => {
                  setValue(event.target.value);
                  setWeak(false);
                }}
                className={`${INPUT_CLASS} h-auto! py-2 font-mono text-meta [-webkit-text-security:disc]`}
                data-testid="secret-value"
              />
            </FieldFrame>
          ) : (
            <TextField
              label={task.kind === 'rotate' ? 'New value' : 'Value'}
              secret
              mono
              autoComplete="off"
              spellCheck={false}
              // oxlint-disable-next-line jsx-a11y/no-autofocus
              autoFocus={task.kind === 'rotate' || given !== undefined}
              value={value}
              onChange={(event) => {
                setValue(event.target.value);
                setWeak(false);
              }}
              hint={
                <span className="flex flex-wrap items-center justify-between gap-x-2">
                  4 to 4096 bytes.
                  <button
                    type="button"
                    className="text-link hover:underline max-md:py-2"
                    onClick={() => setLines(true)}
                    data-testid="secret-several-lines"
                  >
                    It has several lines
                  </button>
                </span>
              }
              data-testid="secret-value"
            />
          ))}
        {asksFacts && (
          <>
            <FieldFrame
              id="secret-hosts"
              label="Hosts it may be sent to"
              hint={
                hostList.length === 0
                  ? 'Empty: the approval of each script alone says where it may go.'
                  : 'One a line. No approval can send it elsewhere.'
              }
            >
              <textarea
                id="secret-hosts"
                aria-describedby="secret-hosts-note"
                rows={2}
                spellCheck={false}
                placeholder="api.github.com"
                value={hosts}
                onChange={(event) => setHosts(event.target.value)}
                className={`${INPUT_CLASS} h-auto! py-2 font-mono text-meta`}
                data-testid="secret-hosts"
              />
            </FieldFrame>
            <TextField
              label="Note"
              autoComplete="off"
              maxLength={500}
              value={note}
              onChange={(event) => setNote(event.target.value)}
              hint="Whose it is and where to renew it. Not the value."
              data-testid="secret-note"
            />
            <TextField
              label="Rotate by"
              type="date"
              value={rotateBy}
              onChange={(event) => setRotateBy(event.target.value)}
              hint="You are reminded two weeks before."
              data-testid="secret-rotate-by"
            />
          </>
        )}
        {(added.length > 0 || unbound) && (
          <Notice tone="ask" className="mb-2">
            {unbound
              ? 'It could then be sent wherever an approval says. This needs your password.'
              : `It could then be sent to ${added.join(', ')} too. This needs your password.`}
          </Notice>
        )}
        {weak && (
          <Notice tone="ask" className="mb-2" title="This value is easily guessed" testId="secret-weak">
            Scripts can use it without seeing it. But it is not looked for in texts, because that would tell a
            guesser when he is right: if it stands in a file, the assistant can read it there.
          </Notice>
        )}
        {meanwhile && now && secret && (
          <Notice
            tone="ask"
            className="mb-2"
            title="It was changed meanwhile"
            testId="secret-meanwhile"
            action={
              <Button
                small
                onClick={() => {
                  setSecret(now);
                  setProblem(null);
                }}
                data-testid="secret-meanwhile-take"
              >
                I have seen it: go on
              </Button>
            }
          >
            {differences(secret, now)}
          </Notice>
        )}
        {problem && !meanwhile && (
          <Notice tone="stop" className="mb-2" testId="secret-problem">
            {problem}
          </Notice>
        )}
        <div ref={buttons} className="flex flex-wrap justify-end gap-2 pt-1">
          <Button disabled={busy} onClick={() => onDone(null)}>
            Not now
          </Button>
          <Button
            type="submit"
            tone="primary"
            busy={busy}
            disabled={!complete}
            data-testid={weak ? 'secret-confirm-weak' : 'secret-save'}
          >
            {weak ? 'Store it all the same' : texts.act}
          </Button>
        </div>
      </form>
    </FormDialog>
  );
}

/** Inside the dialog, which is what it holds open. */
function HeldWhile({ busy }: { readonly busy: boolean }) {
  useHeldOpen(busy);
  return null;
}

/** What stands there now and did not when it was looked at. */
function differences(then: SecretFacts, now: SecretFacts): string {
  const hosts = now.hosts.length === 0 ? 'where an approval says' : now.hosts.join(', ');
  return [
    ...(now.rotated_at === then.rotated_at ? [] : ['It has another value now.']),
    ...(now.hosts.join('\n') === then.hosts.join('\n') ? [] : [`It may now be sent to: ${hosts}.`]),
    ...(now.note === then.note ? [] : [`Its note is now: ${now.note === '' ? 'empty' : now.note}.`]),
    ...(now.rotate_by === then.rotate_by ? [] : [`Rotate by is now: ${now.rotate_by ?? 'no date'}.`]),
    'What you write here takes the place of that.',
  ].join(' ');
}
