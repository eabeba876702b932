/** The module `secrets`: names in, handles out. */
import {
  defineModule,
  native,
  StarList,
  wantString,
  HostError,
  type StarModule,
  type Thread,
  type Value,
} from '../starlark/index.ts';
import { MESSAGE_LIMITS, type BrokerAnswer, type BrokerRequest } from '../wire/index.ts';
import type { Broker } from './broker.ts';
import { RopeString } from './rope-string.ts';

/** What a question to the broker costs a script, besides what its answer holds. */
const QUESTION_STEPS = 100;

/** Asks; a refusal is an error of the script. */
export function ask(
  t: Thread,
  broker: Broker,
  request: BrokerRequest,
): Exclude<BrokerAnswer, { readonly refused: unknown }> {
  t.charge(QUESTION_STEPS);
  const answer = broker.ask(request);
  if ('refused' in answer) throw new HostError(answer.refused.code, answer.refused.message);
  return answer;
}

export function createSecretsModule(broker: Broker): StarModule {
  function found(t: Thread, op: 'get' | 'has', name: Value): string | undefined {
    const text = wantString(name, `secrets.${op}`, 'name');
    const asked = text.toWellFormed().slice(0, MESSAGE_LIMITS.name);
    const answer = ask(t, broker, { op, name: asked });
    if (!('found' in answer)) throw new TypeError('the broker answered something else');
    return answer.found ? asked : undefined;
  }
  return defineModule('secrets', [
    native('get(name)', (t, _self, name: Value) => {
      const id = found(t, 'get', name);
      if (id === undefined) return null;
      t.allocateString(64);
      return RopeString.of(id);
    }),
    native('has(name)', (t, _self, name: Value) => found(t, 'has', name) !== undefined),
    native('list()', (t) => {
      const answer = ask(t, broker, { op: 'list' });
      if (!('names' in answer)) throw new TypeError('the broker answered something else');
      t.allocateList(answer.names.length);
      for (const name of answer.names) t.allocateString(name.length);
      return new StarList([...answer.names]);
    }),
  ]);
}
