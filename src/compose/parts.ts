import type { AnyTool, Redactor } from '../core/index.ts';
import type { Config } from '../config/index.ts';
import type { VaultPort } from '../edge/admin/ports.ts';
import { createApprovals, type Approvals, type ApprovalsDeps } from '../guard/approvals/index.ts';
import { createBudgets, type Budgets, type BudgetsDeps } from '../guard/budget/index.ts';
import { createGate, type Gate, type GateDeps } from '../guard/gate/index.ts';
import { createIdentity, type Identity, type IdentityDeps } from '../guard/identity/index.ts';
import { defaultRules, type PolicyRule } from '../guard/policy/index.ts';
import {
  createScriptDecisions,
  createScriptLibrary,
  createScriptRuns,
  type DecisionDeps,
  type LibraryDeps,
  type RunsDeps,
  type ScriptDecisions,
  type ScriptLibrary,
  type ScriptRuns,
} from '../guard/scripts/index.ts';
import { createRedactor, type KnownSecretsSource, type Seal } from '../guard/secrets/index.ts';
import { createFileChild, type FileChild, type FileChildDeps } from '../host/files/index.ts';
import {
  createLauncher,
  sweepStrays,
  probeIsolation,
  usersOfChildren,
  type ChildLedger,
  type IsolationReport,
  type Launcher,
  type Users,
} from '../host/process/index.ts';
import type { AgentProgram } from '../engine/adapters/builtin/index.ts';
import { createEgressGuard, type EgressGuard, type EgressGuardDeps } from '../host/net/egress/index.ts';
import { createScriptRunner, type RunnerDeps, type ScriptRunner } from '../sandbox/runner/index.ts';
import { createTools } from '../tools/index.ts';
import type { Layout } from './layout.ts';
import { vaultPort } from './secrets-port.ts';

/**
 * The controls that a composition puts in. The product has one set, below. The attack tests have a second composition
 * root (test/seams, in no package) that leaves single ones out, to show that each is there for a reason.
 */
export interface Parts {
  redactor(known: KnownSecretsSource): Redactor;
  tools(): readonly AnyTool[];
  policyRules(config: Config): readonly PolicyRule[];
  approvals(deps: ApprovalsDeps): Approvals;
  gate(deps: GateDeps): Gate;
  budgets(deps: BudgetsDeps): Budgets;
  /** Calls to the model in one turn, at most. */
  maxSteps(config: Config): number;
  identity(deps: IdentityDeps): Identity;
  launcher(assets: string, ledger: ChildLedger): Launcher;
  /** Ends what an earlier run left behind. */
  sweep(list: string, users: Users | null): ReturnType<typeof sweepStrays>;
  /** The users of children; null: the user of this process. */
  users(): Users | null;
  isolation(assets: string, users: Users | null): Promise<IsolationReport>;
  fileChild(deps: FileChildDeps): FileChild;
  agentProgram(layout: Layout): AgentProgram;
  vaultPort(seal: Seal): VaultPort;
  scriptLibrary(deps: LibraryDeps): ScriptLibrary;
  scriptDecisions(deps: DecisionDeps): ScriptDecisions;
  scriptRuns(deps: RunsDeps): ScriptRuns;
  scriptRunner(deps: RunnerDeps): ScriptRunner;
  egress(deps: EgressGuardDeps): EgressGuard;
}

export const productParts: Parts = {
  redactor: createRedactor,
  tools: createTools,
  policyRules: (config) => defaultRules({ ...config.context, execMode: config.starlark.execMode }),
  approvals: createApprovals,
  gate: createGate,
  budgets: createBudgets,
  maxSteps: (config) => config.engine.maxSteps,
  identity: createIdentity,
  launcher: (assets, ledger) => createLauncher({ assets, ledger }),
  sweep: sweepStrays,
  users: usersOfChildren,
  isolation: (assets, users) => probeIsolation({ assets, users }),
  fileChild: createFileChild,
  agentProgram: (layout) => layout.agent,
  vaultPort,
  scriptLibrary: createScriptLibrary,
  scriptDecisions: createScriptDecisions,
  scriptRuns: createScriptRuns,
  scriptRunner: createScriptRunner,
  egress: createEgressGuard,
};
