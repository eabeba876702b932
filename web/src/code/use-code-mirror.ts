import { EditorState, type Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { useEffect, useRef, type RefObject } from 'react';

/**
 * A view in a shadow tree of its own: there CodeMirror puts its styles into a sheet that the tree adopts. In the document
 * it would make a `<style>` element, which the page's policy refuses. `make` anew: the view is made anew.
 */
export function useCodeMirror(
  text: string,
  make: () => Extension,
  onView?: (view: EditorView) => void,
): RefObject<HTMLDivElement | null> {
  const host = useRef<HTMLDivElement>(null);
  const ready = useRef(onView);
  useEffect(() => {
    ready.current = onView;
  });
  useEffect(() => {
    if (!host.current) return undefined;
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' });
    const view = new EditorView({
      state: EditorState.create({ doc: text, extensions: make() }),
      parent: root,
      root,
    });
    ready.current?.(view);
    return () => view.destroy();
  }, [text, make]);
  return host;
}
