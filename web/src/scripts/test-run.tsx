import { useId, useState, type FormEvent } from 'react';
import { call, explain } from '../api/client.ts';
import type { Script, ScriptTestAnswer } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { FieldFrame, INPUT_CLASS } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import { JsonArea } from './json-area.tsx';
import { readJson, type ReadJson } from './json-field.ts';
import { refreshScript, scriptPath } from './script-queries.ts';
import { TestResult } from './test-result.tsx';

const SAMPLES = {
  args: '["Paris", 3]',
  kwargs: '{"city": "Paris"}',
  http: '{"GET https://api.example.com/": {"status": 200, "body": "hello"}}',
} as const;
type FieldName = keyof typeof SAMPLES;

/** Runs the version that is shown: made up, or, if it is the approved one and the owner wants it, for real. */
export function TestRun({ script }: { readonly script: Script }) {
  const id = useId();
  const approved = script.approved_hash === script.hash;
  const [wantsLive, setWantsLive] = useState(approved && script.refused === null);
  const live = approved && wantsLive;
  const [entry, setEntry] = useState('');
  const [texts, setTexts] = useState<Readonly<Record<FieldName, string>>>({ args: '', kwargs: '', http: '' });
  const [wrong, setWrong] = useState<Partial<Record<FieldName, string>>>({});
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [answer, setAnswer] = useState<ScriptTestAnswer | null>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const called = entry !== '';
    const nothing: ReadJson = { ok: true, value: undefined };
    const read = {
      args: called ? readJson(texts.args, 'list', SAMPLES.args) : nothing,
      kwargs: called ? readJson(texts.kwargs, 'object', SAMPLES.kwargs) : nothing,
      http: live ? nothing : readJson(texts.http, 'object', SAMPLES.http),
    };
    const found: Partial<Record<FieldName, string>> = {};
    const body: Record<string, unknown> = { hash: script.hash, ...(called ? { function: entry } : {}) };
    for (const name of ['args', 'kwargs', 'http'] as const) {
      const each = read[name];
      if (!each.ok) found[name] = each.problem;
      else if (each.value !== undefined) body[name] = each.value;
    }
    // Answers, even none, are what makes a test of the approved version a made-up one.
    if (approved && !live) body['http'] ??= {};
    setWrong(found);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    setProblem(null);
    setAnswer(null);
    try {
      setAnswer(await call<ScriptTestAnswer>('POST', scriptPath(script.name, '/test'), { body }));
    } catch (error) {
      const { message, fix } = explain(error);
      setProblem(fix ? `${message} ${fix}` : message);
    } finally {
      setBusy(false);
      refreshScript(script.name);
    }
  }

  const field = (name: FieldName) => ({
    value: texts[name],
    sample: SAMPLES[name],
    error: wrong[name],
    onChange: (text: string) => {
      setTexts({ ...texts, [name]: text });
      setWrong({ ...wrong, [name]: '' });
    },
    testId: `script-test-${name}`,
  });
  return (
    <section className="flex flex-col gap-3" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`} className="font-semibold">
        Try it
      </h2>
      <div className="flex flex-col gap-1" data-testid="script-test-kind">
        {approved ? (
          <fieldset className="flex flex-col gap-1">
            <legend className="sr-only">What kind of test</legend>
            <Kind
              checked={live}
              onChoose={() => setWantsLive(true)}
              title="For real"
              words="A run with the hosts and secrets of its grant. It stands among the runs below; quotas don’t count it."
              testId="script-test-live"
            />
            <Kind
              checked={!live}
              onChoose={() => setWantsLive(false)}
              title="Made up"
              words="It reaches no host: requests get the answers that you write, and secrets are made-up words."
              testId="script-test-canned"
            />
          </fieldset>
        ) : (
          <p className="text-meta text-muted">
            This version is not approved, so a test is made up: it reaches no host. Requests get the answers
            that you write below, and secrets are made-up words.
          </p>
        )}
      </div>
      <form className="flex flex-col gap-2" onSubmit={(event) => void submit(event)} noValidate>
        <div className="grid grid-cols-3 gap-x-4 max-md:grid-cols-1">
          <FieldFrame id={`${id}-entry`} label="What to run">
            <select
              id={`${id}-entry`}
              value={entry}
              onChange={(event) => setEntry(event.target.value)}
              className={INPUT_CLASS}
              data-testid="script-test-function"
            >
              <option value="">The whole text</option>
              {script.functions.map(({ name, params }) => (
                <option key={name} value={name}>{`${name}(${params.join(', ')})`}</option>
              ))}
            </select>
          </FieldFrame>
          {entry !== '' && (
            <>
              <JsonArea {...field('args')} label="Arguments, as a JSON list" />
              <JsonArea {...field('kwargs')} label="Arguments by name, as a JSON object" />
            </>
          )}
        </div>
        {!live && (
          <JsonArea
            {...field('http')}
            rows={3}
            label="Answers to its requests, as a JSON object"
            hint="A request that is not listed fails as if the host were not there."
          />
        )}
        <div>
          <Button type="submit" busy={busy} data-testid="script-test">
            {live ? 'Run it now with its power' : 'Test it without power'}
          </Button>
        </div>
      </form>
      {problem && (
        <Notice tone="stop" testId="script-test-problem">
          {problem}
        </Notice>
      )}
      {answer && <TestResult answer={answer} />}
    </section>
  );
}

function Kind({
  checked,
  onChoose,
  title,
  words,
  testId,
}: {
  readonly checked: boolean;
  readonly onChoose: () => void;
  readonly title: string;
  readonly words: string;
  readonly testId: string;
}) {
  const name = useId();
  return (
    <label htmlFor={name} className="flex items-start gap-2 py-1 text-meta">
      <input
        id={name}
        type="radio"
        name="script-test-kind"
        checked={checked}
        onChange={onChoose}
        className="mt-0.5 size-4 shrink-0 accent-accent"
        data-testid={testId}
      />
      <span className="min-w-0">
        <span className="font-medium">{title}.</span> <span className="text-muted">{words}</span>
      </span>
    </label>
  );
}
