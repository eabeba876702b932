// Guarantees: an upstream's list of models as at most `MAX_MODELS` entries with well-formed names; never throws for what
// an upstream does, but says in words why there is no list. An attacker may control: the upstream's answer.
import { AppError, type UpstreamName } from '../../core/index.ts';
import { parseBoundedJson } from './bounded-json.ts';
import type { ModelRoute } from './route.ts';
import { codeOfConnection, codeOfReport, explained, llmError } from './upstream-errors.ts';
import { actsByItself, isModelName } from './upstream-kinds.ts';
import type { ListedModel } from './wires/wire.ts';

export interface ModelView {
  readonly provider: UpstreamName;
  readonly model: string;
  readonly label: string;
  readonly context_limit: number | null;
}

export type ModelList =
  | { readonly ok: true; readonly models: readonly ModelView[] }
  | { readonly ok: false; readonly problem: string };

const MAX_BYTES = 2 * 1024 * 1024;
const MAX_MODELS = 1_000;
const MAX_PAGES = 5;
const TIMEOUTS = { connectMs: 3_000, headersMs: 5_000, idleMs: 3_000, totalMs: 8_000 };

export async function fetchModels(
  provider: UpstreamName,
  route: ModelRoute,
  signal: AbortSignal,
): Promise<ModelList> {
  const { modelList } = route.wire;
  const models: ModelView[] = [];
  let after: string | undefined;
  try {
    for (let page = 0; page < MAX_PAGES && models.length < MAX_MODELS; page += 1) {
      const answer = await route.send({
        path: modelList.path(after),
        signal,
        timeouts: TIMEOUTS,
        maxBytes: MAX_BYTES,
      });
      if (answer.status !== 200) {
        answer.close();
        return { ok: false, problem: problemOf(route, answer.status) };
      }
      const parts: Uint8Array[] = [];
      for await (const part of answer.body) parts.push(part);
      const parsed = parseBoundedJson(Buffer.concat(parts).toString('utf8'), 32);
      const list = parsed.ok ? modelList.read(parsed.value) : undefined;
      if (list === undefined) return { ok: false, problem: words(route, 'llm_garbled') };
      models.push(...readModels(provider, list.models).slice(0, MAX_MODELS - models.length));
      after = list.next;
      if (after === undefined) break;
    }
    return { ok: true, models: models.sort((a, b) => (a.model < b.model ? -1 : 1)) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return {
      ok: false,
      problem: error.family === 'upstream' ? words(route, codeOfConnection(error.code)) : explained(error),
    };
  }
}

function readModels(provider: UpstreamName, list: readonly ListedModel[]): ModelView[] {
  const models: ModelView[] = [];
  for (const { id, label, context } of list.slice(0, MAX_MODELS)) {
    if (typeof id !== 'string' || !isModelName(id) || !canChat(id) || actsByItself(id)) continue;
    models.push({
      provider,
      model: id,
      label: typeof label === 'string' && /^[\p{L}\p{N}\p{P}\p{S} ]{1,100}$/u.test(label) ? label : id,
      context_limit:
        typeof context === 'number' && Number.isSafeInteger(context) && context > 0 ? context : null,
    });
  }
  return models;
}

/** Providers list everything that they sell; these can't hold a conversation. */
function canChat(id: string): boolean {
  return !/embed|whisper|tts|dall-e|moderation|gpt-image|sora|realtime|transcribe|audio|davinci|babbage|rerank/i.test(
    id,
  );
}

function problemOf(route: ModelRoute, status: number): string {
  if (status === 404) {
    return `${route.label} has no list of models under this address. Check the base URL; it usually ends in /v1.`;
  }
  return words(route, codeOfReport(status, undefined));
}

function words(route: ModelRoute, code: Parameters<typeof llmError>[0]): string {
  return explained(llmError(code, { label: route.label, model: '' }));
}
