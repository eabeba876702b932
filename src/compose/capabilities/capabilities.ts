import type { Clock } from '../../core/index.ts';
import type { Config } from '../../config/index.ts';
import type { CapabilitiesAnswer, Capability } from '../../edge/admin/api.ts';
import type { CapabilitiesPort } from '../../edge/admin/ports.ts';
import type { ScriptLibrary } from '../../guard/scripts/index.ts';
import { MAX_FILE_BYTES } from '../../host/files/index.ts';
import { isolationSentence, type IsolationReport } from '../../host/process/index.ts';
import { MAX_CALLS_PER_TURN, MAX_REFUSALS, type Assistant } from '../assistant.ts';
import { TURN_ORIGINS } from '../owner-ports.ts';
import { ATTACKS } from './attacks.ts';
import { capabilitiesByMachine, capabilitiesByProvider } from './by-machine.ts';
import { capabilitiesByPolicy } from './by-policy.ts';
import { capabilitiesByScripts } from './by-scripts.ts';
import { fencesOf } from './fences.ts';

export interface CapabilitiesDeps {
  readonly config: Config;
  readonly isolation: IsolationReport;
  readonly scripts: Pick<ScriptLibrary, 'list' | 'runnable' | 'facts'>;
  readonly clock: Clock;
}

/** "What can it do?": made anew from what decides and what was tried, each time somebody asks. */
export function capabilitiesPort(assistant: Assistant, deps: CapabilitiesDeps): CapabilitiesPort {
  const { config, isolation, scripts, clock } = deps;
  const fences = fencesOf(isolation);
  return {
    get(): CapabilitiesAnswer {
      return {
        at: new Date(clock.now()).toISOString(),
        agent_name: assistant.agentName(),
        isolation: {
          level: isolation.level,
          summary: isolationSentence(isolation.level),
          missing: isolation.missing,
        },
        policy_source: assistant.ownerRules.state().source,
        capabilities: [
          ...capabilitiesByPolicy(assistant.tools, assistant.policy, fences),
          ...capabilitiesByMachine(fences),
          ...capabilitiesByProvider(
            assistant.upstreams.list(),
            assistant.upstreams.defaultModel(),
            assistant.defaultFallback.get(),
          ),
          ...capabilitiesByScripts(scripts),
          byItself(config),
          policyItself(),
        ],
        limits: limitsOf(config),
      };
    },
  };
}

const STARTS: Readonly<Record<string, string>> = {
  page: 'when you write to it on this page, retry or let it go on',
};

function byItself(config: Config): Capability {
  const starts = TURN_ORIGINS.map((origin) => STARTS[origin] ?? `from ${origin}`).join(', or ');
  return {
    id: 'acts-by-itself',
    group: 'itself',
    answer: 'never',
    sentence: `It can never begin by itself: it works only ${starts}, and when you approve a call that waits. Stop ends everything that runs.`,
    fences: [
      {
        text: `A turn ends after ${config.engine.maxSteps} calls to the model, ${MAX_CALLS_PER_TURN} tool calls or ${span(config.engine.turnTimeoutMs)} of work.`,
        holds: true,
      },
    ],
    tests: [ATTACKS.manyCalls],
  };
}

function policyItself(): Capability {
  return {
    id: 'policy',
    group: 'itself',
    answer: 'never',
    sentence: 'It can never change what it is allowed: only you can, on the page, with your password.',
    fences: [
      { text: 'No tool changes the policy; a change needs the password and stands in the log.', holds: true },
    ],
    tests: [ATTACKS.ownPolicy, ATTACKS.hardLimit],
  };
}

function limitsOf(config: Config): CapabilitiesAnswer['limits'] {
  return [
    { name: 'Calls to the model in one turn', value: String(config.engine.maxSteps) },
    { name: 'Tool calls in one turn', value: String(MAX_CALLS_PER_TURN) },
    { name: 'Refused calls that end a turn', value: String(MAX_REFUSALS) },
    { name: 'Time that one turn may work', value: span(config.engine.turnTimeoutMs) },
    { name: 'Turns at once', value: String(config.engine.maxTurnsAtOnce) },
    { name: 'Time in which an approval can be given', value: span(config.approvals.expireAfterMs) },
    { name: 'Largest file that it can read or write', value: `${MAX_FILE_BYTES / 1024 / 1024} MiB` },
    {
      name: 'Requests to this page, from one address',
      value: `${config.server.rateLimit.rate} a second, ${config.server.rateLimit.burst} at once`,
    },
  ];
}

function span(ms: number): string {
  const units = [
    { name: 'day', ms: 86_400_000 },
    { name: 'hour', ms: 3_600_000 },
    { name: 'minute', ms: 60_000 },
  ];
  const unit = units.find((one) => ms >= one.ms && ms % one.ms === 0) ?? { name: 'second', ms: 1000 };
  const count = ms / unit.ms;
  return `${count} ${unit.name}${count === 1 ? '' : 's'}`;
}
