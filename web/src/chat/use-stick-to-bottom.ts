import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from 'react';

const NEAR = 48;

export interface Stick {
  readonly scroller: RefObject<HTMLDivElement | null>;
  /** Something new came while the reader was further up. */
  readonly unseen: boolean;
  readonly toBottom: () => void;
  readonly onScroll: () => void;
}

/**
 * Keeps the newest in view for a reader who is at the bottom, and leaves every other reader where they are. `version`
 * changes when events arrive; opening a row does not change it, so a row that opens grows downwards in place.
 */
export function useStickToBottom(version: unknown, ready: boolean): Stick {
  const scroller = useRef<HTMLDivElement>(null);
  const atBottom = useRef(true);
  const [unseen, setUnseen] = useState(false);

  const toBottom = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    element.scrollTop = element.scrollHeight;
    atBottom.current = true;
    setUnseen(false);
  }, []);

  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    atBottom.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    if (atBottom.current) setUnseen(false);
  }, []);

  useLayoutEffect(() => {
    if (!ready) return;
    if (atBottom.current) toBottom();
    // Says that there is something below; the state is the effect's very purpose.
    // oxlint-disable-next-line react/set-state-in-effect
    else setUnseen(true);
  }, [version, ready, toBottom]);

  // A composer that grows, a card above it, a turned phone: the visible part shrinks and the bottom stays the bottom.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      if (atBottom.current) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  return { scroller, unseen, toBottom, onScroll };
}
