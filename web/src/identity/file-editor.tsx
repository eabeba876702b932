import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useRef, useState } from 'react';
import { call, CallError, explain } from '../api/client.ts';
import { identityFiles, identityText, place, queryClient } from '../api/queries.ts';
import type { IdentityText } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { INPUT_CLASS } from '../ui/field.tsx';
import { Behind, Notice, Problem } from '../ui/notice.tsx';
import { SkeletonRows } from '../ui/page.tsx';
import { Unsaved } from '../ui/unsaved.tsx';
import { DiffView } from './diff-view.tsx';
import { Versions } from './versions.tsx';

/** One file: its text, what would change, and its versions. */
export function FileEditor({ path }: { readonly path: string }) {
  const { data, error, refetch, isFetching, dataUpdatedAt } = useQuery(identityText(path));
  if (error && !data) {
    return (
      <Problem
        error={error}
        what={`${path} could not be read.`}
        busy={isFetching}
        onRetry={() => void refetch()}
      />
    );
  }
  if (!data) return <SkeletonRows count={8} className="h-8" />;
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <Behind error={error} since={dataUpdatedAt} what={path} />
      <Editor path={path} current={data} />
    </div>
  );
}

function Editor({ path, current }: { readonly path: string; readonly current: IdentityText }) {
  const id = useId();
  const [typed, setDraft] = useState<{ readonly text: string; readonly over: IdentityText } | null>(null);
  /** What is written here, and over which text; null while nothing is changed: then what stands there is shown. */
  const draft = typed !== null && typed.text !== typed.over.text ? typed : null;
  const [showDiff, setShowDiff] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  /** What was done, and which text stands there since; of a later one it says nothing. */
  const [saved, setSaved] = useState<{ readonly words: string; readonly digest: string | null } | null>(null);
  const text = draft?.text ?? current.text;
  const dirty = draft !== null;
  const meanwhile = draft !== null && draft.over.digest !== current.digest;
  const written = useRef(text);
  useEffect(() => {
    written.current = text;
  }, [text]);

  /**
   * `sent`: the text that is saved; what else stands in the field by then stays a draft, over the new text. Null: a version
   * is restored, which leaves every draft as it is; why it failed is said where it was asked for.
   */
  async function act(words: string, sent: string | null, request: () => Promise<IdentityText>) {
    setBusy(true);
    setProblem(null);
    setSaved(null);
    try {
      const answer = await request();
      place(identityText(path).queryKey, answer);
      void queryClient.invalidateQueries(identityFiles);
      if (sent !== null) {
        setDraft(written.current === sent ? null : { text: written.current, over: answer });
        setShowDiff(false);
      }
      setSaved({ words, digest: answer.digest });
    } catch (failure) {
      // The draft stays; what stands there now is shown beside it.
      if (failure instanceof CallError && failure.status === 409)
        void queryClient.invalidateQueries(identityText(path));
      if (sent === null) throw failure;
      const { message, fix } = explain(failure);
      setProblem(fix ? `${message} ${fix}` : message);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div className="flex min-w-0 flex-col gap-4">
      <div className="flex flex-col gap-2">
        <label htmlFor={id} className="font-mono text-meta font-medium">
          {path}
        </label>
        {current.digest === null && draft === null && (
          <Notice>There is no such file now. Write it, or restore a version below.</Notice>
        )}
        <textarea
          id={id}
          rows={18}
          spellCheck
          value={text}
          onChange={(event) => {
            setSaved(null);
            setDraft({ text: event.target.value, over: draft?.over ?? current });
          }}
          className={cx(INPUT_CLASS, 'h-auto max-md:h-auto resize-y py-2 font-mono text-meta')}
          data-testid="identity-text"
        />
        {meanwhile && (
          <Notice
            tone="ask"
            title="It was changed meanwhile"
            testId="identity-conflict"
            action={
              <Button
                small
                onClick={() => setDraft({ text, over: current })}
                data-testid="identity-conflict-take"
              >
                I have seen it: change the new text
              </Button>
            }
          >
            <p>Below is what your text would change in the file as it is now.</p>
          </Notice>
        )}
        {problem && <Notice tone="stop">{problem}</Notice>}
        {saved && saved.digest === current.digest && <Notice tone="ok">{saved.words}</Notice>}
        <div className="flex flex-wrap items-center gap-2">
          <Button
            tone="primary"
            busy={busy}
            disabled={!dirty || meanwhile}
            onClick={() =>
              void act('Saved. It counts from the next message.', text, () =>
                call<IdentityText>('PUT', '/api/identity/file', {
                  body: { path, text, digest: draft?.over.digest ?? null },
                }),
              )
            }
            data-testid="identity-save"
          >
            {`Save ${path}`}
          </Button>
          {dirty && <Button onClick={() => setDraft(null)}>Discard</Button>}
          {dirty && !meanwhile && (
            <Button tone="quiet" aria-pressed={showDiff} onClick={() => setShowDiff(!showDiff)}>
              {showDiff ? 'Hide what changes' : 'Show what changes'}
            </Button>
          )}
        </div>
        {dirty && (showDiff || meanwhile) && <DiffView before={current.text} after={text} />}
      </div>
      <Versions
        current={current}
        busy={busy}
        onRestore={(version) =>
          act('Restored. It counts from the next message.', null, () =>
            call<IdentityText>('POST', '/api/identity/restore', {
              body: { path, version, digest: current.digest },
            }),
          )
        }
      />
      <Unsaved dirty={dirty} testId="identity-discard-dialog">
        Your changes to {path} are not saved. Nothing brings them back.
      </Unsaved>
    </div>
  );
}
