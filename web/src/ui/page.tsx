import { useEffect, type ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { systemStatus, waitingFor } from '../api/queries.ts';
import { cx } from './class-names.ts';

/** Sets the document's title; what waits for the person comes first, because tabs are narrow. */
export function usePageTitle(title: string): void {
  const waiting = waitingFor(useQuery({ ...systemStatus, enabled: false }).data);
  useEffect(() => {
    document.title = `${waiting > 0 ? `(${waiting}) ` : ''}${title} · OpenPact`;
  }, [title, waiting]);
}

export interface PageProps {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly wide?: boolean;
}

/** The frame of every page but the chat. */
export function Page({ title, lead, actions, children, wide = false }: PageProps) {
  usePageTitle(title);
  return (
    <div className="h-full overflow-y-auto">
      <div
        className={cx(
          'relative mx-auto flex flex-col gap-6 px-8 py-8 max-md:px-4 max-md:py-5',
          wide ? 'max-w-[1080px]' : 'max-w-[800px]',
        )}
      >
        <header className="flex items-start justify-between gap-4">
          <div className="flex min-w-0 flex-col gap-1">
            <h1 className="text-title font-semibold wrap-anywhere">{title}</h1>
            {lead && <p className="text-body text-muted">{lead}</p>}
          </div>
          {actions}
        </header>
        {children}
      </div>
    </div>
  );
}

/** A place where something will be: says what this is for and the first thing to do. */
export function Empty({
  icon,
  title,
  children,
  action,
}: {
  readonly icon: ReactNode;
  readonly title: string;
  readonly children: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-2 px-6 py-12 text-center">
      <div className="text-faint">{icon}</div>
      <p className="font-medium">{title}</p>
      <p className="max-w-[420px] text-meta text-muted">{children}</p>
      {action && <div className="mt-2">{action}</div>}
    </div>
  );
}

/** Grey rows where a list will be, of the height that its rows have. */
export function SkeletonRows({ count, className }: { readonly count: number; readonly className: string }) {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col">
      {Array.from({ length: count }, (_, index) => (
        <div key={index} className={cx('flex items-center gap-3', className)}>
          <div className={cx('skeleton h-3', ['w-2/5', 'w-3/5', 'w-1/2', 'w-1/3'][index % 4])} />
        </div>
      ))}
    </div>
  );
}
