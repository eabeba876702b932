import type { AnyTool } from '../../core/index.ts';
import type { Capability, CapabilityAnswer, NamedTest } from '../../edge/admin/api.ts';
import type { Decision, Policy } from '../../guard/policy/index.ts';
import { RESOURCES } from '../../guard/policy/index.ts';
import { ATTACKS } from './attacks.ts';
import type { Fences } from './fences.ts';
import { TURN_ORIGINS } from '../owner-ports.ts';

/** What an act is called in a sentence: "It may …". */
const ACTS: Readonly<Record<string, string>> = {
  'read workspace': 'read and list the files in ai-data/',
  'read memory': 'read its memory (MEMORY.md and the notes in memory/)',
  'read identity': 'read SOUL.md and USER.md',
  'read scripts': 'read the files in scripts/',
  'write workspace': 'write other files in ai-data/',
  'write memory': 'write its memory (MEMORY.md and the notes in memory/)',
  'write identity': 'change SOUL.md and USER.md, which say who it is and who you are',
  'write scripts': 'write files in scripts/, which do nothing until you approve them',
  'write script_runs': 'run scripts that you approved, and code that only computes',
};

const ANSWERS: Readonly<Record<Decision, CapabilityAnswer>> = {
  allow: 'allowed',
  ask: 'asks',
  deny: 'never',
};

interface Group {
  readonly act: string;
  readonly decision: Decision;
  readonly rules: Set<string>;
  readonly tools: AnyTool[];
  readonly effect: AnyTool['effect'];
  readonly resource: string;
}

/** What policy answers now, as sentences: one for each act and answer. */
export function capabilitiesByPolicy(
  tools: readonly AnyTool[],
  policy: Policy,
  fences: Fences,
): readonly Capability[] {
  const groups = new Map<string, Group>();
  /** Acts on which the tools do not agree name their tools. */
  const answersOf = new Map<string, Set<Decision>>();
  for (const origin of TURN_ORIGINS) {
    for (const tool of tools) {
      for (const resource of tool.resources ?? RESOURCES) {
        const { decision, rule } = policy.decide({ tool: tool.name, resource, origin });
        const act = ACTS[`${tool.effect} ${resource}`] ?? `use "${tool.title}" on ${resource}`;
        const key = `${act} ${decision}`;
        const group = groups.get(key) ?? {
          act,
          decision,
          rules: new Set<string>(),
          tools: [],
          effect: tool.effect,
          resource,
        };
        groups.set(key, group);
        group.rules.add(rule);
        if (!group.tools.includes(tool)) group.tools.push(tool);
        answersOf.set(act, (answersOf.get(act) ?? new Set<Decision>()).add(decision));
      }
    }
  }
  return [...groups.entries()].map(([key, group]) => {
    const divided = (answersOf.get(group.act)?.size ?? 0) > 1;
    return {
      id: key.toLowerCase().replaceAll(/[^a-z]+/g, '-'),
      group: 'files',
      answer: ANSWERS[group.decision],
      sentence: sentence(group, divided ? `With ${titles(group.tools)} ` : ''),
      fences: [
        {
          text: `The gate decides before anything runs, by ${ruleNames(group.rules)}.`,
          holds: true,
        },
        ...(group.decision === 'ask' ? [fences.approval] : []),
        ...(group.decision === 'deny' ? [] : fences.insideAiData),
      ],
      tests: testsOf(group),
    };
  });
}

function sentence({ act, decision, resource, effect }: Group, by: string): string {
  // They are part of every message, whatever a tool may read.
  const sent =
    effect === 'read' && (resource === 'identity' || resource === 'memory') && decision !== 'allow'
      ? ' SOUL.md, USER.md, MEMORY.md, the notes of today and the list of skills are part of each message all the same.'
      : '';
  const it = by === '' ? 'It' : 'it';
  switch (decision) {
    case 'allow':
      return `${by}${it} may ${act}. Nobody is asked.`;
    case 'ask':
      return `${by}${it} asks you each time before it may ${act}.${sent}`;
    case 'deny':
      return `${by}${it} can never ${act}.${sent}`;
  }
}

function titles(tools: readonly AnyTool[]): string {
  return tools.map(({ title }) => `"${title}"`).join(' and ');
}

function ruleNames(rules: ReadonlySet<string>): string {
  return [...rules]
    .map((rule) =>
      rule === 'owner'
        ? 'your own rule'
        : rule === 'default-deny'
          ? 'the rule that what nobody names is denied'
          : `the rule ${rule}`,
    )
    .join(' and ');
}

function testsOf({ decision, effect, resource, rules }: Group): readonly NamedTest[] {
  return [
    ...(effect === 'write' && resource === 'identity' ? [ATTACKS.identity, ATTACKS.hardLimit] : []),
    ...(effect === 'write' && decision !== 'allow' && resource !== 'identity' ? [ATTACKS.unapproved] : []),
    ...(decision === 'deny' ? [] : [ATTACKS.outside]),
    ...(effect === 'write' && decision === 'allow' ? [ATTACKS.gateway] : []),
    ...(rules.has('owner') || (effect === 'read' && decision === 'deny') ? [ATTACKS.ownPolicy] : []),
  ];
}
