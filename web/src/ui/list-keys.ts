import { useEffect, type RefObject } from 'react';

/** Elements that want their keys for themselves. */
function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/**
 * j and k move the focus through the rows of a list (elements with `data-row`), Enter opens the focused one because
 * rows are links or buttons, Escape leaves: `onEscape`, or the focus. Keys in fields and in dialogs are not ours.
 */
export function useListKeys(list: RefObject<HTMLElement | null>, onEscape?: () => void): void {
  useEffect(() => {
    function onKey(event: KeyboardEvent) {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      // The real one: what happens in a shadow tree (the editor) seems to happen at its host.
      if (
        isTyping(event.composedPath()[0] ?? null) ||
        document.querySelector('[role="dialog"],[role="alertdialog"]')
      )
        return;
      const rows = [...(list.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
      const current = rows.findIndex((row) => row.contains(document.activeElement));
      if (event.key === 'j' || event.key === 'k') {
        if (rows.length === 0) return;
        const step = event.key === 'j' ? 1 : -1;
        const next =
          current === -1
            ? step === 1
              ? 0
              : rows.length - 1
            : Math.min(Math.max(current + step, 0), rows.length - 1);
        rows[next]?.focus();
        event.preventDefault();
      } else if (event.key === 'Escape') {
        if (onEscape) onEscape();
        else if (current !== -1) rows[current]?.blur();
      }
    }
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [list, onEscape]);
}
