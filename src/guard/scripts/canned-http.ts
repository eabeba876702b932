// Guarantees: a test of a version that nobody approved reaches no host: each request is answered from the table that came
// with the test, or fails as a host that is not there. Requests are matched as people see them, so that no secret decides.
// An attacker may control: the table (the owner sends it), the requests.
import { AppError, isJsonObject, type Json } from '../../core/index.ts';
import type { OutgoingRequest, SendResult } from '../secrets/broker/index.ts';

/** `{"GET https://host/path": {status, headers, body}}`; a list answers in order, its last entry for ever. */
export function readCannedHttp(data: Json | undefined): (request: OutgoingRequest) => SendResult {
  if (data === undefined || data === null) return () => ({ failed: 'connection_failed' });
  if (!isJsonObject(data)) throw refuse('"http" is not an object.');
  const table = new Map(
    Object.entries(data).map(([key, value]) => {
      if (!/^[A-Z]+ https?:\/\/\S+$/.test(key))
        throw refuse(`"${key.slice(0, 100)}" is not a method and an address.`);
      const list = Array.isArray(value)
        ? value.map((item: Json) => readAnswer(key, item))
        : [readAnswer(key, value)];
      if (list.length === 0) throw refuse(`"${key.slice(0, 100)}" has no answer.`);
      return [key, list] as const;
    }),
  );
  const asked = new Map<string, number>();
  return ({ shown, maxBytes }) => {
    const key = `${shown.method} ${shown.url}`;
    const list = table.get(key);
    if (list === undefined) return { failed: 'connection_failed' };
    const time = asked.get(key) ?? 0;
    asked.set(key, time + 1);
    const answer = list[Math.min(time, list.length - 1)];
    if (answer === undefined) return { failed: 'connection_failed' };
    if (answer.body.byteLength > maxBytes) return { failed: 'too_large', status: answer.status };
    return answer;
  };
}

function readAnswer(key: string, data: Json): Extract<SendResult, { status: number; body: unknown }> {
  const about = `The answer to "${key.slice(0, 100)}"`;
  if (!isJsonObject(data)) throw refuse(`${about} is not an object.`);
  const { status = 200, headers = {}, body = '', ...rest } = data;
  const [stray] = Object.keys(rest);
  if (stray !== undefined) throw refuse(`${about} has the unknown member "${stray.slice(0, 80)}".`);
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 100 || status > 599)
    throw refuse(`${about} has no status from 100 to 599.`);
  if (!isJsonObject(headers) || Object.values(headers).some((value) => typeof value !== 'string'))
    throw refuse(`${about} has headers that are no texts.`);
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    status,
    headers: Object.entries(headers).map(([name, value]) => [name, value as string] as const),
    body: new TextEncoder().encode(text),
  };
}

function refuse(message: string): AppError {
  return new AppError({ family: 'input', code: 'invalid_request', message });
}
