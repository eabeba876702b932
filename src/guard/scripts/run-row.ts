/** The record of a run at its beginning: everything but how it ends. */
import {
  newId,
  principalText,
  type Clock,
  type Json,
  type Origin,
  type Principal,
} from '../../core/index.ts';
import type { ScriptRunKind, ScriptRunRow } from '../../host/storage/script-run-store.ts';
import type { Audit } from '../audit/index.ts';

interface RunFacts {
  readonly name: string;
  readonly function?: string | undefined;
  readonly args?: readonly Json[] | undefined;
  readonly kwargs?: { readonly [name: string]: Json } | undefined;
  readonly by: Principal;
  readonly origin: Origin;
}

export function newRunRow(
  { clock, audit }: { readonly clock: Clock; readonly audit: Audit },
  ask: RunFacts,
  facts: { readonly hash: string; readonly kind: ScriptRunKind; readonly granted: string | null },
): ScriptRunRow {
  const now = clock.now();
  return {
    id: newId('run', now),
    name: ask.name,
    hash: facts.hash,
    kind: facts.kind,
    caller: principalText(ask.by),
    origin: ask.origin,
    conversation_id: ask.by.kind === 'assistant' ? ask.by.conversationId : null,
    function: ask.function ?? null,
    arguments: audit.digest({ args: ask.args ?? [], kwargs: ask.kwargs ?? {} }),
    granted: facts.granted,
    started_at: now,
    duration_ms: null,
    queued_ms: null,
    steps: null,
    outcome: 'running',
    code: null,
    message: null,
    requests: '[]',
    request_count: 0,
    bytes: 0,
    secrets: '[]',
    hidden: '{}',
  };
}
