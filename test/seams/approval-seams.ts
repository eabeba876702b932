/** Requests for approval with single controls left out. */
import type { Parts } from '../../src/compose/parts.ts';

/**
 * `approval-shown`: a decision is not compared with what was shown. `approval-look`: who decides takes every request for one
 * that waits. `approval-once`: the database does not say who was first.
 */
export const APPROVAL_SEAMS = ['approval-shown', 'approval-look', 'approval-once'] as const;
type ApprovalSeam = (typeof APPROVAL_SEAMS)[number];

export function weakenedApprovals(
  product: Parts,
  without: (seam: ApprovalSeam) => boolean,
): Pick<Parts, 'approvals'> {
  return {
    approvals(deps) {
      let deciding = false;
      const { store } = deps;
      const approvals = product.approvals({
        ...deps,
        store: {
          ...store,
          get(id) {
            const row = store.get(id);
            return row && deciding && without('approval-look') ? { ...row, status: 'pending' } : row;
          },
          decide: (id, decision) => store.decide(id, decision) || (without('approval-once') ? 1 : 0),
        },
      });
      return {
        ...approvals,
        decide(id, act, by, { digest, reason }) {
          deciding = true;
          try {
            return approvals.decide(id, act, by, {
              ...(digest === undefined || without('approval-shown') ? {} : { digest }),
              ...(reason === undefined ? {} : { reason }),
            });
          } finally {
            deciding = false;
          }
        },
      };
    },
  };
}
