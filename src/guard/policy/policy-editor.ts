// Guarantees: the owner's rules are changed only by somebody who shows the password with the change; a rule that names what
// is not there, or that a hard limit forbids, is refused and nothing is stored.
// Does not: judge whether a choice is wise. An attacker may control: the whole change (a stolen session sends one).
import { AppError, type AnyTool, type Origin } from '../../core/index.ts';
import type { StepUp } from '../identity/index.ts';
import type { OwnerRule, OwnerRules, OwnerRulesState } from './owner-rules.ts';
import { isLooser, RESOURCES, type Decision, type Policy } from './policy.ts';

/** One square of the table: what is answered when this tool is asked for on this class of targets from there. */
export interface PolicyCell {
  readonly tool: string;
  readonly resource: string;
  readonly origin: Origin;
  readonly decision: Decision;
  readonly rule: string;
  readonly because: string;
  readonly shipped: Decision;
  /** What the owner may choose. */
  readonly choices: readonly Decision[];
  /** Why the other choices are not there. */
  readonly limit: string | null;
}

export interface PolicyEditor {
  state(): OwnerRulesState;
  cells(): readonly PolicyCell[];
  /**
   * Errors: `policy_unknown_rule`, `policy_twice`, `policy_limit` (input), `step_up_required`, `wrong_password`
   * (forbidden), `policy_changed` (conflict).
   */
  change(
    change: {
      readonly rules: readonly OwnerRule[];
      readonly digest: string;
      readonly password?: string | undefined;
    },
    actor: Pick<Parameters<StepUp['requireStepUp']>[0], 'principal' | 'address'>,
  ): Promise<void>;
}

export interface PolicyEditorDeps {
  readonly policy: Policy;
  readonly owner: OwnerRules;
  readonly tools: readonly AnyTool[];
  /** From where calls can come in this version. */
  readonly origins: readonly Origin[];
  readonly stepUp: StepUp;
}

const DECISIONS = ['allow', 'ask', 'deny'] as const;

export function createPolicyEditor(deps: PolicyEditorDeps): PolicyEditor {
  const { policy, owner, tools, origins, stepUp } = deps;
  const questions = origins.flatMap((origin) =>
    tools.flatMap((tool) =>
      (tool.resources ?? RESOURCES).map((resource) => ({ tool: tool.name, resource, origin })),
    ),
  );

  function mustBePossible(rules: readonly OwnerRule[]): void {
    const seen = new Set<string>();
    for (const { tool, resource, origin, decision } of rules) {
      const name = `${tool} on ${resource} from ${origin}`;
      const question = questions.find(
        (one) => one.tool === tool && one.resource === resource && one.origin === origin,
      );
      if (!question)
        throw refused('policy_unknown_rule', `There is nothing to decide about ${name} in this version.`);
      if (seen.has(name)) throw refused('policy_twice', `There are two rules about ${name}.`);
      seen.add(name);
      const limit = policy.limit(question);
      if (limit && isLooser(decision, limit.decision))
        throw refused('policy_limit', `${name} can't be set to ${decision}: ${limit.because}.`);
    }
  }

  return {
    state: () => owner.state(),
    cells: () =>
      questions.map((question) => {
        const limit = policy.limit(question);
        return {
          ...question,
          ...policy.decide(question),
          shipped: policy.shipped(question).decision,
          choices: DECISIONS.filter((one) => !limit || !isLooser(one, limit.decision)),
          limit: limit?.because ?? null,
        };
      }),
    async change({ rules, digest, password }, { principal, address }) {
      mustBePossible(rules);
      await stepUp.requireStepUp({ principal, address, act: 'policy.change', password });
      owner.replace(rules, digest, principal);
    },
  };
}

function refused(code: string, message: string): AppError {
  return new AppError({ family: 'input', code, message, fix: 'Nothing was changed.' });
}
