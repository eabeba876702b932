// Guarantees: each decision of a batch covers what was shown (its digest is compared), is stored for itself with its own
// entry in the audit log, and is told for itself: one that fails takes no other with it. The password is asked for once,
// before the first. No script is approved here: there is no way to.
// An attacker may control: the ids, digests and reasons, with a stolen page session; when requests end by themselves.
import { AppError, errorText, type Log } from '../core/index.ts';
import type { BatchDecision, BatchRequest, BatchResult } from '../edge/admin/inbox-api.ts';
import type { Actor, ApprovalsPort } from '../edge/admin/ports.ts';
import type { Approvals } from '../guard/approvals/index.ts';
import type { StepUp } from '../guard/identity/index.ts';
import type { ScriptVersionEnd } from '../host/storage/script-store.ts';
import type { Scripts } from './scripts.ts';

export interface BatchDeps {
  readonly approvals: Approvals;
  readonly scripts: Pick<Scripts, 'store'> & { readonly decisions: Pick<Scripts['decisions'], 'reject'> };
  /** Where approving asks for the password again. */
  readonly stepUp: StepUp | undefined;
  readonly log: Log;
}

/** Why a version does not wait any more. */
const ENDED: Readonly<Record<ScriptVersionEnd, string>> = {
  approved: 'This version was approved already.',
  denied: 'This version was rejected already.',
  superseded: 'A newer version took its place.',
  cancelled: 'Its script was deleted.',
  kept: 'This text was decided on before.',
};

export function decideBatch({ approvals, scripts, stepUp, log }: BatchDeps): ApprovalsPort['batch'] {
  function decideCall({ id, digest, decision, reason }: BatchDecision, actor: Actor): BatchResult {
    const row = approvals.decide(id, decision, actor.principal, {
      digest,
      ...(reason === undefined ? {} : { reason }),
    });
    return { id, outcome: 'done', message: row.status, status: row.status };
  }

  async function rejectScript({ id, digest, reason }: BatchDecision, actor: Actor): Promise<BatchResult> {
    // One spelling for each: an id is not decided on twice in a batch.
    const number = /^scv_([1-9]\d{0,14})$/.exec(id)?.[1];
    const version = number === undefined ? undefined : scripts.store.version(Number(number));
    if (version === undefined) throw missing();
    if (version.hash !== digest)
      throw new AppError({
        family: 'conflict',
        code: 'digest_mismatch',
        message: 'The version is not the one that was shown.',
      });
    const { ended_how: how } = version;
    if (how !== null)
      return {
        id,
        outcome: how === 'superseded' ? 'changed' : 'already_decided',
        message: ENDED[how],
        status: how === 'kept' ? null : how,
      };
    // It waits, so it is the newest of its script: nothing comes between that look and the act.
    await scripts.decisions.reject(version.name, { hash: version.hash, reason }, actor.principal);
    return { id, outcome: 'done', message: 'denied', status: 'denied' };
  }

  function refused(id: string, error: unknown): BatchResult {
    if (!(error instanceof AppError)) {
      // A fault of ours; what was decided before it stands, and has to be told.
      log.error('a decision of a batch failed', { approval: id, problem: errorText(error) });
      return {
        id,
        outcome: 'failed',
        message: 'OpenPact made a mistake; nothing was decided.',
        status: null,
      };
    }
    const known = approvals.get(id)?.status ?? null;
    const fields = {
      id,
      message: error.fix ? `${error.message} ${error.fix}` : error.message,
      status: known,
    };
    switch (error.code) {
      case 'not_found':
        return { ...fields, outcome: 'not_found' };
      case 'digest_mismatch':
      case 'script_changed':
        return { ...fields, outcome: 'changed' };
      case 'already_decided':
        return { ...fields, outcome: known === 'expired' ? 'expired' : 'already_decided' };
      default:
        return { ...fields, outcome: 'failed' };
    }
  }

  return async ({ decisions, password }: BatchRequest, actor) => {
    if (decisions.some(({ decision }) => decision === 'approve'))
      await stepUp?.requireStepUp({
        principal: actor.principal,
        address: actor.address,
        act: 'approval.approve',
        password,
      });
    const results: BatchResult[] = [];
    for (const each of decisions) {
      try {
        if (!each.id.startsWith('scv_')) results.push(decideCall(each, actor));
        else if (each.decision === 'approve') throw noScript();
        else results.push(await rejectScript(each, actor));
      } catch (error) {
        results.push(refused(each.id, error));
      }
    }
    return { results };
  };
}

function missing(): AppError {
  return new AppError({ family: 'missing', code: 'not_found', message: 'There is no such version.' });
}

/** The API refuses it before; this holds whoever calls. */
function noScript(): AppError {
  return new AppError({
    family: 'input',
    code: 'script_not_here',
    message: 'A script is approved where its text and its power stand.',
    fix: 'Open the script.',
  });
}
