import { AlertDialog } from '@base-ui/react/alert-dialog';
import { Dialog } from '@base-ui/react/dialog';
import { createContext, useCallback, useContext, useEffect, useRef, useState, type ReactNode } from 'react';
import { explain } from '../api/client.ts';
import { Button, type ButtonTone } from './button.tsx';

const BACKDROP = 'fixed inset-0 z-40 bg-shade';
const POPUP =
  'fixed top-1/2 left-1/2 z-50 flex w-[min(440px,calc(100vw-32px))] max-h-[calc(100dvh-32px)] -translate-x-1/2 -translate-y-1/2 flex-col gap-4 overflow-y-auto rounded-lg border border-line bg-raised p-5 shadow-pop outline-none';

export interface ConfirmProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly title: string;
  /** One sentence with names and numbers, and what undoes it. */
  readonly children: ReactNode;
  /** The act itself: "Delete this conversation", never OK. */
  readonly act: string;
  readonly tone?: ButtonTone;
  readonly onAct: () => Promise<unknown>;
  readonly testId: string;
}

/** Asks before an act that destroys or gives power; stays open and says why when the act fails. */
export function Confirm({
  open,
  onOpenChange,
  title,
  children,
  act,
  tone = 'danger',
  onAct,
  testId,
}: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  async function run() {
    setBusy(true);
    setProblem(null);
    try {
      await onAct();
      onOpenChange(false);
    } catch (error) {
      const { message, fix } = explain(error);
      setProblem(fix ? `${message} ${fix}` : message);
    } finally {
      setBusy(false);
    }
  }
  return (
    <AlertDialog.Root
      open={open}
      onOpenChange={(next) => {
        // What was sent is not taken back by looking away; how it ended is said here.
        if (busy) return;
        setProblem(null);
        onOpenChange(next);
      }}
    >
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={BACKDROP} />
        <AlertDialog.Popup className={POPUP} data-testid={testId}>
          <AlertDialog.Title className="text-[16px] leading-6 font-semibold wrap-anywhere">
            {title}
          </AlertDialog.Title>
          <AlertDialog.Description render={<div />} className="text-body text-muted wrap-anywhere">
            {children}
          </AlertDialog.Description>
          {problem && (
            <p role="alert" className="text-meta text-stop">
              {problem}
            </p>
          )}
          <div className="flex flex-wrap-reverse justify-end gap-2">
            <AlertDialog.Close render={<Button disabled={busy}>Keep things as they are</Button>} />
            <Button tone={tone} busy={busy} onClick={() => void run()} data-testid={`${testId}-act`}>
              {act}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

export interface FormDialogProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly title: string;
  readonly description: string;
  readonly children: ReactNode;
  readonly testId: string;
  /** Whether the focus goes back to what opened it; not where another dialog takes its place. Default: yes. */
  readonly givesFocusBack?: () => boolean;
}

const Hold = createContext<(busy: boolean) => void>(() => undefined);

/** While `busy`, the dialog around stays: what was sent is not taken back by looking away, and how it ends is said there. */
export function useHeldOpen(busy: boolean): void {
  const hold = useContext(Hold);
  useEffect(() => {
    hold(busy);
    return () => hold(false);
  }, [hold, busy]);
}

/** What stands in it is made anew each time it opens: nothing that was typed is kept for the next one. */
export function FormDialog(props: FormDialogProps) {
  const { open, onOpenChange, title, description, children, testId, givesFocusBack } = props;
  const held = useRef(false);
  const hold = useCallback((busy: boolean) => {
    held.current = busy;
  }, []);
  return (
    <Dialog.Root
      open={open}
      onOpenChange={(next) => {
        if (next || !held.current) onOpenChange(next);
      }}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className={BACKDROP} />
        <Dialog.Popup
          className={POPUP}
          data-testid={testId}
          {...(givesFocusBack ? { finalFocus: givesFocusBack } : {})}
        >
          <div className="flex flex-col gap-1">
            <Dialog.Title className="text-[16px] leading-6 font-semibold wrap-anywhere">{title}</Dialog.Title>
            <Dialog.Description className="text-body text-muted">{description}</Dialog.Description>
          </div>
          <Hold value={hold}>{children}</Hold>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** A sheet from the bottom edge, for the phone's "More". */
export function Sheet({
  open,
  onOpenChange,
  title,
  children,
}: {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly title: string;
  readonly children: ReactNode;
}) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Backdrop className={BACKDROP} />
        <Dialog.Popup className="fixed inset-x-0 bottom-0 z-50 flex max-h-[85dvh] flex-col gap-4 overflow-y-auto rounded-t-xl border-t border-line bg-raised p-4 pb-[calc(16px+env(safe-area-inset-bottom))] shadow-pop outline-none">
          <Dialog.Title className="sr-only">{title}</Dialog.Title>
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
