/** What a model does with scripts in a running program, call by call. */
import type { ChatServerEvent, Json, Script, ScriptGrantView } from '../../src/edge/admin/api.ts';
import type { FakeModel } from '../fakes/openai-server.ts';
import { PASSWORD, type RunningProgram } from './running-program.ts';

export interface Heard {
  readonly outcome: string;
  /** The value of the tool, as the model gets it. */
  readonly value: Record<string, Json>;
  readonly text: string;
}

/** Lets the model make one call in a conversation of its own; what it hears. */
export async function modelCalls(
  program: RunningProgram,
  model: FakeModel,
  name: string,
  args: Readonly<Record<string, unknown>>,
): Promise<Heard> {
  model.next({ calls: [{ name, arguments: args }] }, { text: 'Done.' });
  const { events } = await program.say(`use ${name}`);
  return heard(events);
}

function heard(events: readonly ChatServerEvent[]): Heard {
  const result = events.find((event) => event.type === 'tool_result');
  if (result?.type !== 'tool_result') throw new Error(`no result: ${JSON.stringify(events).slice(0, 2000)}`);
  const value = result.result as unknown;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return {
    outcome: result.outcome,
    value: (typeof value === 'object' && value !== null ? value : {}) as Record<string, Json>,
    text,
  };
}

export async function getScript(program: RunningProgram, name: string): Promise<Script> {
  const { status, body } = await program.api<Script>('GET', `/api/scripts/${name}`);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
}

/** Approves what is there now, as it is shown. */
export async function approveNow(
  program: RunningProgram,
  name: string,
  grant?: Partial<ScriptGrantView>,
): Promise<Script> {
  const { hash, revision } = await getScript(program, name);
  const { status, body } = await program.api<Script>('POST', `/api/scripts/${name}/approve`, {
    hash,
    revision,
    ...(grant === undefined ? {} : { grant }),
  });
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
}

/** Lets the model make these calls in one answer; what it hears of each, in their order. */
export async function modelCallsAll(
  program: RunningProgram,
  model: FakeModel,
  calls: readonly { readonly name: string; readonly arguments: unknown }[],
): Promise<readonly Heard[]> {
  model.next({ calls: calls.map((call, at) => ({ ...call, id: `call_${at}` })) }, { text: 'Done.' });
  return heardAll((await program.say('use them')).events);
}

/** What the model hears of each call, in their order. */
export function heardAll(events: readonly ChatServerEvent[]): readonly Heard[] {
  return events.filter((event) => event.type === 'tool_result').map((event) => heard([event]));
}

/** The same person in another browser. */
export async function secondSession(program: RunningProgram): Promise<Pick<RunningProgram, 'api'>> {
  const login = await program.api<{ access_token: string }>('POST', '/api/auth/login', {
    username: 'owner',
    password: PASSWORD,
  });
  return {
    async api(method, path, body) {
      const answer = await fetch(`${program.address}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${login.body.access_token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return {
        status: answer.status,
        headers: answer.headers,
        body: (text === '' ? null : JSON.parse(text)) as never,
      };
    },
  };
}
