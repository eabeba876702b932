import { useEffect, useState } from 'react';

/** Milliseconds in which nobody can have read what has just appeared. */
const UNREAD = 700;

/** False for a moment after something has appeared: a click that was meant for what stood there before decides nothing. */
export function useArmed(): boolean {
  const [armed, setArmed] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setArmed(true), UNREAD);
    return () => window.clearTimeout(timer);
  }, []);
  return armed;
}

/** The same for what stands there and becomes something else: false for a moment after `what` is another one. */
export function useArmedFor(what: number): boolean {
  const [read, setRead] = useState(what);
  useEffect(() => {
    const timer = window.setTimeout(() => setRead(what), UNREAD);
    return () => window.clearTimeout(timer);
  }, [what]);
  return read === what;
}
