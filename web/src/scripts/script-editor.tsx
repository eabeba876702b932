import { useEffect, useRef, useState } from 'react';
import type { Script } from '../api/types.ts';
import { CodeDiff } from '../code/code-diff.tsx';
import { CodeEditor } from '../code/code-editor.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { Unsaved } from '../ui/unsaved.tsx';
import type { ScriptAct } from './use-script-act.ts';

const SAVE = 'Save as a new version';

/** The owner's own change: a new version, which waits for approval like any other. `now`: what stands there meanwhile. */
export function ScriptEditor({
  script,
  now,
  act,
  onClose,
}: {
  readonly script: Script;
  readonly now: Script;
  readonly act: ScriptAct;
  readonly onClose: () => void;
}) {
  const [start, setStart] = useState(script.source);
  const [text, setText] = useState(script.source);
  /** The version that a save takes the place of. */
  const [over, setOver] = useState(script);
  const [leaving, setLeaving] = useState(false);
  /** What was tried last: its mistakes are no longer those of a text that was changed since. */
  const [tried, setTried] = useState<string | null>(null);
  const dirty = text !== over.source;
  const meanwhile = now.hash !== over.hash;
  const ready = dirty && !meanwhile && act.busy === null;
  const written = useRef(text);
  useEffect(() => {
    written.current = text;
  }, [text]);
  async function save() {
    if (!ready) return;
    setTried(text);
    const changed = await act.run({
      method: 'PUT',
      path: '',
      body: { source: text, hash: over.hash },
      hash: over.hash,
      done: 'Saved. Only text that you approved runs.',
      act: SAVE,
    });
    if (!changed) return;
    // What was written while it was on its way is not in it.
    if (written.current === text) onClose();
    else setOver(changed);
  }
  function take() {
    if (!dirty) {
      setStart(now.source);
      setText(now.source);
    }
    setOver(now);
  }
  return (
    <div className="flex flex-col gap-3">
      <CodeEditor
        start={start}
        onChange={setText}
        onSave={() => void save()}
        mistakes={act.mistakes}
        label={`The code of ${script.name}`}
        testId="script-text"
      />
      {act.mistakes.length > 0 && tried === text && (
        <Notice tone="stop" title="Nothing was saved: the text has mistakes" testId="script-mistakes">
          <ul>
            {act.mistakes.map(({ line, message }) => (
              <li key={`${line} ${message}`}>{`Line ${line}: ${message}`}</li>
            ))}
          </ul>
        </Notice>
      )}
      {meanwhile && (
        <Notice
          tone="ask"
          title="It was changed meanwhile"
          testId="script-meanwhile"
          action={
            <Button small onClick={take} data-testid="script-meanwhile-take">
              {dirty ? 'I have seen it: change the newer text' : 'Change the newer text'}
            </Button>
          }
        >
          {dirty
            ? `Below is what your text would change in the newest version, ${now.hash.slice(7, 19)}.`
            : `You have written nothing here yet. The newest version is ${now.hash.slice(7, 19)}.`}
        </Notice>
      )}
      <div className="flex flex-wrap items-center gap-2">
        <Button
          tone="primary"
          busy={act.busy === SAVE}
          disabled={!ready}
          onClick={() => void save()}
          data-testid="script-save"
        >
          {SAVE}
        </Button>
        <Button
          disabled={act.busy !== null}
          onClick={() => (dirty ? setLeaving(true) : onClose())}
          data-testid="script-discard"
        >
          {dirty ? 'Discard what I wrote' : 'Back'}
        </Button>
        {!dirty && <p className="text-mini text-faint">Nothing is changed yet.</p>}
      </div>
      {dirty && (
        <CodeDiff
          before={now.source}
          after={text}
          label="What your text changes"
          testId="script-draft-diff"
        />
      )}
      <Unsaved
        dirty={dirty}
        leaving={leaving}
        onStay={() => setLeaving(false)}
        onDiscard={onClose}
        testId="script-discard-dialog"
      >
        Your changes to {script.name} are not saved. Nothing brings them back.
      </Unsaved>
    </div>
  );
}
