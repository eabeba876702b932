import { useId, useState, type FormEvent } from 'react';
import { call, explain } from '../api/client.ts';
import type { Personality, ProfileRequest } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import { Picker } from '../ui/picker.tsx';
import { browserZone, timezones } from './timezones.ts';

const TONES: Readonly<Record<Personality, string>> = {
  friendly: 'Warm and easy to talk to',
  professional: 'Polite, structured, to the point',
  witty: 'Clever, with a light touch',
  calm: 'Unhurried and steady',
  direct: 'Says it in few words',
  curious: 'Asks back, likes to explore',
  sardonic: 'Dry, but never unkind',
  supportive: 'Patient and encouraging',
  creative: 'Full of ideas and images',
  balanced: 'A bit of everything',
};
const PERSONALITIES = Object.keys(TONES) as readonly Personality[];

/** Step 2: who the assistant is, and whom it talks to. */
export function ProfileStep({ onDone }: { readonly onDone: () => void }) {
  const group = useId();
  const [agentName, setAgentName] = useState('');
  const [personality, setPersonality] = useState<Personality>('balanced');
  const [userName, setUserName] = useState('');
  const [zone, setZone] = useState(browserZone);
  const [zones] = useState(timezones);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const ready = agentName.trim() !== '' && userName.trim() !== '';

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    setProblem(null);
    const body: ProfileRequest = {
      agent_name: agentName.trim(),
      personality,
      user_name: userName.trim(),
      timezone: zone,
    };
    try {
      await call('POST', '/api/setup/profile', { body });
      onDone();
    } catch (error) {
      const { message, fix } = explain(error);
      setProblem(fix ? `${message} ${fix}` : message);
      setBusy(false);
    }
  }

  return (
    <form className="flex flex-col gap-2" onSubmit={(event) => void submit(event)}>
      <div className="grid grid-cols-2 gap-2 max-sm:grid-cols-1">
        <TextField
          label="Its name"
          name="agent_name"
          autoComplete="off"
          maxLength={64}
          // The step before ended in a button that is gone now; the focus goes on here.
          // oxlint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
          value={agentName}
          onChange={(event) => setAgentName(event.target.value)}
          placeholder="Ada"
          data-testid="setup-agent-name"
        />
        <TextField
          label="Your name"
          name="user_name"
          autoComplete="given-name"
          maxLength={64}
          value={userName}
          onChange={(event) => setUserName(event.target.value)}
          hint="How it should call you."
          data-testid="setup-user-name"
        />
      </div>
      <fieldset className="flex flex-col gap-2 pb-5">
        <legend className="mb-1 text-meta font-medium">Its tone</legend>
        <div className="grid grid-cols-2 gap-2 max-sm:grid-cols-1">
          {PERSONALITIES.map((each) => (
            <label
              key={each}
              className="flex cursor-pointer items-start gap-2 rounded-md px-3 py-2 shadow-[inset_0_0_0_1px_var(--line)] hover:bg-hover has-checked:bg-accent-soft has-checked:shadow-[inset_0_0_0_1px_var(--accent)] has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-link"
            >
              <input
                type="radio"
                name={group}
                value={each}
                checked={personality === each}
                onChange={() => setPersonality(each)}
                className="mt-0.5 size-4 shrink-0 accent-(--accent) outline-none"
                data-testid={`setup-personality-${each}`}
              />
              <span className="min-w-0">
                <span className="block font-medium">{each.charAt(0).toUpperCase() + each.slice(1)}</span>
                <span className="block text-meta text-muted">{TONES[each]}</span>
              </span>
            </label>
          ))}
        </div>
      </fieldset>
      <Picker
        label="Timezone"
        items={zones}
        value={zone}
        onChange={setZone}
        hint="This browser's. Type a city to find another."
        testId="setup-timezone"
      />
      {problem && (
        <Notice tone="stop" className="mb-2" testId="setup-error">
          {problem}
        </Notice>
      )}
      <div className="flex justify-end">
        <Button type="submit" tone="primary" busy={busy} disabled={!ready} data-testid="setup-profile-submit">
          Save and go on
        </Button>
      </div>
    </form>
  );
}
