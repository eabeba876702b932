import { useId, useState, type FormEvent } from 'react';
import { call, explain } from '../api/client.ts';
import type { Json, Script, ScriptTestAnswer } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { FieldFrame, INPUT_CLASS } from '../ui/field.tsx';
import { TextBlock } from '../ui/json-view.tsx';
import { Notice } from '../ui/notice.tsx';
import { duration } from '../ui/time.tsx';
import { refreshScript, scriptPath } from './script-queries.ts';

const AREA = cx(INPUT_CLASS, 'h-auto max-md:h-auto resize-y py-2 font-mono text-meta');
const SAMPLE = '{"GET https://api.example.com/": {"status": 200, "body": "hello"}}';

/** Runs the version that is shown: with its grant if it is approved, else with made-up answers and secrets. */
export function TestRun({ script }: { readonly script: Script }) {
  const id = useId();
  const live = script.status === 'approved';
  const [entry, setEntry] = useState('');
  const [args, setArgs] = useState('');
  const [http, setHttp] = useState('');
  const [wrong, setWrong] = useState<{ readonly args?: string; readonly http?: string }>({});
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [answer, setAnswer] = useState<ScriptTestAnswer | null>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const readArgs = parsed(args);
    const readHttp = parsed(http);
    const found = {
      ...(args.trim() !== '' && !Array.isArray(readArgs)
        ? { args: 'Write a JSON list, such as ["Paris", 3].' }
        : {}),
      ...(!live && http.trim() !== '' && (typeof readHttp !== 'object' || readHttp === null)
        ? { http: `Write a JSON object, such as ${SAMPLE}.` }
        : {}),
    };
    setWrong(found);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    setProblem(null);
    setAnswer(null);
    try {
      setAnswer(
        await call<ScriptTestAnswer>('POST', scriptPath(script.name, '/test'), {
          body: {
            hash: script.hash,
            ...(entry === '' ? {} : { function: entry }),
            ...(entry === '' || readArgs === undefined ? {} : { args: readArgs }),
            ...(live || readHttp === undefined ? {} : { http: readHttp }),
          },
        }),
      );
    } catch (error) {
      const { message, fix } = explain(error);
      setProblem(fix ? `${message} ${fix}` : message);
    } finally {
      setBusy(false);
      refreshScript(script.name);
    }
  }

  return (
    <section className="flex flex-col gap-3" aria-labelledby={`${id}-title`}>
      <div className="flex flex-col gap-1">
        <h2 id={`${id}-title`} className="font-semibold">
          Try it
        </h2>
        <p className="text-meta text-muted" data-testid="script-test-kind">
          {live
            ? 'This version is approved: a test is a real run, with the hosts and secrets of its grant.'
            : 'This version is not approved: a test reaches no host. Requests get the answers that you write below, and secrets are made-up words.'}
        </p>
      </div>
      <form className="flex flex-col gap-2" onSubmit={(event) => void submit(event)}>
        <div className="grid grid-cols-2 gap-x-4 max-md:grid-cols-1">
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
          <FieldFrame
            id={`${id}-args`}
            label="Arguments, as a JSON list"
            error={wrong.args}
            hint={entry === '' ? 'Only a function takes arguments.' : undefined}
          >
            <input
              id={`${id}-args`}
              value={args}
              disabled={entry === ''}
              placeholder='["Paris", 3]'
              aria-describedby={`${id}-args-note`}
              aria-invalid={wrong.args ? true : undefined}
              onChange={(event) => setArgs(event.target.value)}
              className={cx(INPUT_CLASS, 'font-mono text-meta')}
              data-testid="script-test-args"
            />
          </FieldFrame>
        </div>
        {!live && (
          <FieldFrame
            id={`${id}-http`}
            label="Answers to its requests, as JSON"
            error={wrong.http}
            hint="A request that is not listed fails as if the host were not there."
          >
            <textarea
              id={`${id}-http`}
              rows={3}
              spellCheck={false}
              value={http}
              placeholder={SAMPLE}
              aria-describedby={`${id}-http-note`}
              aria-invalid={wrong.http ? true : undefined}
              onChange={(event) => setHttp(event.target.value)}
              className={AREA}
              data-testid="script-test-http"
            />
          </FieldFrame>
        )}
        <div>
          <Button type="submit" busy={busy} data-testid="script-test">
            {live ? 'Run it now with its power' : 'Test it without power'}
          </Button>
        </div>
      </form>
      {problem && <Notice tone="stop">{problem}</Notice>}
      {answer && <Result answer={answer} />}
    </section>
  );
}

function Result({ answer }: { readonly answer: ScriptTestAnswer }) {
  const { success, error, result, logs, requests } = answer;
  const at = error?.line === null || error?.line === undefined ? '' : `Line ${error.line}: `;
  return (
    <div className="flex flex-col gap-2" data-testid="script-test-result" data-live={answer.live}>
      <Notice
        tone={success ? 'ok' : 'stop'}
        title={`${success ? 'It ran' : 'It failed'} in ${duration(answer.duration_ms)}, ${answer.live ? 'with its grant' : 'with made-up answers and secrets'}.`}
      >
        {error && <p>{`${at}${error.message}`}</p>}
      </Notice>
      {success && <TextBlock text={JSON.stringify(result, null, 2)} />}
      {logs.length > 0 && (
        <>
          <p className="text-mini font-medium text-muted">What it printed</p>
          <TextBlock text={logs.join('\n')} />
        </>
      )}
      {requests.length > 0 && (
        <>
          <p className="text-mini font-medium text-muted">What it asked for</p>
          <TextBlock
            text={requests
              .map(({ method, url, refused }) => `${method} ${url}${refused ? `: refused, ${refused}` : ''}`)
              .join('\n')}
          />
        </>
      )}
    </div>
  );
}

function parsed(text: string): Json | undefined {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
