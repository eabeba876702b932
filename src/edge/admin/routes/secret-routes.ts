import { z } from 'zod';
import type { SecretList } from '../api.ts';
import { notFound } from '../error-answer.ts';
import { noContent, ok, route, type AnyRoute } from '../route.ts';
import {
  secretAnswer,
  secretCreatedAnswer,
  secretListAnswer,
  secretSetAnswer,
  secretUpdatedAnswer,
  vaultAnswer,
} from '../secret-answers.ts';
import type { RouteDeps } from './deps.ts';

/** Longer than any good value; the rules behind say it exactly. */
const value = z.string().max(16_384);
const fields = {
  hosts: z.array(z.string().max(300)).max(100).optional(),
  note: z.string().max(2_000).optional(),
  rotate_by: z.string().max(20).nullable().optional(),
  confirm_weak: z.boolean().optional(),
  password: z.string().min(1).max(2048).optional(),
};

/** Names and facts of secrets go out, values come in and never out again (S-50). */
export function secretRoutes({ secrets, vault }: RouteDeps): AnyRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/vault',
      answer: vaultAnswer,
      auth: 'access',
      // An imported account may find it sealed: the rest of the setup waits for the key.
      from: 'profile',
      handle: async () => ok(await vault.status()),
    }),
    route({
      method: 'POST',
      path: '/api/vault/unlock',
      answer: vaultAnswer,
      auth: 'access',
      from: 'profile',
      body: z.strictObject({ passphrase: z.string().min(1).max(4096) }),
      async handle({ body, actor }) {
        await vault.unlock(body.passphrase, actor);
        return ok(await vault.status());
      },
    }),
    route({
      method: 'POST',
      path: '/api/vault/lock',
      answer: vaultAnswer,
      auth: 'access',
      from: 'complete',
      async handle({ actor }) {
        await vault.lock(actor);
        return ok(await vault.status());
      },
    }),
    route({
      method: 'GET',
      path: '/api/secrets',
      answer: secretListAnswer,
      auth: 'access',
      from: 'complete',
      handle: async () => ok({ secrets: await secrets.list() } satisfies SecretList),
    }),
    route({
      method: 'POST',
      path: '/api/secrets',
      answer: secretCreatedAnswer,
      status: 201,
      auth: 'access',
      from: 'complete',
      body: z.strictObject({ name: z.string().max(200), value, ...fields }),
      async handle({ body: { name, ...rest }, actor }) {
        const secret = await secrets.create(name, rest, actor);
        return { status: 201, json: { status: 'created', name, secret } };
      },
    }),
    route({
      method: 'GET',
      path: '/api/secrets/:name',
      answer: secretAnswer,
      auth: 'access',
      from: 'complete',
      async handle({ param }) {
        const found = await secrets.get(param('name'));
        if (found === undefined) throw notFound('secret');
        return ok(found);
      },
    }),
    route({
      method: 'PUT',
      path: '/api/secrets/:name',
      answer: secretUpdatedAnswer,
      auth: 'access',
      from: 'complete',
      body: z
        .strictObject({
          value: value.optional(),
          ...fields,
          if_updated_at: z.string().max(40).optional(),
        })
        .refine(
          (body) =>
            [body.value, body.hosts, body.note, body.rotate_by].some((member) => member !== undefined),
          'names nothing that is to change',
        ),
      async handle({ param, body, actor }) {
        const name = param('name');
        const secret = await secrets.change(name, body, actor);
        return ok({ status: 'updated', name, secret });
      },
    }),
    route({
      // The form of older documents: makes it, or gives it another value.
      method: 'POST',
      path: '/api/secrets/:name',
      answer: secretSetAnswer,
      auth: 'access',
      from: 'complete',
      body: z.strictObject({ value, confirm_weak: fields.confirm_weak, password: fields.password }),
      async handle({ param, body, actor }) {
        const name = param('name');
        const there = (await secrets.get(name))?.stored === true;
        await (there ? secrets.change(name, body, actor) : secrets.create(name, body, actor));
        return ok({ name, set: true });
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/secrets/:name',
      answer: null,
      auth: 'access',
      from: 'complete',
      query: z.strictObject({}),
      async handle({ param, actor }) {
        await secrets.remove(param('name'), actor);
        return noContent();
      },
    }),
  ];
}
