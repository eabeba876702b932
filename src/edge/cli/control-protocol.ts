import { z } from 'zod';
import type { ErrorFamily } from '../../core/index.ts';
import { OUTCOMES } from './audit-filter-flags.ts';
import type { ControlHandlers } from './ports.ts';

// One connection carries one request and its answer, each a line of JSON.

const nothing = z.strictObject({});
const word = z.string().max(1024).optional();
const time = z.int().optional();

/** The acts and their arguments. */
export const OPERATIONS = {
  version: nothing,
  configShow: nothing,
  auditVerify: nothing,
  auditList: z.strictObject({
    event: word,
    script: word,
    principal: word,
    outcome: z.enum(OUTCOMES).optional(),
    target: word,
    conversation: word,
    from: time,
    to: time,
    text: word,
    limit: z.int().min(1).max(10_000),
  }),
  vaultStatus: nothing,
  vaultLock: nothing,
  vaultUnlock: z.strictObject({ passphrase: z.string().max(4096) }),
  resetPassword: z.strictObject({
    username: z.string().max(200).optional(),
    password: z.string().max(4096),
  }),
} as const satisfies { readonly [name in keyof ControlHandlers]: z.ZodType };

export type Operation = keyof ControlHandlers;

export const requestSchema = z.strictObject({
  token: z.string().max(200),
  operation: z.enum(Object.keys(OPERATIONS) as [Operation, ...Operation[]]),
  args: z.record(z.string(), z.unknown()),
});

export type ControlAnswer =
  | { readonly ok: true; readonly result: unknown }
  | {
      readonly ok: false;
      readonly error: {
        /** Null for a bug of ours. */
        readonly family: ErrorFamily | null;
        readonly code: string;
        readonly message: string;
        readonly fix?: string | undefined;
        readonly details?: Readonly<Record<string, unknown>> | undefined;
      };
    };

export const MAX_REQUEST_BYTES = 64 * 1024;
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
