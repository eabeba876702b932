// Guarantees: an import happens whole or not at all: the account, secrets, scripts and schedules, each with its entry in the
// audit log, are one transaction. Every script comes in undecided, whatever the configuration pins or the original approved.
// Values go into the vault through its own door.
// Does not: write files: those of scripts the library writes at the next start, because a version of which the file is
// missing is written out; the others are announced here and written by the composition.
// An attacker may control: what the plan was made from.
import { canonicalJson, type Clock, type Principal, type Redactor } from '../../core/index.ts';
import type { SettingsStore, Transactions } from '../../host/storage/index.ts';
import type { KeptScheduleStore } from '../../host/storage/kept-schedule-store.ts';
import type { ScriptStore } from '../../host/storage/script-store.ts';
import type { UsersStore } from '../../host/storage/users-store.ts';
import type { Audit } from '../audit/index.ts';
import { createImportedAccount } from '../identity/index.ts';
import { createRecorder } from '../scripts/record-version.ts';
import type { SecretVault } from '../secrets/index.ts';
import type { ImportPlan } from './plan.ts';

export interface ApplyDeps {
  readonly database: Transactions;
  readonly users: UsersStore;
  readonly settings: SettingsStore;
  readonly secretVault: Pick<SecretVault, 'create'>;
  readonly scripts: ScriptStore;
  readonly schedules: KeptScheduleStore;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly redactor: Redactor;
}

/**
 * Does what was planned; `besides` belongs to the same transaction. A plan with nothing new changes nothing, the log
 * included. Errors: those of the stores.
 */
export function applyImport(
  plan: ImportPlan,
  deps: ApplyDeps,
  by: Principal,
  besides: () => void = () => undefined,
): void {
  const { database, scripts, schedules, audit, clock, redactor } = deps;
  const { owner } = plan;
  const counts = {
    account: owner !== undefined,
    secrets: plan.secrets.length,
    scripts: plan.scripts.length,
    schedules: plan.schedules.length,
    files: plan.files.length,
    left_out: plan.items.filter(({ state }) => state === 'left_out').length,
  };
  if (plan.items.every(({ state }) => state !== 'new')) return;
  const record = createRecorder({
    store: scripts,
    audit,
    clock,
    redactor,
    autoApprove: new Set(),
    facts: () => {
      throw new Error('only a pinned version is looked into, and none is pinned here');
    },
    // Nobody listens in a workspace in which nothing runs.
    changed: () => undefined,
  });
  const entry = { principal: by, origin: 'cli', outcome: 'ok' } as const;
  database.tx(() => {
    if (owner !== undefined) createImportedAccount(deps)(owner, by);
    for (const { name, value, weak } of plan.secrets) {
      deps.secretVault.create(name, { value, confirmWeak: weak }, by);
    }
    for (const { name, source, message } of plan.scripts) {
      // No file yet: the next look at the folder writes it.
      record(undefined, { name, source, message, how: 'import', by, origin: 'cli' }, '');
    }
    for (const schedule of plan.schedules) {
      schedules.add({
        id: schedule.id,
        name: schedule.name,
        definition: canonicalJson(schedule),
        imported_at: clock.now(),
      });
      audit.append({
        ...entry,
        event: 'schedule.kept',
        target: schedule.id,
        details: { type: schedule.type, enabled_before: schedule.enabled },
      });
    }
    besides();
    audit.append({ ...entry, event: 'import.done', target: 'original', details: counts });
  });
}
