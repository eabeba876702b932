import { useBlocker } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Confirm } from './dialog.tsx';

/** Asks before the page is left while something is written and not saved; a tab that is closed is asked about by the browser. */
export function Unsaved({
  dirty,
  children,
  leaving = false,
  onStay,
  onDiscard,
  testId,
}: {
  readonly dirty: boolean;
  /** What would be lost. */
  readonly children: ReactNode;
  /** Asked for by a button on the page itself; then `onDiscard` gives it up. */
  readonly leaving?: boolean;
  readonly onStay?: () => void;
  readonly onDiscard?: () => void;
  readonly testId: string;
}) {
  const blocker = useBlocker({
    shouldBlockFn: () => dirty,
    enableBeforeUnload: () => dirty,
    withResolver: true,
  });
  const blocked = blocker.status === 'blocked';
  return (
    <Confirm
      open={leaving || blocked}
      onOpenChange={(open) => {
        if (open) return;
        onStay?.();
        blocker.reset?.();
      }}
      title="Discard what you wrote?"
      act="Discard what I wrote"
      onAct={async () => (blocked ? blocker.proceed() : onDiscard?.())}
      testId={testId}
    >
      {children}
    </Confirm>
  );
}
