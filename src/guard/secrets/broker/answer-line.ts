/** An answer as the line of JSON that it travels as; a long body is written in slices. */
import type { BrokerAnswer, WireNode } from '../../../sandbox/wire/index.ts';
import { SLICE, type Slices } from './slices.ts';

export function* answerLine(answer: BrokerAnswer): Slices<string> {
  if (!('response' in answer)) return JSON.stringify(answer);
  const { status, headers, body } = answer.response;
  const nodes: string[] = [];
  for (const node of body) nodes.push(yield* nodeText(node));
  return `{"response":{"status":${status},"headers":${JSON.stringify(headers)},"body":[${nodes.join(',')}]}}`;
}

function* nodeText(node: WireNode): Slices<string> {
  if (typeof node !== 'string' || node.length <= SLICE) return JSON.stringify(node);
  const parts: string[] = [];
  // Where a pair of surrogates is cut, both halves are written as escapes, which read as the pair again.
  for (let at = 0; at < node.length; at += SLICE) {
    parts.push(JSON.stringify(node.slice(at, at + SLICE)).slice(1, -1));
    yield;
  }
  return `"${parts.join('')}"`;
}
