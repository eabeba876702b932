import { dirname, join, resolve } from 'node:path';
import { canonicalJson } from '../../src/core/index.ts';
import { productParts, type Parts } from '../../src/compose/parts.ts';
import { parseCallId } from '../../src/guard/gate/index.ts';
import { isolationChecks, type IsolationReport } from '../../src/host/process/index.ts';
import { SCRIPT_SEAMS, weakenedScripts } from './script-seams.ts';
import { APPROVAL_SEAMS, weakenedApprovals } from './approval-seams.ts';
import { internetEgress } from './internet.ts';
import { createUnfencedLauncher } from './unfenced-launcher.ts';
import { weakBroker } from './weak-broker.ts';
import { weakRunner } from './weak-runner.ts';

/** Also when this runs as a bundle, which lies as deep. */
const ROOT = resolve(import.meta.dirname, '..', '..');
const HERE = join(ROOT, 'test', 'seams');
const SOURCES = [join(ROOT, 'src'), join(ROOT, 'package.json')];

/**
 * The controls that can be left out here. What those of scripts are stands where they are left out: in `script-seams.ts`
 * (the trusted side: what is looked at, decided and handed over), `weak-runner.ts` (`runner-`: what is handed to the process),
 * `weak-broker.ts` (what its requests may do) and `internet.ts` (`egress-`: the way out). `approval-`: in `approval-seams.ts`.
 */
const SEAMS = [
  'tool-paths',
  'jail',
  'fences',
  'users',
  'policy',
  ...APPROVAL_SEAMS,
  'redaction',
  'seen-calls',
  'login-limits',
  'step-up',
  'budget',
  'step-limit',
  'call-limit',
  ...SCRIPT_SEAMS,
  'egress-addresses',
  'egress-pinning',
  'egress-rate',
  'script-grant',
  'script-redirects',
  'script-limits',
  'answer-search',
  'fresh-secrets',
  'runner-bytes',
  'runner-digest',
  'runner-stop',
] as const;
export type Seam = (typeof SEAMS)[number];

export function isSeam(name: string): name is Seam {
  return (SEAMS as readonly string[]).includes(name);
}

/**
 * The product's parts without some of its controls, and perhaps with another program in the place of the agent, or an
 * internet on loopback (see `internet.ts`).
 */
export function weakened(off: readonly Seam[], agent: string | undefined, internet?: string): Parts {
  const without = (seam: Seam): boolean => off.includes(seam);
  return {
    ...productParts,
    ...weakenedScripts(productParts, without),
    ...weakenedApprovals(productParts, without),
    egress: internetEgress(internet, {
      addresses: !without('egress-addresses'),
      pinning: !without('egress-pinning'),
      rate: !without('egress-rate'),
    }),
    scriptRunner: (deps) =>
      weakRunner(
        productParts.scriptRunner({
          ...deps,
          openBroker: weakBroker({
            grant: !without('script-grant'),
            redirects: !without('script-redirects'),
            search: !without('answer-search'),
            limits: !without('script-limits'),
            fresh: !without('fresh-secrets'),
          }),
        }),
        {
          bytes: !without('runner-bytes'),
          digest: !without('runner-digest'),
          stop: !without('runner-stop'),
        },
      ),
    ...(without('policy')
      ? {
          policyRules: () =>
            [{ id: 'anything', decision: 'allow', because: 'the policy is switched off' }] as const,
        }
      : {}),
    ...(without('redaction')
      ? {
          redactor: () => ({
            text: (value) => ({ value, hidden: {} }),
            json: (value) => ({ value, hidden: {} }),
            stream: () => ({ push: (chunk: string) => chunk, end: () => '', hidden: {} }),
          }),
        }
      : {}),
    ...(without('fences')
      ? { launcher: () => createUnfencedLauncher(), isolation: async () => NO_ISOLATION }
      : {}),
    ...(without('users') ? { users: () => null } : {}),
    ...(without('tool-paths')
      ? {
          // Whatever path a model names is handed on as it is.
          tools: () =>
            productParts.tools().map((tool) =>
              tool.name === 'workspace_read' || tool.name === 'workspace_write'
                ? {
                    ...tool,
                    parse: (args: unknown) => ({ ok: true as const, args }),
                    target: ({ path }: { path: string }) => ({ target: path, resource: 'workspace' }),
                  }
                : tool,
            ),
        }
      : {}),
    ...(without('jail')
      ? {
          fileChild: (deps) =>
            productParts.fileChild({
              ...deps,
              entry: join(HERE, 'unjailed-file-child.ts'),
              read: [...(deps.read ?? []), HERE, ...SOURCES],
            }),
        }
      : {}),
    ...(without('seen-calls')
      ? {
          gate: (deps) => {
            const gate = productParts.gate(deps);
            return {
              ...gate,
              call(turn, request) {
                // Whatever is asked for looks as if the model had asked for it.
                const key = parseCallId(turn.turnId, request.callId);
                if (key && !deps.calls.get(key)) {
                  deps.calls.insert({
                    ...key,
                    conversation_id: turn.conversationId,
                    tool: request.tool,
                    arguments: canonicalJson(request.arguments),
                    status: 'seen',
                    rule: null,
                    approval_id: null,
                    result: null,
                    is_error: null,
                    redactions: null,
                    created_at: Date.now(),
                    started_at: null,
                    ended_at: null,
                  });
                }
                return gate.call(turn, request);
              },
            };
          },
        }
      : {}),
    ...(without('call-limit')
      ? { gate: (deps) => productParts.gate({ ...deps, maxCallsPerTurn: 1_000_000 }) }
      : {}),
    ...(without('budget')
      ? { budgets: (deps) => ({ ...productParts.budgets(deps), check: () => ({ ok: true }) }) }
      : {}),
    ...(without('step-limit') ? { maxSteps: () => 1_000_000 } : {}),
    ...(without('login-limits')
      ? {
          identity: (deps) =>
            productParts.identity({
              ...deps,
              options: { ...deps.options, login: { perMinute: 1_000_000, maxPauseMs: 0 } },
            }),
        }
      : {}),
    ...(without('step-up')
      ? {
          // Whoever has the session has shown the password.
          identity: (deps) => ({
            ...productParts.identity(deps),
            stepUp: { requireStepUp: async () => undefined },
          }),
        }
      : {}),
    ...(agent === undefined
      ? {}
      : {
          agentProgram: (layout) => ({
            ...layout.agent,
            script: agent,
            read: [...layout.agent.read, HERE, ...SOURCES, dirname(agent)],
          }),
        }),
  } satisfies Parts;
}

const NO_ISOLATION: IsolationReport = {
  level: 0,
  fences: {
    landlock: { ok: false, detail: 'off', abi: 0 },
    seccomp: { ok: false, detail: 'off' },
    privileges: { ok: false, detail: 'off' },
    environment: { ok: false, detail: 'off' },
    users: { ok: false, detail: 'off' },
  },
  missing: [{ what: 'everything', fix: 'do not do this' }],
  checks: Object.fromEntries(isolationChecks.map((name) => [name, 'allowed'])),
  tookMs: 0,
};
