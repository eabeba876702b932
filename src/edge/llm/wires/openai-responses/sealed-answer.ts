import { isJsonObject, type Json, type JsonObject } from '../../../../core/index.ts';
import { listOf, textOf } from '../json-facts.ts';

/** Items of a provider as it names them. */
const ITEM_ID = /^[A-Za-z0-9_-]{1,128}$/;
/** What a provider encrypted for itself: base64, of either alphabet. */
const ENCRYPTED = /^[A-Za-z0-9+/_=.-]+$/;

/** The items of one answer in their order, with the place of each call: encrypted reasoning belongs to what follows it. */
export class SealedAnswer {
  readonly #items: JsonObject[] = [];
  #encrypted = false;

  text(delta: string): void {
    const last = this.#items.at(-1);
    const before = last?.['type'] === 'answer' ? textOf(last['text']) : undefined;
    if (before !== undefined) this.#items.pop();
    this.#items.push({ type: 'answer', text: (before ?? '') + delta });
  }

  call(): void {
    this.#items.push({ type: 'call' });
  }

  reasoning(item: JsonObject): void {
    const id = textOf(item['id']) ?? '';
    const encrypted = textOf(item['encrypted_content']) ?? '';
    if (!ITEM_ID.test(id) || !ENCRYPTED.test(encrypted)) return;
    const summary = listOf(item['summary']).flatMap((part) =>
      isJsonObject(part) && typeof part['text'] === 'string'
        ? [{ type: 'summary_text', text: part['text'] }]
        : [],
    );
    this.#encrypted = true;
    this.#items.push({ type: 'reasoning', id, encrypted_content: encrypted, summary });
  }

  /** Undefined: nothing that must go back. */
  value(): Json | undefined {
    return this.#encrypted ? this.#items : undefined;
  }
}

/** The items as they go back upstream; `{type: 'call'}` stands for a call. */
export function sealedItems(kept: Json | undefined): JsonObject[] | undefined {
  if (kept === undefined) return undefined;
  return listOf(kept).flatMap((item) => {
    if (!isJsonObject(item)) return [];
    return [item['type'] === 'answer' ? { role: 'assistant', content: item['text'] ?? '' } : item];
  });
}
