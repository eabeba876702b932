// Guarantees: the one place where values and public text are put together. What comes out goes to the sender and, as
// what to look for, to the search of the answer; nothing else.
// Does not: judge; only a judged request may come here.
// An attacker may control: the public text and the order of references.
import { createHash, createHmac } from 'node:crypto';
import { percentEncode, referencesOf, type WireNode, type WireRope } from '../../../sandbox/wire/index.ts';
import type { JudgedRequest } from './judge.ts';

/** A function of secrets that was computed for a request. */
export interface Derived {
  /** What it is, in public words. */
  readonly node: WireNode;
  readonly value: string;
  /** Ids of the references in it. */
  readonly ids: readonly string[];
}

export interface EvaluatedRequest {
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly derived: readonly Derived[];
}

/** A value is gone, or the texts together are no request. Says nothing more: it would be about a value. */
export class EvaluationError extends Error {}

export function evaluateRequest(
  request: JudgedRequest,
  reveal: (id: string) => string | undefined,
): EvaluatedRequest {
  const derived: Derived[] = [];
  const value = (id: string): string => {
    const found = reveal(id);
    if (found === undefined) throw new EvaluationError();
    return found;
  };
  const rope = (nodes: WireRope): string => nodes.map(node).join('');
  function node(item: WireNode): string {
    if (typeof item === 'string') return item;
    if (item[0] === 'ref') return value(item[1]);
    const text = apply(item, rope);
    const ids = [...referencesOf([item])];
    if (ids.length > 0) derived.push({ node: item, value: text, ids });
    return text;
  }
  const urlNode = (item: WireNode): string =>
    typeof item === 'string' ? item : item[0] === 'url' ? node(item) : percentEncode(node(item));

  const { plan } = request;
  const start = plan.base === undefined ? plan.origin : value(plan.base);
  const url = start + plan.rest.map(urlNode).join('');
  // A value like `..` would change the path; one that is no URL any more can't be sent.
  if (!URL.canParse(url) || new URL(url).origin !== plan.origin) throw new EvaluationError();
  if (plan.places.length > 0 && new URL(url).href !== url) throw new EvaluationError();
  const headers = request.headers.map(([name, text]) => {
    const evaluated = rope(text);
    if (!/^[\t\x20-\x7e]*$/.test(evaluated)) throw new EvaluationError();
    return [name, evaluated] as const;
  });
  return { url, headers, body: rope(request.body), derived };
}

function apply(
  item: Exclude<WireNode, string | readonly ['ref', string]>,
  rope: (nodes: WireRope) => string,
): string {
  const text = rope(item[1]);
  switch (item[0]) {
    case 'b64':
      return Buffer.from(text, 'utf8').toString('base64');
    case 'b64url':
      // With padding, as base64.encode(s, url_safe=True) has it.
      return Buffer.from(text, 'utf8').toString('base64').replaceAll('+', '-').replaceAll('/', '_');
    case 'url':
      return percentEncode(text);
    case 'json':
      return JSON.stringify(text);
    case 'sha256':
      return createHash('sha256').update(text, 'utf8').digest('hex');
    case 'hmac':
      return createHmac('sha256', text).update(rope(item[2]), 'utf8').digest('hex');
  }
}
