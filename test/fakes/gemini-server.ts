/**
 * A fake of the Gemini API's streamGenerateContent. Like the real one it refuses fields that it doesn't know, a wrong key
 * with a 400, results that don't match the calls before them, and calls of the running turn without their signature.
 */
import {
  pieces,
  startWireServer,
  type WireAnswer,
  type WireOptions,
  type WireRefusal,
  type WireRequest,
  type WireServer,
} from './wire-server.ts';

export interface GeminiServerOptions extends WireOptions {
  readonly apiKey?: string;
  /** For GET /v1beta/models. */
  readonly models?: readonly Readonly<Record<string, unknown>>[];
  /** Of every page of that list. */
  readonly nextPageToken?: string;
}

/** `url` is the base URL. */
export async function startGeminiServer(
  options: GeminiServerOptions = {},
): Promise<WireServer & { readonly url: string }> {
  function refuse(request: WireRequest): WireRefusal | undefined {
    const { headers, path, body } = request;
    if (options.apiKey !== undefined && headers['x-goog-api-key'] !== options.apiKey) {
      return error(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' },
      ]);
    }
    if (/[?&]key=/.test(path)) return error(400, 'INVALID_ARGUMENT', 'the key stands in the URL');
    if (request.method !== 'POST') return undefined;
    const unknown = Object.keys(body).find((name) => !FIELDS.has(name));
    if (unknown !== undefined) {
      return error(
        400,
        'INVALID_ARGUMENT',
        `Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`,
      );
    }
    return refuseContents(body.contents);
  }

  function eventsOf(answer: WireAnswer, count: number): unknown[] {
    const rest = { modelVersion: 'fake', responseId: `r${count}` };
    const chunk = (parts: unknown[], more: object = {}): unknown => ({
      candidates: [{ content: { parts, role: 'model' }, index: 0, ...more }],
      usageMetadata: { promptTokenCount: 40, totalTokenCount: 40 },
      ...rest,
    });
    const events = [
      ...pieces(answer.thinking).map((text) => chunk([{ text, thought: true }])),
      ...pieces(answer.text).map((text) => chunk([{ text }])),
    ];
    if (answer.calls?.length) {
      events.push(
        chunk(
          answer.calls.map(({ name, arguments: args }, index) => ({
            functionCall: { name, args, id: `g${count}-${index}` },
            // Only the first of several calls is signed.
            ...(index === 0 ? { thoughtSignature: `${SIGNED}${count}==` } : {}),
          })),
        ),
      );
    }
    if (answer.cut === true) return events;
    events.push({
      candidates: [{ content: { parts: [{ text: '' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
      usageMetadata: {
        promptTokenCount: 40,
        cachedContentTokenCount: 8,
        candidatesTokenCount: 10,
        thoughtsTokenCount: 20,
        totalTokenCount: 70,
      },
      ...rest,
    });
    return events;
  }

  const server = await startWireServer(options, {
    refuse,
    eventsOf,
    named: false,
    isAsk: ({ path }) => /^\/v1beta\/models\/[^/?]+:streamGenerateContent\?alt=sse$/.test(path),
    get: ({ path }) =>
      path.startsWith('/v1beta/models') && options.models
        ? { models: options.models, nextPageToken: options.nextPageToken }
        : undefined,
  });
  return { ...server, url: `${server.origin}/v1beta` };
}

const SIGNED = 'CpcBAdHtim9';
/** Documented for calls of other models. */
const UNSIGNED = 'skip_thought_signature_validator';

const FIELDS = new Set([
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'safetySettings',
  'cachedContent',
]);

interface Part {
  readonly text?: string;
  readonly functionCall?: { readonly name: string; readonly id?: string };
  readonly functionResponse?: { readonly name: string; readonly id?: string };
  readonly thoughtSignature?: string;
}

function refuseContents(
  contents: readonly { readonly role: string; readonly parts: readonly Part[] }[],
): WireRefusal | undefined {
  // The running turn begins behind the last words of the user.
  const began = contents.findLastIndex(
    ({ role, parts }) => role === 'user' && parts.some((part) => part.text !== undefined),
  );
  for (const [place, { role, parts }] of contents.entries()) {
    const calls = parts.flatMap((part) => (part.functionCall ? [part.functionCall] : []));
    if (role !== 'model' || calls.length === 0) continue;
    const answers = (contents[place + 1]?.parts ?? []).flatMap((part) =>
      part.functionResponse ? [part.functionResponse] : [],
    );
    if (answers.length !== calls.length) {
      return error(
        400,
        'INVALID_ARGUMENT',
        'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.',
      );
    }
    if (
      answers.some((answer, index) => answer.name !== calls[index]?.name || answer.id !== calls[index]?.id)
    ) {
      return error(400, 'INVALID_ARGUMENT', 'A function response does not match its function call.');
    }
    const first = parts.find((part) => part.functionCall);
    const signature = first?.thoughtSignature ?? '';
    if (place > began && !signature.startsWith(SIGNED) && signature !== UNSIGNED) {
      return error(
        400,
        'INVALID_ARGUMENT',
        'Function call is missing a thought_signature in functionCall parts.',
      );
    }
  }
  return undefined;
}

function error(code: number, status: string, message: string, details: readonly unknown[] = []): WireRefusal {
  return { status: code, body: { error: { code, message, status, details } } };
}
