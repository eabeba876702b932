// Guarantees: the owner's own rules are read anew for every decision, so that a change counts for the very next call; what
// is stored is checked whenever it is read, and a damaged value counts as none: the shipped rules decide, and it is said.
// A change needs its audit row, and what the person saw when they made it.
// Does not: ask for the password (the editor does), nor lift a hard rule (`policy.ts`).
// An attacker may control: nothing here; who can write the database can write any rule, and the hard ones still count.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  AppError,
  canonicalJson,
  errorText,
  type Clock,
  type Log,
  type Principal,
} from '../../core/index.ts';
import type { SettingsStore, Transactions } from '../../host/storage/index.ts';
import type { Audit } from '../audit/index.ts';
import type { PolicyRule } from './policy.ts';

const SETTING = 'policy.rules';

const ORIGINS = ['page', 'mcp', 'cli', 'schedule', 'chat', 'system'] as const;
const stored = z.strictObject({
  version: z.literal(1),
  rules: z
    .array(
      z.strictObject({
        tool: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/),
        resource: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/),
        origin: z.enum(ORIGINS),
        decision: z.enum(['allow', 'ask', 'deny']),
      }),
    )
    .max(1000),
});
/** One choice of the owner: a tool, a class of targets, from where it is asked. */
export type OwnerRule = z.infer<typeof stored>['rules'][number];

export interface OwnerRulesState {
  /** `damaged`: what is stored can't be read, and the shipped rules decide. */
  readonly source: 'shipped' | 'owner' | 'damaged';
  readonly problem: string | null;
  readonly rules: readonly OwnerRule[];
  /** Names this state, so that a change can say what it is a change of. */
  readonly digest: string;
}

export interface OwnerRules {
  state(): OwnerRulesState;
  /** As the policy wants them. */
  rules(): readonly PolicyRule[];
  /** Error (conflict): `policy_changed` when `digest` is not that of the state that is stored now. */
  replace(rules: readonly OwnerRule[], digest: string, by: Principal): void;
}

export interface OwnerRulesDeps {
  readonly settings: SettingsStore;
  readonly database: Transactions;
  readonly audit: Pick<Audit, 'append'>;
  readonly clock: Clock;
  readonly log: Log;
}

export function createOwnerRules({ settings, database, audit, clock, log }: OwnerRulesDeps): OwnerRules {
  let complained = '';

  function damaged(problem: string): OwnerRulesState {
    if (complained !== problem) {
      complained = problem;
      log.warn('the stored policy can not be read; the shipped rules decide', { problem });
    }
    return { source: 'damaged', problem, rules: [], digest: digestOf('damaged', []) };
  }

  function state(): OwnerRulesState {
    let value: unknown;
    try {
      value = settings.get(SETTING);
    } catch (error) {
      // Only text that is no JSON: a database that does not answer stops the call, as it must.
      if (!(error instanceof SyntaxError)) throw error;
      return damaged(`it is no JSON: ${errorText(error)}`);
    }
    if (value === undefined) {
      return { source: 'shipped', problem: null, rules: [], digest: digestOf('shipped', []) };
    }
    const read = stored.safeParse(value);
    if (!read.success) {
      const [first] = read.error.issues;
      return damaged(first ? `${first.path.join('.')}: ${first.message}` : 'it has another form');
    }
    const { rules } = read.data;
    return { source: 'owner', problem: null, rules, digest: digestOf('owner', rules) };
  }

  return {
    state,
    rules: () =>
      state().rules.map(({ tool, resource, origin, decision }) => ({
        id: 'owner',
        decision,
        tools: [tool],
        resources: [resource],
        origins: [origin],
        because: `the owner set this to ${decision} (Settings, Policy)`,
      })),
    replace(rules, digest, by) {
      database.tx(() => {
        const before = state();
        if (before.digest !== digest) {
          throw new AppError({
            family: 'conflict',
            code: 'policy_changed',
            message: 'The policy was changed meanwhile; nothing was saved.',
            fix: 'Look at it as it is now, and change it again.',
          });
        }
        const after = rules.map(({ tool, resource, origin, decision }) => ({
          tool,
          resource,
          origin,
          decision,
        }));
        if (after.length === 0) settings.delete(SETTING);
        else settings.set(SETTING, { version: 1, rules: after }, clock.now());
        audit.append({
          event: 'policy.changed',
          principal: by,
          origin: 'page',
          target: after.length === 0 ? 'back to the shipped policy' : 'policy',
          outcome: 'ok',
          details: {
            before: { source: before.source, rules: before.rules.map(inWords) },
            after: { source: after.length === 0 ? 'shipped' : 'owner', rules: after.map(inWords) },
          },
        });
      });
    },
  };
}

function inWords({ tool, resource, origin, decision }: OwnerRule): string {
  return `${origin}: ${tool} on ${resource}: ${decision}`;
}

function digestOf(source: string, rules: readonly OwnerRule[]): string {
  return createHash('sha256').update(canonicalJson({ source, rules })).digest('hex');
}
