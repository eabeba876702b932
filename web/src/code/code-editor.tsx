import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import {
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { useCallback, useEffect, useRef } from 'react';
import { asStarlark, shownExactly, writable } from './code-setup.ts';
import { mistakesAt, setMistakes, type Mistake } from './mistakes.ts';
import { useCodeMirror } from './use-code-mirror.ts';

/**
 * Text that takes the place of coloured text goes through the editor: the browser itself would wrap it in an element with
 * a style of its own, which the page's policy refuses.
 */
const typedOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    if (event.inputType !== 'insertText' || event.data === null || view.composing) return false;
    if (view.state.selection.main.empty) return false;
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(event.data), { scrollIntoView: true, userEvent: 'input.type' });
    return true;
  },
});

/** Tab moves on, as everywhere on the page: nobody is caught in here. Control with ] and [ moves lines in and out. */
export function CodeEditor({
  start,
  onChange,
  onSave,
  mistakes,
  label,
  testId,
}: {
  /** The text at the beginning; a later one makes the editor anew. */
  readonly start: string;
  readonly onChange: (text: string) => void;
  readonly onSave: () => void;
  readonly mistakes: readonly Mistake[];
  readonly label: string;
  readonly testId: string;
}) {
  const acts = useRef({ onChange, onSave });
  const view = useRef<EditorView | null>(null);
  useEffect(() => {
    acts.current = { onChange, onSave };
  });
  const make = useCallback(
    () => [
      shownExactly,
      asStarlark,
      lineNumbers(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      history(),
      keymap.of([
        {
          key: 'Mod-s',
          preventDefault: true,
          run: () => {
            acts.current.onSave();
            return true;
          },
        },
        ...defaultKeymap,
        ...historyKeymap,
      ]),
      writable(label, testId),
      mistakesAt([]),
      typedOver,
      EditorView.updateListener.of((update) => {
        if (update.docChanged) acts.current.onChange(update.state.doc.toString());
      }),
    ],
    [label, testId],
  );
  const host = useCodeMirror(start, make, (made) => {
    view.current = made;
    // The person has just asked for it.
    made.focus();
  });
  useEffect(() => {
    const first = mistakes[0];
    if (!view.current) return;
    view.current.dispatch({ effects: setMistakes.of(mistakes) });
    if (first === undefined) return;
    const { doc } = view.current.state;
    const { from } = doc.line(Math.min(Math.max(1, first.line), doc.lines));
    view.current.dispatch({ selection: { anchor: from }, scrollIntoView: true });
    view.current.focus();
  }, [mistakes]);
  return (
    <div className="flex flex-col gap-2">
      <div ref={host} className="code-host" />
      <p className="text-mini text-muted">
        Tab moves on to the buttons. Control+] and Control+[ move a line in and out, Control+S saves.
      </p>
    </div>
  );
}
