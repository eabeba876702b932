import { expect, test } from 'vitest';
import { defaultRules } from './default-rules.ts';
import { createPolicy, type Decision, type PolicyRule } from './policy.ts';

const rule = (id: string, decision: Decision, rest: Partial<PolicyRule> = {}): PolicyRule => ({
  id,
  decision,
  because: id,
  ...rest,
});
const question = { tool: 'memory_write', resource: 'memory', origin: 'page' } as const;

test('deny beats ask, ask beats allow, in any order, and what no rule names is denied', () => {
  const rules = [rule('a', 'allow'), rule('b', 'ask'), rule('c', 'deny')];
  for (const order of [rules, rules.toReversed()]) {
    expect(createPolicy(order).decide(question).rule).toBe('c');
    expect(createPolicy(order.filter(({ id }) => id !== 'c')).decide(question).rule).toBe('b');
  }
  expect(createPolicy([]).decide(question)).toMatchObject({ decision: 'deny', rule: 'default-deny' });
  expect(createPolicy([rule('other', 'allow', { tools: ['x'] })]).decide(question).rule).toBe('default-deny');
});

test('a rule of the owner replaces the shipped ones for its square only, looser or stricter', () => {
  const own = [
    rule('owner', 'allow', { tools: ['workspace_write'], resources: ['workspace'], origins: ['page'] }),
    rule('owner', 'deny', { tools: ['memory_write'], resources: ['memory'], origins: ['page'] }),
  ];
  const policy = createPolicy(defaultRules({ aiMayEditIdentity: false }), () => own);
  const decide = (tool: string, resource: string, origin: 'page' | 'mcp' = 'page') =>
    policy.decide({ tool, resource, origin }).decision;
  expect(decide('workspace_write', 'workspace')).toBe('allow');
  expect(decide('workspace_write', 'workspace', 'mcp')).toBe('ask');
  expect(decide('workspace_write', 'scripts')).toBe('ask');
  expect(decide('memory_write', 'memory')).toBe('deny');
  expect(policy.shipped(question).decision).toBe('allow');
});

test.each([
  [false, 'deny', 'deny'],
  [true, 'ask', 'deny'],
] as const)(
  'whatever the owner sets, changing identity is never allowed (may ask: %s)',
  (aiMayEditIdentity, loosest, strictest) => {
    let own: PolicyRule[] = [];
    const policy = createPolicy(defaultRules({ aiMayEditIdentity }), () => own);
    const identity = { ...question, resource: 'identity' } as const;
    own = [rule('owner', 'allow')];
    expect(policy.decide(identity).decision).toBe(loosest);
    own = [rule('owner', 'deny')];
    expect(policy.decide(identity).decision).toBe(strictest);
    expect(policy.limit(identity)?.decision).toBe(loosest);
    expect(policy.limit(question)).toBeUndefined();
  },
);
