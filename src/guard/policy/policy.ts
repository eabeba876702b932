// Guarantees: every call gets exactly one answer; deny beats ask beats allow; what no rule names is denied. A hard rule
// counts beside whatever the owner set, so that a choice of the owner can make it stricter and never looser.
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
  /** A limit that the owner's own rules do not replace. */
  readonly hard?: boolean;
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
  /** What the rules that came with this version say, hard ones included. */
  shipped(question: PolicyQuestion): PolicyAnswer;
  /** The hard rule that holds here, if one does: what is looser than it can't be chosen. */
  limit(question: PolicyQuestion): PolicyAnswer | undefined;
  /** What the page shows of a tool: its answer for each class of targets. */
  overview(tool: AnyTool, origin: Origin): readonly { resource: string; decision: Decision; rule: string }[];
}

const STRENGTH: Readonly<Record<Decision, number>> = { deny: 2, ask: 1, allow: 0 };
/** Classes of targets. A tool without a list of its own may reach every one. */
export const RESOURCES = ['workspace', 'memory', 'identity', 'scripts'] as const;

/** Whether the first decision gives more freedom than the second. */
export function isLooser(decision: Decision, than: Decision): boolean {
  return STRENGTH[decision] < STRENGTH[than];
}

/** `owner`: the owner's own rules at this moment. Where one matches, the shipped rules that are not hard step back. */
export function createPolicy(
  rules: readonly PolicyRule[],
  owner: () => readonly PolicyRule[] = () => [],
): Policy {
  const hard = rules.filter((rule) => rule.hard === true);
  const decide = (question: PolicyQuestion): PolicyAnswer => {
    const own = owner().filter((rule) => matches(rule, question));
    return own.length === 0 ? answer(rules, question) : answer([...own, ...hard], question);
  };
  return {
    decide,
    shipped: (question) => answer(rules, question),
    limit(question) {
      const matching = hard.filter((rule) => matches(rule, question));
      return matching.length === 0 ? undefined : answer(matching, question);
    },
    overview: (tool, origin) =>
      (tool.resources ?? RESOURCES).flatMap((resource) => {
        const { decision, rule } = decide({ tool: tool.name, resource, origin });
        return rule === 'default-deny' ? [] : [{ resource, decision, rule }];
      }),
  };
}

function answer(rules: readonly PolicyRule[], question: PolicyQuestion): PolicyAnswer {
  let best: PolicyRule | undefined;
  for (const rule of rules) {
    if (!matches(rule, question)) continue;
    if (!best || STRENGTH[rule.decision] > STRENGTH[best.decision]) best = rule;
  }
  if (!best) return { decision: 'deny', rule: 'default-deny', because: 'no rule allows this' };
  return { decision: best.decision, rule: best.id, because: best.because };
}

function matches(rule: PolicyRule, question: PolicyQuestion): boolean {
  if (rule.tools && !rule.tools.includes(question.tool)) return false;
  if (rule.resources && !rule.resources.includes(question.resource)) return false;
  return !rule.origins || rule.origins.includes(question.origin);
}
