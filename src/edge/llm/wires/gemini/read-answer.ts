// Guarantees: from whatever an upstream sends as an event of generateContent, only the facts below, with the types below;
// what the provider ran or looked up by itself ends the answer.
// Does not: add them up or limit them. An attacker may control: the whole event.
import { isJsonObject, type Json, type JsonObject } from '../../../../core/index.ts';
import { parseBoundedJson } from '../../bounded-json.ts';
import { countOf, listOf, textOf } from '../json-facts.ts';
import { EMPTY_CHUNK, type CallDelta, type UpstreamChunk, type UpstreamReport } from '../upstream-chunk.ts';
import type { UpstreamReader } from '../wire.ts';
import { SignedAnswer } from './signed-answer.ts';

/** Of a part and of a candidate: the provider did something that nobody here decided on. */
const ACTED = ['executableCode', 'codeExecutionResult', 'toolCall', 'toolResponse'];
const ACTED_IN_CANDIDATE = ['groundingMetadata', 'urlContextMetadata'];
/** An event has at least one of them. */
const KNOWN = ['candidates', 'promptFeedback', 'usageMetadata', 'modelVersion', 'responseId'];

/** Reads the events of one answer in their order. */
export function createReader(): UpstreamReader {
  const signed = new SignedAnswer();
  let calls = 0;
  let over = false;

  function callOf(definition: JsonObject): CallDelta {
    const { args } = definition;
    const index = calls;
    calls += 1;
    return {
      index,
      id: undefined,
      name: textOf(definition['name']) || undefined,
      argumentsText: args === undefined || args === null ? '' : JSON.stringify(args),
    };
  }

  function candidateOf(candidate: JsonObject): UpstreamChunk {
    const content = isJsonObject(candidate['content']) ? candidate['content'] : {};
    let text = '';
    let thinking = '';
    const found: CallDelta[] = [];
    let acted = ACTED_IN_CANDIDATE.find((key) => isFilled(candidate[key]));
    for (const part of listOf(content['parts'])) {
      if (!isJsonObject(part)) continue;
      acted ??= ACTED.find((key) => isJsonObject(part[key]));
      const words = textOf(part['text']) ?? '';
      const signature = textOf(part['thoughtSignature']);
      if (isJsonObject(part['functionCall'])) {
        found.push(callOf(part['functionCall']));
        signed.call(signature);
        continue;
      }
      const thought = part['thought'] === true;
      if (thought) thinking += words;
      else text += words;
      signed.text(words, thought, signature);
    }
    const error = acted === undefined ? endError(candidate) : ran(acted);
    const finish = error ? undefined : finishOf(textOf(candidate['finishReason']));
    return { ...EMPTY_CHUNK, text, thinking, calls: found, error, finish };
  }

  function read(event: JsonObject): UpstreamChunk | undefined {
    const { error } = event;
    if (error !== undefined && error !== null) return { ...EMPTY_CHUNK, error: reportOf(error) };
    if (!KNOWN.some((key) => key in event)) return undefined;
    // We ask for one candidate; what else comes is not ours.
    const candidate = listOf(event['candidates']).find(
      (item) => isJsonObject(item) && (item['index'] ?? 0) === 0,
    );
    const chunk = isJsonObject(candidate) ? candidateOf(candidate) : EMPTY_CHUNK;
    const feedback = isJsonObject(event['promptFeedback']) ? event['promptFeedback'] : {};
    // The prompt itself was refused: there is no candidate.
    const finish = textOf(feedback['blockReason']) === undefined ? chunk.finish : 'content_filter';
    if (finish !== undefined || chunk.error) over = true;
    // Counts before the end are of what has come so far: only the last ones say what the call came to.
    return { ...chunk, finish, usage: over ? readUsage(event['usageMetadata']) : undefined };
  }

  return {
    read(data, maxDepth) {
      const parsed = parseBoundedJson(data, maxDepth);
      return parsed.ok && isJsonObject(parsed.value) ? read(parsed.value) : undefined;
    },
    sealed: () => signed.value(),
  };
}

function finishOf(reason: string | undefined): string | undefined {
  switch (reason) {
    case undefined:
    case '':
    case 'FINISH_REASON_UNSPECIFIED':
      return undefined;
    case 'STOP':
    // Not of the API itself; servers that imitate it say so.
    case 'FUNCTION_CALL':
      return 'stop';
    case 'MAX_TOKENS':
    case 'CONTINUATION':
      return 'length';
    case 'SAFETY':
    case 'RECITATION':
    case 'BLOCKLIST':
    case 'PROHIBITED_CONTENT':
    case 'SPII':
    case 'LANGUAGE':
    case 'IMAGE_SAFETY':
      return 'content_filter';
    default:
      return 'error';
  }
}

const BAD_CALLS: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
]);

function endError(candidate: JsonObject): UpstreamReport | undefined {
  if (!BAD_CALLS.has(textOf(candidate['finishReason']) ?? '')) return undefined;
  const message = textOf(candidate['finishMessage']);
  return { status: undefined, type: undefined, message, known: 'llm_bad_call' };
}

function ran(what: string): UpstreamReport {
  return { status: undefined, type: undefined, message: what, known: 'llm_provider_acted' };
}

/** `{code, message, status, details}`; a wrong key is a 400 whose details name the reason. */
export function reportOf(value: Json): UpstreamReport | undefined {
  if (!isJsonObject(value)) return undefined;
  const type = textOf(value['status']);
  const message = textOf(value['message']);
  const wrongKey =
    /API key (not valid|expired)/i.test(message ?? '') ||
    listOf(value['details']).some((item) => isJsonObject(item) && item['reason'] === 'API_KEY_INVALID');
  const code = countOf(value['code']) ?? 0;
  const status = code >= 400 && code < 600 ? code : STATUS.get(type ?? '');
  return { status, type, message, ...(wrongKey ? { known: 'llm_unauthorized' } : {}) };
}

/** google.rpc.Code */
const STATUS: ReadonlyMap<string, number> = new Map([
  ['INVALID_ARGUMENT', 400],
  ['FAILED_PRECONDITION', 400],
  ['UNAUTHENTICATED', 401],
  ['PERMISSION_DENIED', 403],
  ['NOT_FOUND', 404],
  ['RESOURCE_EXHAUSTED', 429],
  ['INTERNAL', 500],
  ['UNAVAILABLE', 503],
  ['DEADLINE_EXCEEDED', 504],
]);

/** Cached tokens are a part of the prompt; thoughts are paid as answer and counted beside it. */
function readUsage(value: Json | undefined): UpstreamChunk['usage'] {
  if (!isJsonObject(value)) return undefined;
  const prompt = countOf(value['promptTokenCount']);
  const answer = countOf(value['candidatesTokenCount']);
  const thoughts = countOf(value['thoughtsTokenCount']);
  return {
    input: prompt === null ? null : prompt + (countOf(value['toolUsePromptTokenCount']) ?? 0),
    // Where nothing was said, its count is left out; where nothing was counted, the prompt's is as well.
    output: prompt === null && answer === null ? null : (answer ?? 0) + (thoughts ?? 0),
    cached: countOf(value['cachedContentTokenCount']),
    costUsd: null,
  };
}

function isFilled(value: Json | undefined): boolean {
  return isJsonObject(value) && Object.keys(value).length > 0;
}
