/** What the routes of secrets and of the vault answer, as schemas: no member holds a value. */
import { z } from 'zod';
import { oneOf, type Shape } from './answer-shape.ts';
import type { SecretFacts, SecretList, VaultStatus } from './api.ts';

const time = z.iso.datetime().nullable();

export const secretAnswer = z.strictObject({
  name: z.string(),
  source: oneOf<SecretFacts['source']>({ environment: true, vault: true, config: true }),
  stored: z.boolean(),
  hosts: z.array(z.string()),
  note: z.string(),
  rotate_by: z.iso.date().nullable(),
  due: oneOf<SecretFacts['due']>({ no: true, soon: true, due: true }),
  matched: z.boolean(),
  created_at: time,
  updated_at: time,
  rotated_at: time,
  last_used: z.strictObject({ at: z.iso.datetime(), by: z.string() }).nullable(),
} satisfies Shape<SecretFacts>);

export const secretListAnswer = z.strictObject({
  secrets: z.array(secretAnswer),
} satisfies Shape<SecretList>);

export const secretCreatedAnswer = z.strictObject({
  status: z.literal('created'),
  name: z.string(),
  secret: secretAnswer,
});

export const secretUpdatedAnswer = z.strictObject({
  status: z.literal('updated'),
  name: z.string(),
  secret: secretAnswer,
});

export const secretSetAnswer = z.strictObject({ name: z.string(), set: z.literal(true) });

export const vaultAnswer = z.strictObject({
  sealed: z.boolean(),
  protection: oneOf<VaultStatus['protection']>({ key_file: true, external: true, passphrase: true }),
} satisfies Shape<VaultStatus>);
