import type { AnyTool, Origin } from '../../core/index.ts';
import type { ToolCallRow } from '../../host/storage/index.ts';
import type { Policy } from '../policy/index.ts';

export interface DecideDeps {
  readonly tools: ReadonlyMap<string, AnyTool>;
  readonly policy: Policy;
}

export type Decided =
  | {
      readonly kind: 'allow' | 'ask';
      readonly rule: string;
      readonly tool: AnyTool;
      readonly args: unknown;
      readonly target: string;
    }
  | {
      readonly kind: 'no';
      readonly rule: string | null;
      readonly outcome: 'denied' | 'refused';
      readonly sentence: string;
    };

/** Is the call valid, and what does the policy say of it? Anything unknown is a no. */
export function decide(deps: DecideDeps, row: ToolCallRow, origin: Origin): Decided {
  const { tools, policy } = deps;
  const tool = tools.get(row.tool);
  if (!tool)
    return {
      kind: 'no',
      rule: 'unknown-tool',
      outcome: 'refused',
      sentence: `There is no tool ${row.tool}.`,
    };
  const parsed = tool.parse(JSON.parse(row.arguments));
  if (!parsed.ok) {
    return {
      kind: 'no',
      rule: 'invalid-arguments',
      outcome: 'refused',
      sentence: `The arguments are not valid: ${parsed.problem}`,
    };
  }
  const { target, resource } = tool.target(parsed.args as never);
  const answer = policy.decide({ tool: tool.name, resource, origin });
  if (answer.decision === 'deny') {
    return {
      kind: 'no',
      rule: answer.rule,
      outcome: 'denied',
      sentence: `Not allowed: ${answer.because}.`,
    };
  }
  return { kind: answer.decision, rule: answer.rule, tool, args: parsed.args, target };
}
