import { useLayoutEffect, useRef, type RefObject } from 'react';

/** Once `settled`, an element stays as high as it was before, so that nothing below it moves up under a finger. */
export function useKeptHeight(settled: boolean): RefObject<HTMLElement | null> {
  const element = useRef<HTMLElement>(null);
  const last = useRef(0);
  useLayoutEffect(() => {
    if (!element.current) return;
    if (!settled) last.current = element.current.offsetHeight;
    else if (last.current > 0) element.current.style.minHeight = `${last.current}px`;
  });
  return element;
}
