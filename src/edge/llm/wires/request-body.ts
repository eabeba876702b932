// Guarantees: what passes is a JSON object of bounded depth, with top-level fields from the wire's closed list and no others.
// Does not: look into the fields. An attacker may control: the whole text.
import { isJsonObject, type JsonObject } from '../../../core/index.ts';
import { parseBoundedJson } from '../bounded-json.ts';
import { notAllowed, quoted } from './refusals.ts';
import type { RefusedPrompt } from './wire.ts';

export function readRequestBody(
  text: string,
  fields: ReadonlySet<string>,
  maxDepth: number,
): { readonly ok: true; readonly body: JsonObject } | RefusedPrompt {
  const parsed = parseBoundedJson(text, maxDepth);
  if (!parsed.ok) return notAllowed('llm_body_invalid', `its body is ${parsed.problem}`);
  if (!isJsonObject(parsed.value)) return notAllowed('llm_body_invalid', 'its body is no JSON object');
  const field = Object.keys(parsed.value).find((key) => !fields.has(key));
  if (field !== undefined) {
    return notAllowed(
      'llm_field_refused',
      `the field ${quoted(field)} is not on the list of what may be sent`,
    );
  }
  return { ok: true, body: parsed.value };
}

/** For wires that name the model in the body. */
export function refusedModel(body: JsonObject, model: string): RefusedPrompt | undefined {
  if (body['model'] === model) return undefined;
  return notAllowed(
    'llm_model_refused',
    `it asks for the model ${quoted(body['model'])}, this turn runs on another`,
  );
}
