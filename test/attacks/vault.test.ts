/** What somebody does to the vault of secrets: through the API, while it is sealed, with the disk and with kill -9. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { SecretFacts, SecretList } from '../../src/edge/admin/api.ts';
import { variantsOf } from '../../src/guard/secrets/index.ts';
import { allRoutes } from '../support/fuzz-requests.ts';
import { asked, askedInTime } from '../support/asked.ts';
import { PASSWORD, startProgram, type RunningProgram } from '../support/running-program.ts';
import { noDisksBecause, smallDisk } from '../support/small-disk.ts';
import { killedAfter, lookInto } from '../support/vault-tools.ts';
import { start, startWithModel } from '../support/with-fake-model.ts';

const VALUE = 'ghp_8fJ2kQxW/5tZp9&LmNv3RsYb7Hd';
const NEXT = 'ghp_Qq7ZnX2v+8LrTk4Wm1Cd0Pj6Sa';
const API_KEY = 'sk-live-Zq8vR2mX7pLw4TnBc91K';
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const act of undo.splice(0).toReversed()) await act();
});

/** Of several tests; none of those that come first stores anything. */
let shared: RunningProgram | undefined;
const sharedProgram = async (): Promise<RunningProgram> => (shared ??= await startProgram());
afterAll(async () => {
  await shared?.kill();
  shared?.remove();
});

type Refusal = { error: string; message: string };
const set = (program: RunningProgram, name: string, value: string, more: object = {}) =>
  program.api<Refusal>('POST', '/api/secrets', { name, value, ...more });
const put = (program: RunningProgram, name: string, change: object) =>
  program.api<Refusal>('PUT', `/api/secrets/${name}`, change);

/** A workspace with a secret and a provider key, in which nothing runs any more. */
async function filled(): Promise<string> {
  const program = await startProgram();
  undo.push(() => program.remove());
  expect((await set(program, 'TOKEN', VALUE)).status).toBe(201);
  await program.api('PUT', '/api/llm/upstreams/openai', { api_key: API_KEY });
  await program.stop();
  return program.workspace;
}

describe('the vault over the API', () => {
  test('gives a value out on no route, in no error and in no export, whatever is sent to it', async () => {
    const program = await start({ config: 'server: {rate_limit: {rate: 5000, burst: 50000}}\n' });
    await set(program, 'TOKEN', VALUE, { hosts: ['api.example.com'], note: 'of the robot' });
    const forms = variantsOf(VALUE);
    const routes = allRoutes().filter(
      ({ path, method }) =>
        !/logout|auth\/sessions|\/api\/session$|password$/.test(path) && method !== 'DELETE',
    );
    const said: string[] = [];
    for (const { method, path } of routes) {
      const bodies: unknown[] =
        method === 'GET'
          ? [undefined]
          : [{}, { name: 'TOKEN' }, { value: [1] }, { hosts: ['?'] }, ...fc.sample(fc.jsonValue(), 3)];
      for (const body of bodies) {
        const answer = await askedInTime(program, method, path, body);
        const text = answer.text;
        said.push(text);
        for (const form of forms) expect(text.includes(form), `${form} from ${method} ${path}`).toBe(false);
      }
    }
    expect(said.length).toBeGreaterThan(100);
    // Even the value itself in the wrong place comes back in no answer, and in no row of the log.
    for (const change of [{ note: `see ${VALUE}` }, { hosts: [VALUE] }, { rotate_by: VALUE.slice(0, 20) }]) {
      const refused = await put(program, 'TOKEN', change);
      expect(refused.status).toBe(400);
      expect(JSON.stringify(refused.body)).not.toContain(VALUE);
    }
    expect((await set(program, 'AKIA4OLDNAME7QZX9WVU', 'AKIA4OLDNAME7QZX9WVU')).body.error).toBe(
      'secret_in_field',
    );
    const audit = JSON.stringify((await program.api('GET', '/api/audit?limit=500')).body);
    const data = join(program.workspace, 'secure/data');
    const disk = readdirSync(data).map((name) =>
      name.includes('.db') ? readFileSync(join(data, name), 'latin1') : '',
    );
    for (const form of forms)
      expect(
        [audit, program.log(), ...disk].some((text) => text.includes(form)),
        form,
      ).toBe(false);
  }, 60_000);

  test.each([
    ['a NUL', { name: 'A', value: 'abc\u0000defghijkl' }, 'secret_not_text'],
    ['an escape', { name: 'A', value: 'abc\u001b[2Jdefghijkl' }, 'secret_not_text'],
    ['half a character', { name: 'A', value: 'abc\ud83ddefghijkl' }, 'secret_not_text'],
    ['three bytes', { name: 'A', value: 'abc', confirm_weak: true }, 'secret_too_short'],
    ['white space', { name: 'A', value: ' \n\t  ' }, 'secret_empty'],
    ['4097 bytes of UTF-8', { name: 'A', value: `${'ü'.repeat(2048)}x` }, 'secret_too_long'],
    ['a small name', { name: 'token', value: VALUE }, 'secret_name_invalid'],
    ['a name with a line break', { name: 'A\nB', value: VALUE }, 'secret_name_invalid'],
    ['a name that ends with one', { name: 'A\n', value: VALUE }, 'secret_name_invalid'],
    ['a name of 65', { name: 'A'.repeat(65), value: VALUE }, 'secret_name_invalid'],
    ['a name of another alphabet', { name: '\u0391BC', value: VALUE }, 'secret_name_invalid'],
    ['a prototype', { name: '__proto__', value: VALUE }, 'secret_name_invalid'],
    ['an address as host', { name: 'A', value: VALUE, hosts: ['https://a.example/'] }, 'secret_host_invalid'],
    [
      'a host with a line break',
      { name: 'A', value: VALUE, hosts: ['a.example\r\nx: y'] },
      'secret_host_invalid',
    ],
    ['a day that is none', { name: 'A', value: VALUE, rotate_by: '2026-02-31' }, 'secret_date_invalid'],
    ['a note of two lines', { name: 'A', value: VALUE, note: 'a\nb' }, 'secret_note_invalid'],
    ['a word', { name: 'A', value: 'Password' }, 'secret_weak'],
    ['four bytes unconfirmed', { name: 'A', value: '4711' }, 'secret_weak'],
  ])('takes no %s', async (_what, body, code) => {
    const program = await sharedProgram();
    const answer = await program.api<Refusal>('POST', '/api/secrets', body);
    expect([answer.status, answer.body.error]).toEqual([400, code]);
    expect((await program.api<SecretList>('GET', '/api/secrets')).body.secrets).toEqual([]);
  });

  test('keeps 4096 bytes of UTF-8 and a key of several lines exactly', async () => {
    const long = `${'ü'.repeat(2046)}7Qx9`;
    const key = '-----BEGIN KEY-----\nq7Zn+X2v/8LrTk4W\nm1Cd0Pj6Sa==\n-----END KEY-----';
    const program = await startProgram();
    undo.push(() => program.remove());
    expect((await set(program, 'LONG', long)).status).toBe(201);
    expect((await set(program, 'PEM', `  ${key}\n`)).status).toBe(201);
    await program.stop();
    const { value } = lookInto(program.workspace);
    expect(value('LONG')).toBe(long);
    expect(value('PEM')).toBe(key);
  });

  test('two tabs: of ten that make one name one does, and a change of what somebody else changed is refused', async () => {
    const program = await sharedProgram();
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, at) => set(program, 'TOKEN', `${VALUE}${at}`)),
    );
    expect(made.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      201,
      ...Array<number>(9).fill(409),
    ]);
    const seen = (await program.api<SecretFacts>('GET', '/api/secrets/TOKEN')).body.updated_at;
    const changed = await Promise.all(
      ['one', 'two', 'three'].map((note) => put(program, 'TOKEN', { note, if_updated_at: seen })),
    );
    expect(changed.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409]);
    expect(changed.find(({ status }) => status === 409)?.body.error).toBe('secret_changed');
  });

  test.each([
    { off: [], status: 403 },
    { off: ['step-up'], status: 200 },
  ])(
    'a stolen session can not send a secret to more hosts without the password (off: $off)',
    async ({ off, status }) => {
      const program = off.length === 0 ? await sharedProgram() : await start({ off });
      await set(program, 'BOUND', VALUE, { hosts: ['api.example.com'] });
      for (const hosts of [['api.example.com', 'evil.example'], []]) {
        expect((await put(program, 'BOUND', { hosts })).status).toBe(status);
        if (status === 200) break;
        expect((await put(program, 'BOUND', { hosts, password: 'a guess of one' })).body.error).toBe(
          'wrong_password',
        );
      }
      if (status === 200) return;
      expect((await put(program, 'BOUND', { hosts: ['evil.example'], password: PASSWORD })).status).toBe(200);
    },
  );
});

describe('a script that holds a value in its text', () => {
  const SOURCE = `# @description: d\nKEY = "${VALUE}"\nresult = KEY\n`;
  async function answers(off: readonly string[]) {
    const program = await start({ off });
    await program.api('POST', '/api/scripts', { name: 'early', source: SOURCE });
    await set(program, 'TOKEN', VALUE);
    writeFileSync(join(program.workspace, 'ai-data/scripts/dropped.star'), SOURCE);
    const said: string[] = [];
    const ask = async (method: string, path: string, body?: unknown) => {
      const answer = await asked(program, method, path, body);
      said.push(answer.text);
      return { status: answer.status, ...(JSON.parse(answer.text) as { hash: string; error?: string }) };
    };
    const refused: unknown[] = [(await ask('POST', '/api/scripts', { name: 'new', source: SOURCE })).error];
    await ask('GET', '/api/scripts');
    for (const name of ['early', 'dropped']) {
      const { hash } = await ask('GET', `/api/scripts/${name}`);
      await ask('GET', `/api/scripts/${name}/history/${hash}`);
      await ask('GET', `/api/scripts/${name}/diff?from=${hash}&to=${hash}`);
      await ask('POST', `/api/scripts/${name}/test`, { hash });
      refused.push((await ask('POST', `/api/scripts/${name}/approve`, { hash })).error);
      await ask('POST', `/api/scripts/${name}/approve`, { hash, grant: { hosts: [`${VALUE}.example`] } });
      await ask('POST', `/api/scripts/${name}/approve`, { hash, grant: { [VALUE]: 1 } });
    }
    return { said, refused };
  }

  test('is not saved, can not be approved, and is shown without it', async () => {
    const { said, refused } = await answers([]);
    expect(refused).toEqual(['secret_in_source', 'secret_in_source', 'secret_in_source']);
    for (const form of variantsOf(VALUE))
      for (const text of said) expect(text.includes(form), text.slice(0, 300)).toBe(false);
    expect(said.join('')).toContain('[REDACTED:TOKEN]');
  }, 60_000);

  test('without redaction it is shown: nothing else hides it', async () => {
    const { said } = await answers(['redaction']);
    expect(said.join('')).toContain(VALUE);
  }, 60_000);
});

describe('redaction of secrets for scripts', () => {
  const LONGER = `${VALUE}-and-more-8Kq2`;
  async function shown(off: readonly string[]) {
    const { program, model } = await startWithModel(
      {
        answers: [
          { calls: [{ name: 'workspace_read', arguments: { path: 'notes.md' } }] },
          { text: ['Here: ', VALUE.slice(0, 7), VALUE.slice(7), ` and ${LONGER} and 4711.`] },
        ],
      },
      { off },
    );
    await set(program, 'SHORT', VALUE);
    await set(program, 'LONG', LONGER);
    await set(program, 'PIN', '4711', { confirm_weak: true });
    await put(program, 'SHORT', { value: NEXT });
    const forms = [...variantsOf(VALUE), ...variantsOf(NEXT), ...variantsOf(LONGER)];
    writeFileSync(join(program.workspace, 'ai-data/notes.md'), `${forms.join('\n')}\n4711\n`);
    const { events } = await program.say('What is in my notes?');
    const sinks = {
      page: JSON.stringify(events),
      prompts: model.requests.map((request) => request.text).join('\n'),
      audit: JSON.stringify((await program.api('GET', '/api/audit?limit=500')).body),
      log: program.log(),
    };
    return { program, forms, sinks };
  }

  test('the value, the one before the rotation, and one that contains it are hidden at every exit; a PIN is not matched', async () => {
    const { forms, sinks } = await shown([]);
    for (const [sink, text] of Object.entries(sinks)) {
      for (const form of forms) expect(text.includes(form), `${form} in ${sink}`).toBe(false);
    }
    expect(sinks.page).toContain('Here: [REDACTED:SHORT] and [REDACTED:LONG] and 4711.');
    expect(sinks.prompts).toContain('4711');
    expect(sinks.prompts).not.toContain('[REDACTED:PIN]');
  }, 30_000);

  test('without redaction they are shown: nothing else hides them', async () => {
    const { sinks } = await shown(['redaction']);
    expect(sinks.page).toContain(VALUE);
    expect(sinks.prompts).toContain(NEXT);
  }, 30_000);

  test('a value that was rotated or deleted stays hidden after a restart', async () => {
    const first = await startProgram();
    undo.push(() => first.remove());
    await set(first, 'TOKEN', VALUE);
    await put(first, 'TOKEN', { value: NEXT });
    await first.api('DELETE', '/api/secrets/TOKEN');
    await first.stop();
    expect(lookInto(first.workspace).value('TOKEN')).toBeUndefined();
    const program = await start({ workspace: first.workspace });
    const { events } = await program.say(`Is ${VALUE} or ${NEXT} good?`);
    expect(JSON.stringify(events)).toContain('[REDACTED:TOKEN] or [REDACTED:TOKEN]');
    expect(JSON.stringify(events)).not.toContain(VALUE);
  }, 30_000);
});

describe('kill -9', () => {
  test('at any moment of a rekey leaves every secret and the log whole, under one key', async () => {
    const workspace = await filled();
    const keys = new Set<string>();
    const file = join(workspace, 'secure/data/master_key');
    for (let ms = 0; ms < 180; ms += 18) {
      // From the moment at which there are two keys.
      await killedAfter(ms, ['secrets', 'rekey'], workspace, `${file}.next`);
      const { value, providerKey, audit } = lookInto(workspace);
      expect([value('TOKEN'), providerKey]).toEqual([VALUE, API_KEY]);
      expect(audit).toMatchObject({ ok: true, signed: true });
      expect(existsSync(`${file}.next`)).toBe(false);
      keys.add(readFileSync(file, 'utf8'));
    }
    // Some came through and some did not.
    expect(keys.size).toBeGreaterThan(1);
  }, 180_000);

  test('while secrets are stored loses none that was acknowledged, and none is half there', async () => {
    let workspace: string | undefined;
    let stored = `${VALUE}0000`;
    for (let round = 0; round < 4; round += 1) {
      const program: RunningProgram = await startProgram(workspace === undefined ? {} : { workspace });
      workspace = program.workspace;
      if (round === 0) await set(program, 'TOKEN', stored);
      const before = stored;
      let sent = '';
      const writing = (async () => {
        for (let at = 0; ; at += 1) {
          sent = `${VALUE}${round}${String(at).padStart(4, '0')}`;
          if ((await put(program, 'TOKEN', { value: sent })).status === 200) stored = sent;
        }
      })().catch(() => undefined);
      // From the first that was acknowledged.
      await expect.poll(() => stored).not.toBe(before);
      await new Promise((resolve) => setTimeout(resolve, 50 + round * 90));
      await program.kill();
      await writing;
      const { value, audit } = lookInto(workspace);
      expect([stored, sent]).toContain(value('TOKEN'));
      // What was sent last may have been stored without an answer.
      stored = value('TOKEN') ?? '';
      expect(audit).toMatchObject({ ok: true, signed: true });
      if (round === 3) program.remove();
    }
  }, 60_000);
});

test.skipIf(noDisksBecause() !== undefined)(
  'a full disk while a secret is stored: it is refused, the old value is the one that is served, and it is hidden as before',
  async () => {
    const disk = smallDisk(48 * 1024 * 1024);
    undo.push(() => disk.remove());
    const program = await startProgram({ workspace: disk.folder });
    undo.push(() => program.kill());
    await set(program, 'TOKEN', VALUE);
    disk.fill();
    const codes: string[] = [];
    for (let at = 0; at < 20; at += 1) {
      const { status, body } = await put(program, 'TOKEN', { value: `${NEXT}${at}` });
      if (status !== 200) codes.push(body.error);
    }
    expect(codes.length).toBeGreaterThan(0);
    expect(new Set(codes)).toEqual(new Set([codes[0]]));
    expect(codes[0]).toMatch(/^(storage_full|audit_failed)$/);
    const facts = (await program.api<SecretFacts>('GET', '/api/secrets/TOKEN')).body;
    expect((await set(program, 'ANOTHER', NEXT)).status).toBe(503);
    disk.free();
    expect((await program.api<SecretList>('GET', '/api/secrets')).body.secrets).toEqual([facts]);
    const { events } = await program.say(`Is ${VALUE} good?`);
    expect(JSON.stringify(events)).toContain('[REDACTED:TOKEN]');
    await program.stop();
    const served = codes.length === 20 ? VALUE : `${NEXT}${19 - codes.length}`;
    const { value, audit } = lookInto(disk.folder);
    expect(value('TOKEN')).toBe(served);
    expect(value('ANOTHER')).toBeUndefined();
    expect(audit).toMatchObject({ ok: true, signed: true });
  },
  60_000,
);
