import { useEffect, type RefObject } from 'react';

/** On a focused card of a list: x marks it, Enter goes to the first of its buttons (a second Enter presses that). */
export function useCardKeys(list: RefObject<HTMLElement | null>, mark: (id: string) => void): void {
  useEffect(() => {
    const element = list.current;
    if (element === null) return;
    function onKey(event: KeyboardEvent) {
      const card = event.target;
      if (!(card instanceof HTMLElement) || card.dataset['row'] === undefined) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'x') {
        mark(card.dataset['approval'] ?? '');
        event.preventDefault();
      } else if (event.key === 'Enter') {
        card.querySelector<HTMLElement>('footer a[href], footer button:not(:disabled)')?.focus();
        event.preventDefault();
      }
    }
    element.addEventListener('keydown', onKey);
    return () => element.removeEventListener('keydown', onKey);
  });
}
