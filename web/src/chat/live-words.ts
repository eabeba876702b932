import { useEffect, useRef, useState } from 'react';
import type { Transcript } from './transcript.ts';

/**
 * What a screen reader is told of a conversation: that something waits, and each answer when it is complete, not each
 * token. Nothing of what was there before the conversation was opened.
 */
export function useLiveWords(transcript: Transcript, ready: boolean, name: string): string {
  const [words, setWords] = useState('');
  const told = useRef<{ items: number; open: number; asks: string } | null>(null);
  useEffect(() => {
    if (!ready) return;
    const pending = transcript.items.flatMap((item) =>
      item.kind === 'tool' && item.ask?.status === 'pending' && !item.result ? [item.ask] : [],
    );
    const now = {
      items: transcript.items.length,
      open: transcript.open.size,
      asks: pending.map((ask) => ask.id).join(),
    };
    const before = told.current;
    told.current = now;
    if (!before) return;
    const newest = pending.at(-1);
    if (newest && now.asks !== before.asks) {
      // oxlint-disable-next-line react/set-state-in-effect -- an event of the conversation becomes one announcement
      setWords(`${name} asks for approval: ${newest.summary}`);
    } else if (before.open > 0 && now.open === 0) {
      const last = transcript.items.findLast((item) => item.kind === 'text' || item.kind === 'error');
      setWords(last && 'content' in last ? `${name}: ${last.content.slice(0, 600)}` : `${name} has stopped.`);
    } else if (before.open === 0 && now.open > 0) {
      setWords(`${name} is working.`);
    }
  }, [transcript, ready, name]);
  return words;
}
