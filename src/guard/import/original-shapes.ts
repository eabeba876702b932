/** The files of the original (Go) in `secure/data`, as it writes them. What is not named here is not looked at. */
import { z } from 'zod';

/** Bounded, so that no name or time can fill a screen or the log. */
const short = z.string().max(256);
const time = z.string().max(64).nullish();

/** Go writes null for a list or map that was never filled. */
const users = z
  .array(
    z.object({
      username: short.min(1),
      password_hash: short,
      created_at: time,
    }),
  )
  .max(1000)
  .superRefine((list, context) => {
    const known = new Map<string, number>();
    for (const [at, { username }] of list.entries()) {
      const before = known.get(username.toLowerCase());
      if (before !== undefined) {
        const message = `is the user name of [${before}] once more`;
        context.addIssue({ code: 'custom', path: [at, 'username'], message });
      }
      known.set(username.toLowerCase(), at);
    }
  })
  .nullable()
  .transform((list) => list ?? []);

const secrets = z
  .object({ secrets: z.record(short, z.object({ value: z.string() })).nullable() })
  .transform((file) => entriesOf(file.secrets))
  .refine((list) => list.length <= 500, 'more than 500 secrets');

const approvals = z
  .record(
    short,
    z.object({
      hash: short,
      status: short,
      approved_at: time,
      approved_by: short.nullish(),
      rejected_at: time,
      rejected_by: short.nullish(),
    }),
  )
  .nullable()
  .transform((map) => new Map(entriesOf(map)));

const schedule = z.object({
  id: z.string().min(1).max(64),
  name: z.string().min(1).max(128),
  cron_expr: z.string().min(1).max(256),
  type: z.enum(['script', 'agent']),
  enabled: z.boolean(),
  run_once: z.boolean().nullish(),
  script_name: short.nullish(),
  prompt: z.string().max(8192).nullish(),
  output_target: z.object({ provider: short, channel_id: short }).nullish(),
  created_at: time,
  updated_at: time,
});

const schedules = z
  .object({ schedules: z.record(short, schedule).nullable() })
  .transform((file) => entriesOf(file.schedules))
  .refine((list) => list.length <= 1000, 'more than 1,000 schedules')
  .refine(
    (list) => list.every(([key, { id }]) => key === id),
    'a schedule stands under another id than its own',
  )
  .transform((list) => list.map(([, one]) => one));

function entriesOf<T>(map: Readonly<Record<string, T>> | null): readonly (readonly [string, T])[] {
  return Object.entries(map ?? {});
}

const MIB = 1024 * 1024;

export const ORIGINAL_FILES = {
  users: { file: 'users.json', shape: users, mostBytes: MIB },
  secrets: { file: 'starlark_secrets.json', shape: secrets, mostBytes: 4 * MIB },
  approvals: { file: 'approvals.json', shape: approvals, mostBytes: 4 * MIB },
  schedules: { file: 'schedules.json', shape: schedules, mostBytes: 8 * MIB },
} as const;

export type OriginalUser = z.output<typeof users>[number];
export type OriginalSecret = z.output<typeof secrets>[number];
export type OriginalApprovals = z.output<typeof approvals>;
export type OriginalApproval = OriginalApprovals extends Map<string, infer T> ? T : never;
export type OriginalSchedule = z.output<typeof schedule>;
