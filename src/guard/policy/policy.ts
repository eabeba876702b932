// Guarantees: every call gets exactly one answer; deny beats ask beats allow; what no rule names is denied.
// Does not: look at contents, only at the tool, the class of its target and where the call comes from.
// An attacker may control: the arguments, so the resource is computed by our own code from the form that will run.
import type { AnyTool, Origin } from '../../core/index.ts';

export type Decision = 'allow' | 'ask' | 'deny';

/** Policy is data. A missing field matches everything. */
export interface PolicyRule {
  readonly id: string;
  readonly decision: Decision;
  readonly tools?: readonly string[];
  readonly resources?: readonly string[];
  readonly origins?: readonly Origin[];
  /** Told to the model and shown to the person when the rule decides. */
  readonly because: string;
}

export interface PolicyQuestion {
  readonly tool: string;
  readonly resource: string;
  readonly origin: Origin;
}

export interface PolicyAnswer {
  readonly decision: Decision;
  readonly rule: string;
  readonly because: string;
}

export interface Policy {
  decide(question: PolicyQuestion): PolicyAnswer;
  /** What the page shows of a tool: its answer for each class of targets. */
  overview(tool: AnyTool, origin: Origin): readonly { resource: string; decision: Decision; rule: string }[];
}

const STRENGTH: Readonly<Record<Decision, number>> = { deny: 2, ask: 1, allow: 0 };
const RESOURCES = ['workspace', 'memory', 'identity', 'scripts'] as const;

export function createPolicy(rules: readonly PolicyRule[]): Policy {
  const decide = (question: PolicyQuestion): PolicyAnswer => {
    let best: PolicyRule | undefined;
    for (const rule of rules) {
      if (rule.tools && !rule.tools.includes(question.tool)) continue;
      if (rule.resources && !rule.resources.includes(question.resource)) continue;
      if (rule.origins && !rule.origins.includes(question.origin)) continue;
      if (!best || STRENGTH[rule.decision] > STRENGTH[best.decision]) best = rule;
    }
    if (!best) return { decision: 'deny', rule: 'default-deny', because: 'no rule allows this' };
    return { decision: best.decision, rule: best.id, because: best.because };
  };
  return {
    decide,
    overview: (tool, origin) =>
      RESOURCES.flatMap((resource) => {
        const answer = decide({ tool: tool.name, resource, origin });
        return answer.rule === 'default-deny'
          ? []
          : [{ resource, decision: answer.decision, rule: answer.rule }];
      }),
  };
}
