/** A full disk while scripts are stored and approved, and while secrets are rotated and get a new key. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Script, SecretFacts } from '../../src/edge/admin/api.ts';
import { startFakeModel } from '../fakes/openai-server.ts';
import { startProgram } from '../support/running-program.ts';
import { hashOf } from '../support/script-bench.ts';
import { approveNow, getScript, modelCalls } from '../support/script-chat.ts';
import { entriesOf, scriptLog } from '../support/script-log.ts';
import { noDisksBecause, smallDisk } from '../support/small-disk.ts';
import { lookInto, openpact } from '../support/vault-tools.ts';
import { useModel } from '../support/with-fake-model.ts';

const VALUE = 'ghp_8fJ2kQxW/5tZp9&LmNv3RsYb7Hd';
const NEXT = 'ghp_Qq7ZnX2v+8LrTk4Wm1Cd0Pj6Sa';
const GOOD = 'result = "good"\n';
const NEWER = `result = "newer"\n${'# '.repeat(100_000)}\n`;
const CODES = /^(storage_full|audit_failed|disk_full|file_write_failed)$/;
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const act of undo.splice(0).toReversed()) await act();
});

test.skipIf(noDisksBecause() !== undefined)(
  'a full disk while a version is stored, approved, switched off, a secret rotated and the vault rekeyed: what gives power is refused and does not run, what takes it holds, the old values are served, and with room again it works',
  async () => {
    const disk = smallDisk(48 * 1024 * 1024);
    undo.push(() => disk.remove());
    const model = await startFakeModel({});
    undo.push(() => model.close());
    const program = await startProgram({ workspace: disk.folder });
    undo.push(() => program.kill());
    await useModel(program, model);
    for (const name of ['waits', 'runs']) await program.api('POST', '/api/scripts', { name, source: GOOD });
    await approveNow(program, 'runs');
    await program.api('POST', '/api/secrets', { name: 'TOKEN', value: VALUE });
    const { body: before } = await program.api<SecretFacts>('GET', '/api/secrets/TOKEN');
    disk.fill();

    // What little room is left in the files is used up first.
    const codes: string[] = [];
    const hash = hashOf(GOOD);
    for (let at = 0; at < 40 && codes.length < 5; at += 1) {
      const { status, body } = await program.api<{ error: string }>('PUT', '/api/secrets/TOKEN', {
        note: `${at} ${'x'.repeat(400)}`,
      });
      if (status !== 200) codes.push(body.error);
    }
    expect(codes).toHaveLength(5);
    for (const [method, path, order] of [
      ['POST', '/api/scripts/waits/approve', { hash }],
      ['PUT', '/api/scripts/waits', { source: NEWER }],
      ['POST', '/api/scripts', { name: 'fresh', source: NEWER }],
      ['PUT', '/api/secrets/TOKEN', { value: NEXT }],
      ['POST', '/api/secrets', { name: 'ANOTHER', value: NEXT }],
    ] as const) {
      const { status, body } = await program.api<{ error: string; fix?: string }>(method, path, order);
      expect([path, status, body.error]).toEqual([path, 503, expect.stringMatching(CODES)]);
    }
    const waits = await getScript(program, 'waits');
    expect(waits).toMatchObject({ status: 'pending', approved_hash: null, hash, source: GOOD });
    expect((await program.api('GET', '/api/scripts/fresh')).status).toBe(404);
    expect(readFileSync(join(disk.folder, 'ai-data/scripts/waits.star'), 'utf8')).toBe(GOOD);
    const live = await program.api<{ live?: boolean }>('POST', '/api/scripts/waits/test', { hash });
    expect(live.body.live ?? false).toBe(false);
    // No run without its entry in the log.
    const run = await program.api<{ error: string }>('POST', '/api/scripts/runs/test', { hash });
    expect([run.status, run.body.error]).toEqual([503, expect.stringMatching(CODES)]);
    // Less power needs no room.
    const off = await program.api<{ error: string }>('POST', '/api/scripts/runs/disable', {});
    expect([off.status, off.body.error]).toEqual([503, expect.stringMatching(CODES)]);
    expect((await program.api<SecretFacts>('GET', '/api/secrets/TOKEN')).body.rotated_at).toBe(
      before.rotated_at,
    );
    expect((await program.api('GET', '/api/version')).status).toBe(200);

    disk.free();
    // What took power is stored by itself.
    await expect
      .poll(async () => (await getScript(program, 'runs')).status, { timeout: 10_000 })
      .toBe('disabled');
    expect((await entriesOf(program, 'script.disabled')).map(({ target }) => target)).toEqual(['runs']);
    expect((await program.api('POST', '/api/scripts/runs/enable', {})).status).toBe(200);
    expect((await program.api<Script>('PUT', '/api/scripts/waits', { source: NEWER })).status).toBe(200);
    await approveNow(program, 'waits');
    for (const [name, value] of [
      ['waits', 'newer'],
      ['runs', 'good'],
    ] as const)
      expect((await modelCalls(program, model, 'script_run', { name })).value).toMatchObject({ value });
    expect((await scriptLog(program)).strays).toEqual([]);
    await program.stop();
    expect(lookInto(disk.folder).value('TOKEN')).toBe(VALUE);
    expect(lookInto(disk.folder).value('ANOTHER')).toBeUndefined();

    // A new key for everything, without room for it.
    const key = join(disk.folder, 'secure/data/master_key');
    const old = readFileSync(key, 'utf8');
    disk.fill();
    const rekeyed = openpact(['secrets', 'rekey'], disk.folder);
    expect(rekeyed.code, rekeyed.out).not.toBe(0);
    expect(readFileSync(key, 'utf8')).toBe(old);
    disk.free();
    expect(lookInto(disk.folder)).toMatchObject({ audit: { ok: true, signed: true } });
    expect(existsSync(`${key}.next`)).toBe(false);
    expect(openpact(['secrets', 'rekey'], disk.folder).code).toBe(0);
    expect(readFileSync(key, 'utf8')).not.toBe(old);
    const whole = lookInto(disk.folder);
    expect([whole.value('TOKEN'), whole.audit]).toMatchObject([VALUE, { ok: true, signed: true }]);
  },
  180_000,
);
