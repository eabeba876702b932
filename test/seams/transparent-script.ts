/**
 * The negative control of the script box: secrets are plain strings, and a broker that sends what it is told and gives
 * back what came. Everything else is the program's own.
 */
import {
  defineModule,
  extendModule,
  native,
  standardModules,
  StarList,
  type StarModule,
  type Value,
} from '../../src/sandbox/starlark/index.ts';
import { createHttpModule } from '../../src/sandbox/script/http-module.ts';
import { runWithModules } from '../../src/sandbox/script/run-script.ts';
import { createSleep } from '../../src/sandbox/script/sleep.ts';
import type { ScriptLimits, ScriptOutcome } from '../../src/sandbox/script/index.ts';
import type { BrokerAnswer, BrokerRequest, WireRope } from '../../src/sandbox/wire/index.ts';
import type { OutgoingRequest, SendResult } from '../../src/guard/secrets/broker/index.ts';
import { NOW, type Hosts } from '../support/script-box.ts';

export interface TransparentRun {
  readonly outcome: ScriptOutcome;
  readonly slept: readonly number[];
  readonly sent: readonly OutgoingRequest[];
}

export function runTransparent(
  source: string,
  secrets: Readonly<Record<string, string>>,
  hosts: Hosts,
  limits?: Partial<ScriptLimits>,
): TransparentRun {
  const slept: number[] = [];
  const sent: OutgoingRequest[] = [];
  const get = native('get(name)', (_t, _self, name: Value) => secrets[String(name)] ?? null);
  const has = native('has(name)', (_t, _self, name: Value) => String(name) in secrets);
  const list = native('list()', () => new StarList(Object.keys(secrets)));
  const ask = (request: BrokerRequest): BrokerAnswer => {
    if (request.op !== 'http') throw new TypeError('only http asks');
    return follow(plainRequest(request), (one) => {
      sent.push(one);
      return hosts(one);
    });
  };
  const modules = standardModules(NOW);
  const sleep = createSleep((ms) => slept.push(ms), 30_000);
  modules.set('time', extendModule(modules.get('time') as StarModule, [sleep]));
  modules.set('secrets', defineModule('secrets', [get, has, list]));
  modules.set('http', createHttpModule({ ask }));
  const outcome = runWithModules({ name: 'script.star', source, now: NOW, limits }, {}, modules);
  return { outcome, slept, sent };
}

function plainRequest(request: BrokerRequest & { readonly op: 'http' }): OutgoingRequest {
  const text = (rope: WireRope): string => rope.join('');
  const headers = request.headers.map(([name, value]) => [name.toLowerCase(), text(value)] as const);
  const shown = {
    method: request.method,
    url: text(request.url),
    headers: Object.fromEntries(headers),
    body: text(request.body),
  };
  return {
    ...shown,
    headers,
    timeoutMs: 30_000,
    maxBytes: 10 * 1024 * 1024,
    current: () => true,
    secrets: [],
    shown,
  };
}

function follow(request: OutgoingRequest, send: (request: OutgoingRequest) => SendResult): BrokerAnswer {
  let next = request;
  for (let hop = 0; hop < 10; hop += 1) {
    const result = send(next);
    if ('failed' in result) return { refused: { code: result.failed, message: result.failed } };
    const location = result.headers.find(([name]) => name.toLowerCase() === 'location')?.[1];
    if (location === undefined || result.status < 300 || result.status > 399) {
      return {
        response: {
          status: result.status,
          headers: result.headers.map(([name, value]) => [name.toLowerCase(), [value]]),
          body: [new TextDecoder().decode(result.body)],
        },
      };
    }
    next = { ...next, url: new URL(location, next.url).href };
  }
  return { refused: { code: 'redirect_limit', message: 'too many redirects' } };
}
