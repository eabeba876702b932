/**
 * The module `http`. Everything here that could refuse looks at types and at the public text; whether a request may be
 * sent is for the broker to say.
 */
import {
  defineModule,
  HostError,
  native,
  newDict,
  OpaqueString,
  StarDict,
  StarRecord,
  wantString,
  wrongType,
  type Native,
  type StarModule,
  type TextPart,
  type Thread,
  type Value,
} from '../starlark/index.ts';
import {
  MESSAGE_LIMITS,
  nominalBytes,
  type BrokerRequest,
  type BrokerResponse,
  type WireNode,
  type WireRope,
} from '../wire/index.ts';
import type { Broker } from './broker.ts';
import { RopeString, toWire } from './rope-string.ts';
import { ask } from './secrets-module.ts';

type Headers = [name: string, value: WireRope][];

export function createHttpModule(broker: Broker): StarModule {
  function send(t: Thread, request: BrokerRequest & { readonly op: 'http' }): Value {
    checkSizes(request);
    const answer = ask(t, broker, request);
    if (!('response' in answer)) throw new TypeError('the broker answered something else');
    return responseOf(t, answer.response);
  }
  const bare = (name: string): Native =>
    native(`${name}(url, headers=)`, (t, _self, url: Value, headers?: Value) => {
      const fn = `http.${name}`;
      return send(t, {
        op: 'http',
        method: name.toUpperCase(),
        url: toWire(wantText(url, fn, 'url')),
        headers: headersOf(fn, headers),
        body: [],
      });
    });
  const withBody = (name: string, signature: string): Native =>
    native(`${name}(${signature})`, (t, _self, url: Value, a?: Value, b?: Value, type?: Value) => {
      const fn = `http.${name}`;
      const [body, headers] = name === 'delete' ? [b, a] : [a, b];
      const list = headersOf(fn, headers);
      const sent = wantText(body ?? '', fn, 'body');
      const contentType = wantString(type ?? 'application/json', fn, 'content_type');
      const typed = list.some(([header]) => header.toLowerCase() === 'content-type');
      if (!typed && (name !== 'delete' || sent !== '')) list.unshift(['Content-Type', toWire(contentType)]);
      return send(t, {
        op: 'http',
        method: name.toUpperCase(),
        url: toWire(wantText(url, fn, 'url')),
        headers: list,
        body: toWire(sent),
      });
    });
  return defineModule('http', [
    bare('get'),
    withBody('post', 'url, body=, headers=, content_type='),
    withBody('put', 'url, body=, headers=, content_type='),
    withBody('patch', 'url, body=, headers=, content_type='),
    withBody('delete', 'url, headers=, body=, content_type='),
  ]);
}

function wantText(v: Value, fn: string, param: string): TextPart {
  if (typeof v === 'string' || v instanceof OpaqueString) return v;
  throw wrongType(fn, param, v, 'string');
}

function headersOf(fn: string, v: Value | undefined): Headers {
  if (v === undefined) return [];
  if (!(v instanceof StarDict)) throw wrongType(fn, 'headers', v, 'dict');
  const out: Headers = [];
  for (const [key, value] of v.map) {
    out.push([wantString(v.restore(key), fn, 'headers'), toWire(wantText(value, fn, 'headers'))]);
  }
  return out;
}

/** The limits that the broker has as well: no script may be taken for a process that breaks the protocol. */
function checkSizes(request: BrokerRequest & { readonly op: 'http' }): void {
  const tooLarge = (what: string, most: number): HostError =>
    new HostError('request_too_large', `${what} is larger than ${most} bytes (each secret counts 4096)`);
  if (request.headers.length > MESSAGE_LIMITS.headers)
    throw new HostError('request_too_large', `more than ${MESSAGE_LIMITS.headers} headers`);
  let headerBytes = 0;
  let units = textUnits(request.url) + textUnits(request.body);
  for (const [name, value] of request.headers) {
    if (name.length > MESSAGE_LIMITS.headerName)
      throw tooLarge('the name of a header', MESSAGE_LIMITS.headerName);
    headerBytes += name.length + nominalBytes(value);
    units += name.length + textUnits(value);
  }
  if (nominalBytes(request.url) > MESSAGE_LIMITS.url) throw tooLarge('the URL', MESSAGE_LIMITS.url);
  if (headerBytes > MESSAGE_LIMITS.headerBytes)
    throw tooLarge('what the headers hold', MESSAGE_LIMITS.headerBytes);
  if (nominalBytes(request.body) > MESSAGE_LIMITS.body) throw tooLarge('the body', MESSAGE_LIMITS.body);
  // Inside a hash a long text counts little, but it has to travel.
  if (units > MESSAGE_LIMITS.units) throw tooLarge('the text of the request', MESSAGE_LIMITS.units);
}

/** Units of all public text, that inside functions included. */
function textUnits(rope: WireRope): number {
  return rope.reduce((sum: number, node: WireNode) => {
    if (typeof node === 'string') return sum + node.length;
    if (node[0] === 'ref') return sum + node[1].length;
    return sum + textUnits(node[1]) + (node[0] === 'hmac' ? textUnits(node[2]) : 0);
  }, 0);
}

/** `content-type` is `Content-Type` to a script. */
function canonical(name: string): string {
  return name.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

function received(t: Thread, rope: WireRope): TextPart {
  const text = RopeString.fromWire(rope);
  t.allocateString(typeof text === 'string' ? text.length : text.size);
  return text;
}

function responseOf(t: Thread, response: BrokerResponse): StarRecord {
  const headers = newDict(t);
  for (const [name, value] of response.headers) headers.put(t, canonical(name), received(t, value));
  const out = new StarRecord();
  t.allocate(288);
  out.put(t, 'status', response.status);
  out.put(t, 'body', received(t, response.body));
  out.put(t, 'headers', headers);
  return out;
}
