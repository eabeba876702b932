import { useState } from 'react';
import { call, CallError, explain } from '../api/client.ts';
import { placeApproval, refreshApprovals } from '../api/queries.ts';
import type { Approval, InboxList } from '../api/types.ts';
import { statusText } from './status-text.ts';

export interface Decision {
  readonly busy: 'approve' | 'deny' | null;
  readonly problem: string | null;
  /** The server wants the password for this act. */
  readonly stepUp: { readonly problem: string | null } | null;
  readonly approve: (password?: string) => Promise<void>;
  readonly deny: (reason: string) => Promise<void>;
  readonly cancelStepUp: () => void;
}

/** Sends one decision. Approving names the digest that is on the screen, so that nothing else can be approved. */
export function useDecision(approval: Approval | null): Decision {
  const [busy, setBusy] = useState<'approve' | 'deny' | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [stepUp, setStepUp] = useState<{ readonly problem: string | null } | null>(null);

  function text(error: unknown): string {
    const { message, fix } = explain(error);
    return fix ? `${message} ${fix}` : message;
  }

  async function decide(act: 'approve' | 'deny', body: Record<string, string>): Promise<void> {
    if (!approval) return;
    setBusy(act);
    setProblem(null);
    const withPassword = 'password' in body;
    try {
      const answer = await call<Approval | undefined>(
        'POST',
        `/api/approvals/${encodeURIComponent(approval.id)}/${act}`,
        { body, bodyHasPassword: withPassword },
      );
      setStepUp(null);
      if (answer && answer.id === approval.id && answer.status !== 'pending') placeApproval(answer);
      refreshApprovals();
    } catch (error) {
      if (error instanceof CallError && error.status === 403 && error.code === 'step_up_required') {
        setStepUp({ problem: withPassword ? text(error) : null });
      } else if (withPassword && error instanceof CallError && [400, 401, 403, 429].includes(error.status)) {
        setStepUp({
          problem: error.retryAfter ? `${text(error)} Wait ${error.retryAfter} s.` : text(error),
        });
      } else if (error instanceof CallError && error.status === 409) {
        setStepUp(null);
        setProblem(await whatHappened(approval.id, text(error)));
      } else {
        setStepUp(null);
        setProblem(text(error));
      }
    } finally {
      setBusy(null);
    }
  }

  return {
    busy,
    problem,
    stepUp,
    approve: (password) =>
      decide('approve', {
        ...(approval ? { digest: approval.digest } : {}),
        ...(password === undefined ? {} : { password }),
      }),
    deny: (reason) => decide('deny', reason.trim() === '' ? {} : { reason: reason.trim() }),
    cancelStepUp: () => setStepUp(null),
  };
}

/** Somebody else was first, or the request is another one now: says which. */
async function whatHappened(id: string, fallback: string): Promise<string> {
  try {
    const { approvals } = await call<InboxList>('GET', `/api/approvals?ids=${encodeURIComponent(id)}`);
    refreshApprovals();
    const [now] = approvals;
    if (now?.kind !== 'script' && now?.status !== undefined && now.status !== 'pending') {
      placeApproval(now);
      return `Your decision came too late. ${statusText(now)}`;
    }
    return fallback;
  } catch {
    return fallback;
  }
}
