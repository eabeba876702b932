/**
 * kill -9 between any two steps of an approval, of a new version, of a secret that is stored and of one that is rotated:
 * after the restart the act is there with its entry in the log, or neither is.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Script, SecretFacts } from '../../src/edge/admin/api.ts';
import { startProgram, type RunningProgram } from '../support/running-program.ts';
import { hashOf } from '../support/script-bench.ts';
import { getScript } from '../support/script-chat.ts';
import { detail, entriesOf } from '../support/script-log.ts';
import { lookInto } from '../support/vault-tools.ts';

const folder = mkdtempSync(join(tmpdir(), 'openpact-dies-'));
const point = join(folder, 'point');
const env = {
  NODE_OPTIONS: `--import ${resolve(import.meta.dirname, '..', 'support', 'dies-at-statement.ts')}`,
  DIES_AT_STATEMENT: point,
};
let program: RunningProgram;

beforeAll(async () => {
  chmodSync(folder, 0o755);
  program = await startProgram({ env });
  await program.api('POST', '/api/secrets', { name: 'OLD', value: value('OLD', 0) });
}, 60_000);
afterAll(async () => {
  await program.kill();
  program.remove();
  rmSync(folder, { recursive: true });
});

const value = (name: string, at: number): string => `ghp_8fJ2kQxW5tZp9LmNv3RsYb7Hd_${name}_${at}`;
const text = (at: number): string => `result = ${at}\n`;

/** Statements after which it ends; all of them, one by one, with OPENPACT_CRASH_POINTS=all. */
const points = (some: readonly number[]): readonly number[] =>
  process.env['OPENPACT_CRASH_POINTS'] === 'all' ? Array.from({ length: 11 }, (_, at) => at) : some;

/** Does the act in a program that dies after so many statements, and starts it again. The status; 0: no answer came. */
async function cutOff(
  at: number,
  act: () => Promise<{ readonly status: number }>,
  off: readonly string[] = [],
): Promise<number> {
  writeFileSync(point, String(at));
  const status = await act().then(
    (answer) => answer.status,
    () => 0,
  );
  rmSync(point);
  await program.kill();
  program = await startProgram({ env, off, workspace: program.workspace });
  return status;
}

const countOf = async (event: string, target: string, hash?: string): Promise<number> =>
  (await entriesOf(program, event)).filter(
    (entry) => entry.target === target && (hash === undefined || detail(entry, 'hash') === hash),
  ).length;

test('kill -9 between the steps of an act leaves it whole with its entry, or leaves nothing of it; nothing that was acknowledged is lost, and no secret is half there', async () => {
  const made = (name: string) => program.api<Script>('POST', '/api/scripts', { name, source: text(0) });
  const seen = { whole: 0, nothing: 0 };
  const both = (done: boolean, entries: number, status: number, what: string): void => {
    expect(entries, what).toBe(done ? 1 : 0);
    if (status !== 0) expect(done, what).toBe(true);
    seen[done ? 'whole' : 'nothing'] += 1;
  };

  for (const at of points([2, 5, 7, 9])) {
    const name = `approve${at}`;
    await made(name);
    const status = await cutOff(at, () =>
      program.api('POST', `/api/scripts/${name}/approve`, { hash: hashOf(text(0)) }),
    );
    const now = await getScript(program, name);
    expect(now.grant === null).toBe(now.status !== 'approved');
    both(now.status === 'approved', await countOf('script.approved', name), status, name);
  }

  for (const at of points([4, 7, 8, 9])) {
    const name = `version${at}`;
    await made(name);
    await program.api('POST', `/api/scripts/${name}/approve`, { hash: hashOf(text(0)) });
    const status = await cutOff(at, () => program.api('PUT', `/api/scripts/${name}`, { source: text(1) }));
    const now = await getScript(program, name);
    const file = readFileSync(join(program.workspace, 'ai-data', 'scripts', `${name}.star`), 'utf8');
    expect(now).toMatchObject({ hash: hashOf(file), source: file, approved_hash: hashOf(text(0)) });
    const entries = await countOf('script.version', name, hashOf(text(1)));
    both(now.hash === hashOf(text(1)), entries, status, name);
  }

  const values = new Map<string, string>();
  for (const at of points([4, 7])) {
    const name = `CREATE${at}`;
    const status = await cutOff(at, () =>
      program.api('POST', '/api/secrets', { name, value: value(name, at) }),
    );
    const done = (await program.api('GET', `/api/secrets/${name}`)).status === 200;
    if (done) values.set(name, value(name, at));
    both(done, await countOf('secret.created', name), status, name);
  }

  values.set('OLD', value('OLD', 0));
  for (const at of points([5, 9])) {
    const before = await countOf('secret.rotated', 'OLD');
    const old = await program.api<SecretFacts>('GET', '/api/secrets/OLD');
    const status = await cutOff(at, () =>
      program.api('PUT', '/api/secrets/OLD', { value: value('OLD', at + 1) }),
    );
    const now = await program.api<SecretFacts>('GET', '/api/secrets/OLD');
    const done = now.body.rotated_at !== old.body.rotated_at;
    if (done) values.set('OLD', value('OLD', at + 1));
    both(done, (await countOf('secret.rotated', 'OLD')) - before, status, `rotate${at}`);
  }

  expect(seen.whole).toBeGreaterThan(2);
  expect(seen.nothing).toBeGreaterThan(4);
  await program.stop();
  const whole = lookInto(program.workspace);
  expect(whole.audit).toMatchObject({ ok: true, signed: true });
  for (const [name, expected] of values) expect(whole.value(name)).toBe(expected);
  const stray = points([4, 7])
    .map((at) => `CREATE${at}`)
    .filter((name) => !values.has(name));
  for (const name of stray) expect(whole.value(name)).toBeUndefined();
}, 600_000);

test('kill -9 between an approval and its entry, where they are not one transaction: the approval is there, and nothing in the log says so', async () => {
  const off = ['script-one-step'];
  await program.kill();
  program = await startProgram({ env, off, workspace: program.workspace });
  const found: string[] = [];
  for (const at of points([3, 4, 5])) {
    const name = `halved${at}`;
    await program.api<Script>('POST', '/api/scripts', { name, source: text(0) });
    const order = { hash: hashOf(text(0)) };
    await cutOff(at, () => program.api('POST', `/api/scripts/${name}/approve`, order), off);
    const { status } = await getScript(program, name);
    if (status === 'approved' && (await countOf('script.approved', name)) === 0) found.push(name);
    if (found.length > 0) break;
  }
  expect(found).toHaveLength(1);
}, 300_000);
