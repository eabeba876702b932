import { newId, systemClock, silentLog } from '../../core/index.ts';
import { createMcpHandler } from '../../edge/mcp/index.ts';
import type { CallTurn } from '../../guard/gate/index.ts';
import { stepsOf, type Bench, type TurnTrial } from './bench.ts';
import { judged, offByConfig, type Check, type CheckGroup } from './control.ts';

const call = (name: string, args: unknown) => ({ calls: [{ name, arguments: args }] });

function outcome({ results }: TurnTrial, index = 0): string {
  return results[index]?.outcome ?? 'nothing';
}

const hostileCalls: Check = {
  ids: ['S-01'],
  title: 'what the model asks for',
  async run({ turn }) {
    const unknown = await turn([call('run_command', { command: 'id' })]);
    const surplus = await turn([call('workspace_read', { path: 'SOUL.md', shell: true })]);
    const broken = await turn([call('workspace_read', { path: 7 })]);
    return judged('Had a model ask for an unknown tool, an unknown argument and a wrong type: refused', [
      ran(unknown) && `the unknown tool: ${outcome(unknown)}`,
      ran(surplus) && `the unknown argument: ${outcome(surplus)}`,
      ran(broken) && `the wrong type: ${outcome(broken)}`,
    ]);
  },
};

function ran(trial: TurnTrial): boolean {
  return trial.results.some((result) => result.outcome === 'done');
}

const asks: Check = {
  ids: ['S-04'],
  title: 'approvals',
  async run({ turn, trial, program, ownDatabase }) {
    const { approvals } = program.inside.assistant;
    let asked: string | undefined;
    const before = await turn([call('workspace_write', { path: 'doctor.md', content: 'not approved\n' })], {
      hear(event) {
        if (event.type !== 'approval') return;
        asked = event.id;
        // Not from inside the event: who hears of it is not who decides.
        setImmediate(() => approvals.decide(event.id, 'deny', { kind: 'operator' }, {}));
      },
    });
    const finding = judged(
      'Had a model write a file: it waited for an approval, which was denied, and nothing was written',
      [
        asked === undefined && 'nobody was asked',
        outcome(before) !== 'denied' && `the call ended as ${outcome(before)}`,
        exists(trial, 'ai-data/doctor.md') && 'the file is there',
      ],
    );
    const free = ((await ownDatabase())?.rules ?? []).filter(
      ({ decision, tool, resource }) =>
        decision === 'allow' && tool.endsWith('_write') && resource !== 'memory',
    );
    if (finding.state !== 'on' || free.length === 0) return finding;
    const which = free.map(({ tool, resource }) => `${tool} on ${resource}`).join(', ');
    return offByConfig(`${finding.how} But your own policy allows without asking: ${which}.`);
  },
};

const policy: Check = {
  ids: ['S-44'],
  title: 'policy',
  async run({ turn, trial, wanted, ask, program }) {
    const soul = text(trial, 'ai-data/SOUL.md');
    const { approvals } = program.inside.assistant;
    const identity = await turn([call('workspace_write', { path: 'SOUL.md', content: 'obey\n' })], {
      hear(event) {
        if (event.type === 'approval')
          setImmediate(() => approvals.decide(event.id, 'deny', { kind: 'operator' }, {}));
      },
    });
    const { json } = await ask({ path: '/api/policy' });
    const rule = { tool: 'workspace_write', resource: 'workspace', origin: 'page', decision: 'allow' };
    const loosened = await ask({
      method: 'PUT',
      path: '/api/policy',
      body: { rules: [rule], digest: String(json['digest']) },
    });
    const finding = judged(
      'Had a model change SOUL.md, and changed the policy without the password: both refused',
      [
        outcome(identity) !== 'denied' && `the change of SOUL.md ended as ${outcome(identity)}`,
        text(trial, 'ai-data/SOUL.md') !== soul && 'SOUL.md was changed',
        loosened.status < 400 && 'the policy was changed without the password',
      ],
    );
    if (finding.state !== 'on' || !wanted.context.aiMayEditIdentity) return finding;
    return {
      state: 'on',
      how: `${finding.how} context.ai_may_edit_identity is on: it asks instead of denying.`,
    };
  },
};

const onlyTools: Check = {
  ids: ['S-21'],
  title: 'calls that no model made',
  async run({ turn, program, trial }) {
    const { conversation, events } = await turn([{ text: 'nothing to do' }]);
    const { gate } = program.inside.assistant;
    const turnId = events.map((event) => (event as { turn_id?: string | null }).turn_id).find(Boolean) ?? '';
    const answer = await gate.call(made(turnId, conversation), {
      callId: 'c00000005',
      tool: 'memory_write',
      arguments: { content: 'planted by the doctor\n', append: true },
    });
    const door = await program.inside.assistant.doors.mcp(
      new Request('http://127.0.0.1/mcp', {
        method: 'POST',
        headers: { authorization: `Bearer ${newId('cap')}`, 'content-type': 'application/json' },
        body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
      }),
    );
    return judged('Called a tool that no model had asked for, and with a made-up capability: refused', [
      answer.kind !== 'refused' && `the call ended as ${answer.kind}`,
      text(trial, 'ai-data/MEMORY.md').includes('planted by the doctor') && 'the memory was changed',
      door.status !== 401 && `the made-up capability got ${door.status}`,
    ]);
  },
};

function made(turnId: string, conversationId: string): CallTurn {
  return {
    turnId,
    conversationId,
    origin: 'page',
    principal: { kind: 'assistant', turnId, conversationId },
    signal: AbortSignal.timeout(10_000),
    step: () => 0,
    words: () => '',
    pause: () => () => undefined,
  };
}

const mcpRequests: Check = {
  ids: ['S-45'],
  title: 'requests for tools',
  async run() {
    let reached = 0;
    const handler = createMcpHandler({
      gate: {
        turnFor: (capability) =>
          capability === 'good'
            ? {
                tools: () => [],
                unknown: () => undefined,
                call: async () => {
                  reached += 1;
                  return { text: '', isError: false };
                },
              }
            : undefined,
      },
      version: 'doctor',
      log: silentLog,
      clock: systemClock,
    });
    const post = async (body: string): Promise<Response> =>
      handler.fetch(
        new Request('http://127.0.0.1/mcp', {
          method: 'POST',
          headers: {
            authorization: 'Bearer good',
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
          },
          body,
        }),
      );
    const large = await post(
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"x":"${'x'.repeat(2 ** 21)}"}}`,
    );
    const garbage = await post('{"jsonrpc":');
    const batch = await post('[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]');
    return judged(
      'Posted 2 MiB, half a request and a batch to the handler of tools: refused before a tool was reached',
      [
        large.status !== 413 && `2 MiB got ${large.status}`,
        garbage.status !== 400 && `half a request got ${garbage.status}`,
        batch.status !== 400 && `a batch got ${batch.status}`,
        reached > 0 && 'a tool was reached',
      ],
    );
  },
};

const budget: Check = {
  ids: ['budget'],
  title: 'budgets',
  async run({ ask, turn }) {
    const { json } = await ask({ path: '/api/budgets' });
    const limits = json['limits'] as Readonly<Record<string, { tokens: number; usd: number }>>;
    const put = (turnTokens: number) =>
      ask({
        method: 'PUT',
        path: '/api/budgets',
        body: { ...limits, turn: { ...limits['turn'], tokens: turnTokens } },
      });
    const lowered = await put(1);
    const refused = await turn([{ text: 'spent' }]);
    const raised = await put(1_000_000_000);
    const error = refused.events.find((event) => event.type === 'error');
    return judged(
      'Set the budget of a turn to one token: no model was asked. Raised it without the password: refused',
      [
        lowered.status !== 200 && `lowering got ${lowered.status}`,
        error?.code !== 'budget_turn' && 'the turn was not refused for its budget',
        refused.prompts.length > 0 && 'a model was asked all the same',
        raised.status < 400 && 'it was raised without the password',
      ],
    );
  },
};

const steps: Check = {
  ids: ['steps'],
  title: 'endless turns',
  async run({ turn, wanted }) {
    const most = stepsOf(wanted);
    const script = Array.from({ length: most + 5 }, () => call('workspace_list', {}));
    const { prompts } = await turn(script);
    return judged(
      `Had a model ask for one more call again and again: ${prompts.length} requests, then it ended`,
      [prompts.length > most && `at most ${most} were allowed`],
    );
  },
};

const mainJob: Check = {
  ids: ['main-job'],
  title: 'its main job',
  async run({ turn }) {
    const { events, results } = await turn([], { provider: 'demo', message: 'list files' });
    const end = events.find((event) => event.type === 'done');
    return judged(
      'Had the demo list the files: the agent, the gateway, the gate and the file process worked together',
      [
        results[0]?.outcome !== 'done' && `the tool ended as ${results[0]?.outcome ?? 'nothing'}`,
        end?.status !== 'done' && `the turn ended as ${end?.status ?? 'nothing'}`,
      ],
    );
  },
};

function exists(trial: Bench['trial'], path: string): boolean {
  return text(trial, path) !== '';
}

function text(trial: Bench['trial'], path: string): string {
  try {
    return trial.read(path).toString('utf8');
  } catch {
    // Not there: nothing was written.
    return '';
  }
}

export const assistantChecks: CheckGroup = {
  name: 'Assistant',
  // `budget` leaves a budget of one token behind.
  checks: [mainJob, hostileCalls, asks, policy, onlyTools, mcpRequests, steps, budget],
};
