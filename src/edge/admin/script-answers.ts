/** What the routes of scripts answer, as schemas: the API describes itself with them, tests hold answers against them. */
import { z } from 'zod';
import { oneOf, type Shape } from './answer-shape.ts';
import type {
  Script,
  ScriptDiff,
  ScriptGrantView,
  ScriptHistory,
  ScriptList,
  ScriptPower,
  ScriptQuotas,
  ScriptRestored,
  ScriptRunChart,
  ScriptRunList,
  ScriptRunView,
  ScriptStatus,
  ScriptSummary,
  ScriptTestAnswer,
  ScriptVersionText,
  ScriptVersionView,
} from './script-api.ts';

const hash = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const time = z.iso.datetime();
const maybe = <T extends z.ZodType>(schema: T) => schema.nullable();
const text = z.string();
const count = z.number().int().min(0);
const quota = z.exactOptional(count);
const status = oneOf<ScriptStatus>({
  pending: true,
  approved: true,
  rejected: true,
  disabled: true,
});

const grant = z.strictObject({
  secrets: z.record(text, z.json()),
  hosts: z.array(text),
  methods: z.array(text),
  hidden_fields: z.exactOptional(z.array(text)),
  expires_at: z.exactOptional(time),
  quotas: z.exactOptional(
    z.strictObject({ runs_per_hour: quota, requests_per_hour: quota, bytes_per_hour: quota }),
  ),
} satisfies Shape<ScriptGrantView>);

const power = z.strictObject({
  summary: text,
  lines: z.array(
    z.strictObject({
      kind: oneOf<ScriptPower['lines'][number]['kind']>({
        secret: true,
        host: true,
        method: true,
        limit: true,
        none: true,
      }),
      text,
      fresh: z.boolean(),
    }),
  ),
  warnings: z.array(text),
} satisfies Shape<ScriptPower>);

const run = z.strictObject({
  id: text,
  hash,
  kind: oneOf<ScriptRunView['kind']>({ run: true, exec: true, test: true }),
  caller: text,
  conversation_id: maybe(text),
  function: maybe(text),
  arguments: text,
  grant: maybe(grant),
  started_at: time,
  duration_ms: maybe(count),
  queued_ms: maybe(count),
  steps: maybe(count),
  outcome: oneOf<ScriptRunView['outcome']>({
    running: true,
    ok: true,
    error: true,
    killed: true,
    unknown: true,
  }),
  code: maybe(text),
  message: maybe(text),
  requests: z.array(
    z.strictObject({
      method: text,
      host: text,
      status: maybe(count),
      bytes: maybe(count),
      secrets: z.array(text),
      refused: z.exactOptional(text),
    }),
  ),
  bytes: count,
  secrets: z.array(text),
  redactions: z.record(text, count),
} satisfies Shape<ScriptRunView>);

const summary = {
  name: text,
  hash,
  status,
  modified: z.boolean(),
  refused: maybe(z.strictObject({ code: text, message: text })),
  revision: count,
  file: oneOf<ScriptSummary['file']>({ same: true, missing: true, unreadable: true }),
  description: text,
  required_secrets: z.array(text),
  power: text,
  author: text,
  created_at: time,
  modified_at: time,
  approved_hash: maybe(hash),
  approved_at: maybe(time),
  approved_by: maybe(text),
  rejected_at: maybe(time),
  rejected_by: maybe(text),
  reject_reason: maybe(text),
  disabled_at: maybe(time),
  disabled_by: maybe(text),
  last_run: maybe(run),
} satisfies Shape<ScriptSummary>;

const version = {
  hash,
  commit: hash,
  parent: maybe(hash),
  author: text,
  how: oneOf<ScriptVersionView['how']>({
    tool: true,
    page: true,
    folder: true,
    restored: true,
    import: true,
  }),
  message: text,
  timestamp: time,
  decision: maybe(
    oneOf<NonNullable<ScriptVersionView['decision']>>({ approved: true, rejected: true, passed_over: true }),
  ),
  decided_at: maybe(time),
  decided_by: maybe(text),
  reason: maybe(text),
} satisfies Shape<ScriptVersionView>;

const placed = z.strictObject({ line: count, message: text });

const quotas = z.strictObject({
  runs_per_hour: count,
  requests_per_hour: count,
  bytes_per_hour: count,
} satisfies Shape<ScriptQuotas>);

export const scriptAnswer = z.strictObject({
  ...summary,
  source: text,
  bytes: count,
  metadata: z.record(text, text),
  functions: z.array(z.strictObject({ name: text, params: z.array(text) })),
  problems: z.array(placed),
  grant: maybe(grant),
  proposed_grant: grant,
  proposed_power: power,
  granted_power: maybe(power),
  missing_secrets: z.array(text),
  quotas: z.strictObject({ usual: quotas, most: quotas }),
  offers: z.array(
    z.strictObject({
      kind: oneOf<Script['offers'][number]['kind']>({ host: true, method: true, secret: true }),
      what: text,
      hash,
      times: count,
      last_at: time,
    }),
  ),
  execution_history: z.array(run),
} satisfies Shape<Script>);

export const scriptListAnswer = z.strictObject({
  scripts: z.array(z.strictObject(summary)),
} satisfies Shape<ScriptList>);

export const scriptRunsAnswer = z.strictObject({ runs: z.array(run) } satisfies Shape<ScriptRunList>);

export const scriptRunChartAnswer = z.strictObject({
  by: oneOf<ScriptRunChart['by']>({ hour: true, day: true }),
  stretches: z.array(z.strictObject({ at: time, ok: count, error: count, killed: count, other: count })),
  complete: z.boolean(),
} satisfies Shape<ScriptRunChart>);

export const scriptHistoryAnswer = z.strictObject({
  versions: z.array(z.strictObject(version)),
} satisfies Shape<ScriptHistory>);

export const scriptVersionAnswer = z.strictObject({
  ...version,
  source: text,
} satisfies Shape<ScriptVersionText>);

export const scriptDiffAnswer = z.strictObject({
  from: hash,
  to: hash,
  diff: text,
} satisfies Shape<ScriptDiff>);

export const scriptRestoredAnswer = z.strictObject({
  name: text,
  status,
  hash,
  restored_from: hash,
} satisfies Shape<ScriptRestored>);

export const scriptTestAnswer = z.strictObject({
  success: z.boolean(),
  live: z.boolean(),
  run_id: maybe(text),
  result: z.json(),
  error: maybe(z.strictObject({ code: text, message: text, line: maybe(count) })),
  duration_ms: count,
  logs: z.array(text),
  requests: z.array(z.strictObject({ method: text, url: text, refused: maybe(text) })),
} satisfies Shape<ScriptTestAnswer>);
