// Guarantees: adds up an upstream's chunks to one answer within the limits; text and thinking pass the redactor as a
// stream before anybody sees them; tool calls come out only by `finish`, once the answer ended well, with ids of ours
// and arguments that are either one unambiguous JSON object or marked as unreadable.
// Does not: decide whether a tool exists or a call may run. An attacker may control: every chunk.
import {
  isJsonObject,
  type Json,
  type RedactionCounts,
  type RedactionStream,
  type Redactor,
} from '../../core/index.ts';
import { parseBoundedJson } from './bounded-json.ts';
import type { LlmLimits } from './limits.ts';
import type { GatewayToolCall, StepPart } from './ports.ts';
import type { LlmErrorCode } from './upstream-errors.ts';
import { callId } from './wires/call-id.ts';
import type { CallDelta, UpstreamChunk, UpstreamUsage } from './wires/upstream-chunk.ts';

interface OpenCall {
  id: string | undefined;
  name: string;
  argumentsText: string;
}

interface OpenPart {
  readonly stream: RedactionStream;
  text: string;
}

/** What a chunk added to a part, after redaction. */
export interface PartDelta {
  readonly part: StepPart;
  readonly delta: string;
  readonly full: string;
}

export type AnswerEnd =
  | { readonly ok: true; readonly calls: readonly GatewayToolCall[]; readonly unreadable: boolean }
  | { readonly ok: false; readonly code: LlmErrorCode };

export class Answer {
  readonly #limits: LlmLimits;
  readonly #redactor: Redactor;
  readonly #parts = new Map<StepPart, OpenPart>();
  readonly #calls: OpenCall[] = [];
  readonly #byIndex = new Map<number, OpenCall>();
  readonly #hidden: Record<string, number> = {};
  #chars = 0;
  #finish: string | null = null;
  #usage: UpstreamUsage = { input: null, output: null, cached: null, costUsd: null };

  constructor(limits: LlmLimits, redactor: Redactor) {
    this.#limits = limits;
    this.#redactor = redactor;
  }

  get finishReason(): string | null {
    return this.#finish;
  }

  get usage(): UpstreamUsage {
    return this.#usage;
  }

  /** Of text, thinking and arguments together. */
  get chars(): number {
    return this.#chars;
  }

  get started(): boolean {
    return this.#chars > 0 || this.#calls.length > 0;
  }

  /** Something of a text or of thinking came, though the redactor may hold it back still. */
  get said(): boolean {
    return this.#parts.size > 0;
  }

  /** By name of the secret, in texts and arguments together. */
  get hidden(): RedactionCounts {
    const sum = { ...this.#hidden };
    for (const { stream } of this.#parts.values()) add(sum, stream.hidden);
    return sum;
  }

  push(chunk: UpstreamChunk): readonly PartDelta[] | LlmErrorCode {
    this.#chars += chunk.text.length + chunk.thinking.length;
    for (const delta of chunk.calls) this.#chars += delta.argumentsText.length;
    if (this.#chars > this.#limits.answerChars) return 'llm_too_large';
    for (const delta of chunk.calls) {
      const problem = this.#call(delta);
      if (problem) return problem;
    }
    if (chunk.finish !== undefined && chunk.finish !== '') this.#finish = chunk.finish.slice(0, 64);
    if (chunk.usage) this.#usage = chunk.usage;
    return [...this.#part('thinking', chunk.thinking), ...this.#part('text', chunk.text)];
  }

  /** The tails that the redactor held back, and each part as a whole. */
  endParts(): readonly PartDelta[] {
    return [...this.#parts].map(([part, open]) => {
      const delta = open.stream.end();
      open.text += delta;
      return { part, delta, full: open.text };
    });
  }

  /** Whether the answer may be believed, and its calls. After the upstream's end only. */
  end(step: number): AnswerEnd {
    switch (this.#finish) {
      case null:
        return { ok: false, code: 'llm_no_finish' };
      case 'error':
        return { ok: false, code: 'llm_upstream_failing' };
      case 'length':
        if (this.#calls.length > 0) return { ok: false, code: 'llm_call_cut' };
        break;
      case 'content_filter':
        if (this.#calls.length > 0 || !this.started) return { ok: false, code: 'llm_filtered' };
        break;
      default:
    }
    if (!this.started) return { ok: false, code: 'llm_empty_answer' };
    const calls = this.#calls.map((call, index) => this.#finished(call, step, index));
    return { ok: true, calls, unreadable: calls.some((call) => call.arguments === undefined) };
  }

  #part(part: StepPart, text: string): PartDelta[] {
    if (text === '') return [];
    let open = this.#parts.get(part);
    if (!open) {
      open = { stream: this.#redactor.stream(), text: '' };
      this.#parts.set(part, open);
    }
    const delta = open.stream.push(text);
    open.text += delta;
    return delta === '' ? [] : [{ part, delta, full: open.text }];
  }

  /**
   * Upstreams differ: some leave the index out, some give every call the index 0, some repeat id and name in each delta,
   * some invent a new id for each. A new id with a name opens a call; everything else belongs to the call it points at.
   */
  #call(delta: CallDelta): LlmErrorCode | undefined {
    let open =
      delta.index === undefined
        ? delta.id === undefined
          ? this.#calls.at(-1)
          : this.#calls.find((call) => call.id === delta.id)
        : this.#byIndex.get(delta.index);
    const another = open && delta.name && delta.id && open.id && delta.id !== open.id;
    // Without index and id, a name on a call that has arguments already is the next call.
    const next =
      open && delta.index === undefined && delta.id === undefined && delta.name && open.argumentsText !== '';
    if (!open || another || next) {
      if (this.#calls.length >= this.#limits.calls) return 'llm_too_many_calls';
      open = { id: delta.id, name: delta.name ?? '', argumentsText: '' };
      this.#calls.push(open);
      if (delta.index !== undefined) this.#byIndex.set(delta.index, open);
    }
    open.id ??= delta.id;
    if (open.name === '') open.name = delta.name ?? '';
    open.argumentsText += delta.argumentsText;
    return open.argumentsText.length > this.#limits.argumentsChars ? 'llm_too_large' : undefined;
  }

  #finished(call: OpenCall, step: number, index: number): GatewayToolCall {
    const id = callId(step, index);
    const name = this.#redactor.text(safeName(call.name)).value;
    const parsed = readArguments(call.argumentsText, this.#limits.argumentsDepth);
    if (parsed === undefined) {
      const { value, hidden } = this.#redactor.text(call.argumentsText);
      add(this.#hidden, hidden);
      return { index, id, name: safeName(name), argumentsText: value, arguments: undefined };
    }
    const { value, hidden } = this.#redactor.json(parsed);
    add(this.#hidden, hidden);
    // Written anew, so that everybody behind us reads the same: a key given twice has one meaning.
    return { index, id, name: safeName(name), argumentsText: JSON.stringify(value), arguments: value };
  }
}

function readArguments(text: string, maxDepth: number): Json | undefined {
  // Many models say nothing where a tool needs no arguments.
  if (text.trim() === '') return {};
  const parsed = parseBoundedJson(text, maxDepth);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
}

/** A name that every upstream takes back in the history of a conversation. */
function safeName(name: string): string {
  const safe = name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64);
  return safe === '' ? 'unnamed' : safe;
}

function add(sum: Record<string, number>, counts: RedactionCounts): void {
  for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
}
