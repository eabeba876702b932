import { useId, useState } from 'react';
import type { Script } from '../api/types.ts';
import { DiffView } from '../identity/diff-view.tsx';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { INPUT_CLASS } from '../ui/field.tsx';
import type { ScriptAct } from './use-script-act.ts';

/** The owner's own change: a new version, which waits for approval like any other. */
export function ScriptEditor({
  script,
  act,
  onClose,
}: {
  readonly script: Script;
  readonly act: ScriptAct;
  readonly onClose: () => void;
}) {
  const id = useId();
  const [text, setText] = useState(script.source);
  const dirty = text !== script.source;
  async function save() {
    const changed = await act.run({
      method: 'PUT',
      path: '',
      body: { source: text, hash: script.hash },
      done: 'Saved. Only text that you approved runs.',
      act: 'Save as a new version',
    });
    if (changed) onClose();
  }
  return (
    <div className="flex flex-col gap-3">
      <label htmlFor={id} className="sr-only">
        The code of {script.name}
      </label>
      <textarea
        id={id}
        rows={20}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        // The person has just asked for this field.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        value={text}
        onChange={(event) => setText(event.target.value)}
        className={cx(INPUT_CLASS, 'h-auto max-md:h-auto resize-y py-2 font-mono text-meta')}
        data-testid="script-text"
      />
      <div className="flex flex-wrap items-center gap-2">
        <Button
          tone="primary"
          busy={act.busy === 'Save as a new version'}
          disabled={!dirty || act.busy !== null}
          onClick={() => void save()}
          data-testid="script-save"
        >
          Save as a new version
        </Button>
        <Button disabled={act.busy !== null} onClick={onClose}>
          {dirty ? 'Discard' : 'Back'}
        </Button>
      </div>
      {dirty && <DiffView before={script.source} after={text} testId="script-draft-diff" />}
    </div>
  );
}
