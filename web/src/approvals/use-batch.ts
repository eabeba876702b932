import { useState } from 'react';
import { call, CallError, explain } from '../api/client.ts';
import { refreshApprovals } from '../api/queries.ts';
import type { BatchAnswer, BatchDecision, BatchResult } from '../api/types.ts';

export interface Batch {
  readonly busy: boolean;
  readonly problem: string | null;
  /** The server wants the password for this act. */
  readonly stepUp: { readonly problem: string | null } | null;
  readonly results: readonly BatchResult[] | null;
  readonly send: (
    decisions: readonly BatchDecision[],
    password?: string,
  ) => Promise<readonly BatchResult[] | undefined>;
}

/** Sends decisions in one act. Each names the digest that was on the screen. */
export function useBatch(): Batch {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [stepUp, setStepUp] = useState<Batch['stepUp']>(null);
  const [results, setResults] = useState<readonly BatchResult[] | null>(null);

  async function send(decisions: readonly BatchDecision[], password?: string) {
    setBusy(true);
    setProblem(null);
    const withPassword = password !== undefined;
    try {
      const answer = await call<BatchAnswer>('POST', '/api/approvals/batch', {
        body: { decisions, ...(withPassword ? { password } : {}) },
        bodyHasPassword: withPassword,
      });
      setStepUp(null);
      setResults(answer.results);
      refreshApprovals();
      return answer.results;
    } catch (error) {
      const { message, fix } = explain(error);
      const text = fix ? `${message} ${fix}` : message;
      if (error instanceof CallError && error.code === 'step_up_required') {
        setStepUp({ problem: withPassword ? text : null });
      } else if (withPassword && error instanceof CallError && [401, 403, 429].includes(error.status)) {
        setStepUp({ problem: error.retryAfter ? `${text} Wait ${error.retryAfter} s.` : text });
      } else {
        setProblem(text);
      }
      return undefined;
    } finally {
      setBusy(false);
    }
  }

  return { busy, problem, stepUp, results, send };
}

/** What became of one that was not decided as asked, as a sentence. */
export function resultText({ outcome, message, status }: BatchResult): string {
  switch (outcome) {
    case 'done':
      return status === 'approved' ? 'Approved.' : 'Denied.';
    case 'changed':
      return `Not decided. ${message}`;
    case 'already_decided':
    case 'expired':
    case 'not_found':
    case 'failed':
      return message;
  }
}
