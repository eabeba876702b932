import { useEffect, useRef } from 'react';

/** Milliseconds in which a dialog has closed and what the act took away is gone. */
const OVER = 150;

/**
 * Where the focus goes when an act took away what had it: without this the keyboard begins at the top of the page again.
 * `busy`: the act is under way. Nothing moves where the focus is somewhere.
 */
export function useFocusAfter(place: () => HTMLElement | null, busy: boolean): void {
  const find = useRef(place);
  const was = useRef(false);
  useEffect(() => {
    find.current = place;
  });
  useEffect(() => {
    const over = was.current && !busy;
    was.current = busy;
    if (!over) return undefined;
    const timer = window.setTimeout(() => {
      if (document.activeElement === null || document.activeElement === document.body)
        find.current()?.focus({ preventScroll: true });
    }, OVER);
    return () => window.clearTimeout(timer);
  }, [busy]);
}
