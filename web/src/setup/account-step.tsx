import { Check } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { call, CallError, explain } from '../api/client.ts';
import { adoptSession, refreshSession } from '../api/session.ts';
import type { SetupAnswer, SetupRequest } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { TextField } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import { passwordState } from './password-rule.ts';

/** Step 1: the code from the console proves that this person runs the machine; then the account. */
export function AccountStep({ onDone }: { readonly onDone: () => void }) {
  const [code, setCode] = useState('');
  const [username, setUsername] = useState('admin');
  const [password, setPassword] = useState('');
  const [confirm, setConfirm] = useState('');
  const [leftConfirm, setLeftConfirm] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<{ readonly code: string; readonly text: string } | null>(null);
  const rule = passwordState(password);
  const differs =
    confirm !== '' && confirm !== password && (leftConfirm || confirm.length >= password.length);
  const ready =
    code.trim() !== '' && username.trim() !== '' && rule.ok && confirm === password && confirm !== '';

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    setProblem(null);
    const body: SetupRequest = {
      username: username.trim(),
      password,
      confirm_password: confirm,
      setup_code: code.trim(),
    };
    try {
      const answer = await call<SetupAnswer>('POST', '/api/setup', { body, open: true });
      // The answer has the token but not its end; the cookie tells both.
      adoptSession({ access_token: answer.access_token, expires_at: '', username: body.username });
      await refreshSession().catch(() => true);
      onDone();
    } catch (error) {
      const { message, fix } = explain(error);
      setProblem({
        code: error instanceof CallError ? error.code : 'page',
        text: fix ? `${message} ${fix}` : message,
      });
      setBusy(false);
    }
  }

  return (
    <form className="flex flex-col gap-2" onSubmit={(event) => void submit(event)}>
      <TextField
        label="Setup code"
        mono
        name="setup_code"
        autoComplete="one-time-code"
        autoCapitalize="none"
        spellCheck={false}
        // The first of the steps; nothing comes before it.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        value={code}
        onChange={(event) => setCode(event.target.value)}
        error={problem?.code === 'invalid_setup_code' ? problem.text : null}
        hint={
          <>
            Printed where OpenPact was started, and in <code>secure/data/setup_code</code> of the workspace.
          </>
        }
        data-testid="setup-code"
      />
      <TextField
        label="Username"
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        value={username}
        onChange={(event) => setUsername(event.target.value)}
        error={problem?.code === 'invalid_username' ? problem.text : null}
        data-testid="setup-username"
      />
      <TextField
        label="Password"
        name="password"
        secret
        autoComplete="new-password"
        value={password}
        onChange={(event) => {
          setPassword(event.target.value);
          setProblem(null);
        }}
        data-testid="setup-password"
        error={problem?.code === 'invalid_password' ? problem.text : null}
        hint={<PasswordHint password={password} />}
      />
      <TextField
        label="Password once more"
        name="confirm_password"
        secret
        autoComplete="new-password"
        value={confirm}
        onChange={(event) => setConfirm(event.target.value)}
        onBlur={() => setLeftConfirm(true)}
        error={differs ? 'The two passwords differ.' : null}
        hint={confirm !== '' && confirm === password ? 'The two are the same.' : null}
        data-testid="setup-confirm"
      />
      {problem && !['invalid_setup_code', 'invalid_username', 'invalid_password'].includes(problem.code) && (
        <Notice tone="stop" className="mb-2" testId="setup-error">
          {problem.text}
        </Notice>
      )}
      <div className="flex justify-end pt-2">
        <Button type="submit" tone="primary" busy={busy} disabled={!ready} data-testid="setup-account-submit">
          Create the account
        </Button>
      </div>
    </form>
  );
}

function PasswordHint({ password }: { readonly password: string }) {
  const rule = passwordState(password);
  const share = rule.ok ? 1 : Math.min(0.92, rule.length / 16);
  return (
    <div className="flex flex-col gap-1 pt-1" data-testid="password-rule" data-ok={rule.ok}>
      <div aria-hidden className="h-1 overflow-hidden rounded-full bg-selected">
        <div
          className={cx(
            'h-full origin-left rounded-full transition-transform duration-150',
            rule.ok ? 'bg-ok' : 'bg-ask',
          )}
          style={{ transform: `scaleX(${share})` }}
        />
      </div>
      <p
        aria-live="polite"
        className={cx('flex min-h-10 items-start gap-1', rule.ok ? 'text-ok' : 'text-muted')}
      >
        {rule.ok && <Check aria-hidden size={16} className="mt-0.5 shrink-0" />}
        <span>{rule.next}</span>
      </p>
    </div>
  );
}
