/** `openpact import`: the original's data in a workspace of ours, with the real program before and after. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { AuditList, SecretList } from '../../src/edge/admin/api.ts';
import { scriptHistoryAnswer } from '../../src/edge/admin/script-answers.ts';
import type { Script, ScriptList } from '../../src/edge/admin/script-api.ts';
import type { ImportAnswer } from '../../src/edge/cli/import-ports.ts';
import { openDatabase } from '../../src/host/storage/index.ts';
import { createKeptScheduleStore } from '../../src/host/storage/kept-schedule-store.ts';
import { createScriptStore } from '../../src/host/storage/script-store.ts';
import { createSecretsStore } from '../../src/host/storage/secrets-store.ts';
import { createUsersStore } from '../../src/host/storage/users-store.ts';
import { PRODUCT } from '../support/product.ts';
import {
  digestOf,
  OLD_PASSWORD,
  OLD_SCRIPT,
  OLD_TOKEN,
  originalFiles,
  originalWorkspace,
  type OriginalFiles,
} from '../support/original-workspace.ts';
import { startProgram, type RunningProgram } from '../support/running-program.ts';
import { lookInto, openpact, PASSPHRASE } from '../support/vault-tools.ts';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const act of undo.splice(0).toReversed()) await act();
});

function folders(changes: OriginalFiles = {}) {
  const old = originalWorkspace(changes);
  const workspace = mkdtempSync(join(tmpdir(), 'openpact-run-'));
  for (const folder of [old, workspace]) undo.push(() => rmSync(folder, { recursive: true, force: true }));
  return { old, workspace };
}

function imported(workspace: string, old: string, ...flags: string[]): ImportAnswer {
  const { code, out, err } = openpact(['import', old, ...flags], workspace);
  expect([code, err, code === 0 ? '' : out]).toEqual([0, '', '']);
  return JSON.parse(out) as ImportAnswer;
}

function refused(workspace: string, old: string, ...flags: string[]) {
  const { code, out } = openpact(['import', old, ...flags], workspace);
  expect(code).not.toBe(0);
  return JSON.parse(out) as { error: string; message: string; fix: string };
}

/** What is stored, read from a copy: the database belongs to the user that OpenPact runs as. */
function stored(workspace: string) {
  const copy = mkdtempSync(join(tmpdir(), 'openpact-copy-'));
  cpSync(join(workspace, 'secure/data'), copy, {
    recursive: true,
    filter: (path) => !path.endsWith('.sock'),
  });
  const database = openDatabase({ path: join(copy, 'openpact.db') });
  try {
    return {
      users: createUsersStore(database).list(),
      secrets: createSecretsStore(database).list(),
      scripts: createScriptStore(database).all(),
      versions: createScriptStore(database).versions('weather', 10),
      schedules: createKeptScheduleStore(database).list(),
    };
  } finally {
    database.close();
    rmSync(copy, { recursive: true });
  }
}

async function started(workspace: string): Promise<RunningProgram> {
  const program = await startProgram({ workspace, withoutSetup: true });
  undo.push(() => program.kill());
  return program;
}

async function login(program: RunningProgram, password: string, username = 'sam') {
  const response = await fetch(`${program.address}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  });
  const body = (await response.json()) as { access_token?: string };
  const get = async <T>(path: string): Promise<T> => {
    const got = await fetch(`${program.address}${path}`, {
      headers: { authorization: `Bearer ${body.access_token}` },
    });
    return JSON.parse(await got.text()) as T;
  };
  const post = (path: string, json: unknown): Promise<Response> =>
    fetch(`${program.address}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${body.access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify(json),
    });
  return { status: response.status, get, post };
}

const PROFILE = { agent_name: 'Pact', personality: 'direct', user_name: 'Sam', timezone: 'Europe/Berlin' };

describe('an import into a new workspace', () => {
  test('the old password logs in, once against bcrypt, then against argon2id; the wrong ones count', async () => {
    const { old, workspace } = folders();
    const answer = imported(workspace, old);
    expect(answer.items).toContainEqual(expect.objectContaining({ kind: 'user', name: 'sam', state: 'new' }));
    expect(stored(workspace).users[0]?.password_hash).toMatch(/^\$2[aby]\$10\$/);

    const program = await started(workspace);
    // No code that makes an account is given out, and none is taken.
    expect(program.setupCode).toBeNull();
    expect(existsSync(join(workspace, 'secure/data/setup_code'))).toBe(false);
    const { body } = await program.api<{ setup_step: string }>('GET', '/api/setup/status');
    expect(body.setup_step).toBe('profile');
    const again = await program.api('POST', '/api/setup', {
      username: 'eve',
      password: 'another long passphrase',
      confirm_password: 'another long passphrase',
      setup_code: 'AAAA-AAAA',
    });
    expect(again.status).toBe(403);

    expect((await login(program, 'violet otter kettle lamb')).status).toBe(401);
    // Two at once: whoever comes second finds the hash replaced, and the password right.
    const both = await Promise.all([login(program, OLD_PASSWORD), login(program, OLD_PASSWORD)]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(stored(workspace).users[0]?.password_hash).toMatch(/^\$argon2id\$/);
    expect((await login(program, 'violet otter kettle lamb')).status).toBe(401);
    const second = await login(program, OLD_PASSWORD);
    expect(second.status).toBe(200);

    await second.post('/api/setup/profile', PROFILE);
    const { entries } = await second.get<AuditList>('/api/audit?limit=200');
    const events = entries.map(({ event }) => event);
    expect(events.filter((event) => event === 'password.rehashed')).toHaveLength(1);
    expect(events.filter((event) => event === 'login.failed')).toHaveLength(2);
    expect(entries.find(({ event }) => event === 'password.rehashed')?.details).toMatchObject({
      from: 'bcrypt',
    });
    // Two wrong ones stand already: after three more this minute's are used up.
    for (let at = 0; at < 3; at += 1) await login(program, `wrong password ${at}`);
    expect((await login(program, OLD_PASSWORD)).status).toBe(429);
  }, 180_000);

  test('scripts wait, with their file written at the start; the secret is in the vault and in no answer', async () => {
    const { old, workspace } = folders();
    const { out } = openpact(['import', old], workspace);
    expect(out).not.toContain(OLD_TOKEN);
    expect(lookInto(workspace).value('GITHUB_TOKEN')).toBe(OLD_TOKEN);

    const program = await started(workspace);
    const sam = await login(program, OLD_PASSWORD);
    expect((await sam.post('/api/setup/profile', PROFILE)).status).toBe(200);
    const { scripts } = await sam.get<ScriptList>('/api/scripts');
    expect(scripts.map(({ name, status }) => [name, status])).toEqual([['weather', 'pending']]);
    const script = await sam.get<Script>('/api/scripts/weather');
    expect(script.hash).toBe(digestOf(OLD_SCRIPT));
    // As the API describes it.
    const history = await sam.get('/api/scripts/weather/history');
    expect(scriptHistoryAnswer.safeParse(history).error?.issues).toBeUndefined();
    const [version] = stored(workspace).versions;
    expect(version).toMatchObject({ how: 'import', author: 'operator', decision: null });
    expect(version?.message).toBe('Imported; the original had approved this text on 2025-01-02 (by sam).');
    expect(readFileSync(join(workspace, 'ai-data/scripts/weather.star'), 'utf8')).toBe(OLD_SCRIPT);

    const { secrets } = await sam.get<SecretList>('/api/secrets');
    expect(secrets.map(({ name, stored: inVault }) => [name, inVault])).toEqual([['GITHUB_TOKEN', true]]);
    const everything = [
      JSON.stringify(secrets),
      JSON.stringify(script),
      JSON.stringify(await sam.get('/api/audit?limit=200')),
      program.log(),
    ].join('\n');
    expect(everything).not.toContain(OLD_TOKEN);
    await program.stop();
    for (const name of readdirSync(join(workspace, 'secure/data')))
      expect([name, readFileSync(join(workspace, 'secure/data', name)).includes(OLD_TOKEN)]).toEqual([
        name,
        false,
      ]);
    // The profile was asked for, but what the owner brought along stays.
    expect(readFileSync(join(workspace, 'ai-data/SOUL.md'), 'utf8')).toBe('# The soul of before\n');
    expect(readFileSync(join(workspace, 'ai-data/USER.md'), 'utf8')).toContain('Europe/Berlin');
    expect(readFileSync(join(workspace, 'ai-data/memory/2025-01-02.md'), 'utf8')).toBe('It rained.\n');
    expect(readFileSync(join(old, 'secure/data/starlark_secrets.json'), 'utf8')).toContain(OLD_TOKEN);
  }, 180_000);

  test('no pin in the configuration approves what is imported', () => {
    const { old, workspace } = folders();
    const config = join(workspace, 'pins.yaml');
    writeFileSync(config, `starlark:\n  approval:\n    auto_approve:\n      - ${digestOf(OLD_SCRIPT)}\n`, {
      mode: 0o644,
    });
    // Not in `secure/`, so that root may take the folder over.
    const elsewhere = mkdtempSync(join(tmpdir(), 'openpact-run-'));
    undo.push(() => rmSync(elsewhere, { recursive: true, force: true }));
    cpSync(config, join(old, 'pins.yaml'));
    imported(elsewhere, old, '--config', join(old, 'pins.yaml'));
    expect(stored(elsewhere).scripts).toMatchObject([{ name: 'weather', approved: null }]);
  }, 180_000);
});

describe('what is there already', () => {
  test('stays, is said, and a second import changes nothing', async () => {
    const { old, workspace } = folders();
    imported(workspace, old);
    const before = stored(workspace);
    const again = imported(workspace, old);
    expect(new Set(again.items.map(({ state }) => state))).toEqual(new Set(['present']));
    expect(stored(workspace)).toEqual(before);
    const { out } = openpact(['audit', 'list', '--event', 'import.'], workspace);
    expect((JSON.parse(out) as { entries: unknown[] }).entries).toHaveLength(1);

    // Other values under the same names: nothing is overwritten.
    const files = originalFiles();
    const other = originalWorkspace({
      ...files,
      'secure/data/starlark_secrets.json': { secrets: { GITHUB_TOKEN: { value: 'ghp_another0value7Qx' } } },
      'ai-data/scripts/weather.star': 'result = 2\n',
      'ai-data/SOUL.md': 'another soul',
    });
    undo.push(() => rmSync(other, { recursive: true, force: true }));
    imported(workspace, other);
    expect(stored(workspace)).toEqual(before);
    expect(lookInto(workspace).value('GITHUB_TOKEN')).toBe(OLD_TOKEN);
    expect(readFileSync(join(workspace, 'ai-data/SOUL.md'), 'utf8')).toBe('# The soul of before\n');
  }, 180_000);

  test('an account, a script and files of a workspace in use stay; nothing is imported beside a running instance', async () => {
    const { old, workspace } = folders();
    const program = await startProgram({ workspace });
    undo.push(() => program.kill());
    await program.api('POST', '/api/scripts', { name: 'weather', source: 'result = 3\n' });
    expect(refused(workspace, old)).toMatchObject({ error: 'already_running' });
    // To look is allowed.
    expect(imported(workspace, old, '--dry-run').dry_run).toBe(true);
    await program.stop();
    const { items } = imported(workspace, old);
    const states = Object.fromEntries(items.map(({ kind, name, state }) => [`${kind} ${name}`, state]));
    expect(states).toMatchObject({
      'user sam': 'left_out',
      'secret GITHUB_TOKEN': 'new',
      'script weather': 'present',
      // The answers of the setup are the owner's own.
      'file SOUL.md': 'present',
    });
    expect(stored(workspace).users.map(({ username }) => username)).toEqual(['owner']);
  }, 180_000);

  test('a trial changes nothing and makes nothing', () => {
    const { old, workspace } = folders();
    for (const place of [join(old, 'new'), workspace]) {
      const { items, dry_run } = imported(place, old, '--dry-run');
      expect([dry_run, items.filter(({ state }) => state === 'new').length]).toEqual([true, 6]);
      expect(existsSync(join(place, 'secure'))).toBe(false);
    }
    expect(existsSync(join(old, 'new'))).toBe(false);
  }, 180_000);

  test('a workspace that was the original itself keeps its files in their place', () => {
    const { old } = folders();
    // The original left some of it open to others.
    expect(refused(old, old)).toMatchObject({ error: 'workspace_modes' });
    for (const path of readdirSync(join(old, 'secure'), { recursive: true, encoding: 'utf8' }))
      chmodSync(join(old, 'secure', path), statSync(join(old, 'secure', path)).isDirectory() ? 0o700 : 0o600);
    chmodSync(join(old, 'secure'), 0o700);
    const { items } = imported(old, old);
    expect(items.find(({ kind }) => kind === 'script')?.state).toBe('new');
    expect(items.find(({ name }) => name === 'SOUL.md')?.state).toBe('present');
    expect(readFileSync(join(old, 'ai-data/scripts/weather.star'), 'utf8')).toBe(OLD_SCRIPT);
  }, 180_000);
});

describe('choices', () => {
  const HASH = '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';

  test('of several users one is named; the others are said not to come', () => {
    const { old, workspace } = folders({
      'secure/data/users.json': ['sam', 'kim'].map((username) => ({ username, password_hash: HASH })),
    });
    expect(refused(workspace, old)).toMatchObject({
      error: 'user_needed',
      fix: expect.stringContaining('sam, kim'),
    });
    expect(existsSync(join(workspace, 'secure'))).toBe(false);
    expect(refused(workspace, old, '--user', 'eve')).toMatchObject({ error: 'user_not_found' });
    const { items } = imported(workspace, old, '--user', 'kim');
    expect(items.filter(({ kind }) => kind === 'user').map(({ name, state }) => [name, state])).toEqual([
      ['sam', 'left_out'],
      ['kim', 'new'],
    ]);
  }, 180_000);

  test('a folder is named from where the command was given, however the user before it is written', () => {
    // What stands in `.env` makes a start as root go on in another folder.
    for (const user of [['--user=kim'], ['--user', 'kim']]) {
      const { old, workspace } = folders({
        'secure/data/users.json': [{ username: 'kim', password_hash: HASH }],
      });
      const home = mkdtempSync(join(tmpdir(), 'openpact-home-'));
      undo.push(() => rmSync(home, { recursive: true, force: true }));
      chmodSync(home, 0o755);
      writeFileSync(join(home, '.env'), '');
      cpSync(old, join(home, 'old'), { recursive: true });
      const { code, out } = openpact(['import', ...user, 'old'], workspace, '', home);
      expect([code, code === 0 ? '' : out]).toEqual([0, '']);
      expect(stored(workspace).users.map(({ username }) => username)).toEqual(['kim']);
    }
  }, 180_000);

  test('a hash that is none or costs too much makes no account: the setup goes on as usual', async () => {
    const { old, workspace } = folders({
      'secure/data/users.json': [{ username: 'sam', password_hash: HASH.replace('$10$', '$31$') }],
    });
    const { items } = imported(workspace, old);
    expect(items.find(({ kind }) => kind === 'user')).toMatchObject({ state: 'left_out' });
    expect(JSON.stringify(items)).not.toContain('N9qo8uLO');
    expect((await started(workspace)).setupCode).not.toBeNull();
  }, 180_000);

  test('weak values come only when that is said; what breaks the rule is named, never shown', () => {
    const { old, workspace } = folders({
      'secure/data/starlark_secrets.json': {
        secrets: {
          PIN: { value: '4711' },
          TINY: { value: 'abc' },
          HUGE: { value: 'x1y2'.repeat(1025) },
          'lower case': { value: 'Zq8vR2mX7pLw4TnB' },
          'RED\u001b[31m': { value: 'Zq8vR2mX7pLw4TnC' },
          NUL: { value: 'Zq8v\0R2mX7pLw4Tn' },
        },
      },
    });
    const text = openpact(['import', old, '--dry-run'], workspace).out;
    for (const value of ['4711', 'Zq8v', 'x1y2']) expect(text).not.toContain(value);
    const states = (answer: ImportAnswer) =>
      answer.items.filter(({ kind }) => kind === 'secret').map(({ state }) => state);
    expect(new Set(states(JSON.parse(text) as ImportAnswer))).toEqual(new Set(['left_out']));
    imported(workspace, old, '--accept-weak');
    expect(stored(workspace).secrets.map(({ name }) => name)).toEqual(['PIN']);
    expect(lookInto(workspace).value('PIN')).toBe('4711');
  }, 180_000);

  test('a vault under a passphrase asks for it, and without it nothing is imported', async () => {
    const { old, workspace } = folders();
    const program = await startProgram({ workspace });
    await program.stop();
    expect(openpact(['secrets', 'rekey', '--to', 'passphrase'], workspace, `${PASSPHRASE}\n`).code).toBe(0);
    const wrong = openpact(['import', old], workspace, 'a wrong passphrase 1\n');
    expect(JSON.parse(wrong.out)).toMatchObject({ error: 'wrong_passphrase' });
    expect(stored(workspace).secrets).toEqual([]);
    expect(openpact(['import', old], workspace, `${PASSPHRASE}\n`).code).toBe(0);
    expect(lookInto(workspace).value('GITHUB_TOKEN')).toBe(OLD_TOKEN);
  }, 180_000);

  test('the imported account opens a vault that was put under a passphrase before its first login, then goes on with the setup', async () => {
    const { old, workspace } = folders();
    imported(workspace, old);
    expect(openpact(['secrets', 'rekey', '--to', 'passphrase'], workspace, `${PASSPHRASE}\n`).code).toBe(0);
    const sam = await login(await started(workspace), OLD_PASSWORD);
    expect(await sam.get('/api/vault')).toMatchObject({ sealed: true });
    expect((await sam.post('/api/setup/profile', PROFILE)).status).toBe(503);
    expect((await sam.post('/api/vault/unlock', { passphrase: PASSPHRASE })).status).toBe(200);
    expect((await sam.post('/api/setup/profile', PROFILE)).status).toBe(200);
    expect(await sam.get('/api/secrets')).toMatchObject({ secrets: [{ name: 'GITHUB_TOKEN' }] });
  }, 180_000);
});

describe('a folder that is broken or hostile', () => {
  const JSONS = ['users', 'starlark_secrets', 'approvals', 'schedules'].map(
    (name) => `secure/data/${name}.json`,
  );

  test('one broken file refuses the whole import, names the place, and shows nothing of it', () => {
    for (const file of JSONS) {
      const { old, workspace } = folders({ [file]: '{\n "x": "geheimer-Wert-7",\n oops}' });
      const { error, message, fix } = refused(workspace, old);
      expect([file, error]).toEqual([file, 'import_unreadable']);
      expect(message).toContain(`${file}, line 3`);
      expect(`${message}${fix}`).not.toContain('geheim');
      expect(existsSync(join(workspace, 'secure'))).toBe(false);
    }
  }, 180_000);

  test('a link is not followed, a huge file not read, a folder in place of a file is none', () => {
    const { old, workspace } = folders({ 'secure/data/schedules.json': undefined });
    const outside = mkdtempSync(join(tmpdir(), 'openpact-outside-'));
    undo.push(() => rmSync(outside, { recursive: true, force: true }));
    writeFileSync(join(outside, 'schedules.json'), '{"schedules":{}}');
    symlinkSync(join(outside, 'schedules.json'), join(old, 'secure/data/schedules.json'));
    symlinkSync(join(outside, 'schedules.json'), join(old, 'ai-data/scripts/linked.star'));
    truncateSync(join(old, 'secure/data/approvals.json'), 100_000_000);
    const { message } = refused(workspace, old);
    expect(message).toContain('secure/data/schedules.json: is a symbolic link');
    expect(message).toContain('secure/data/approvals.json: is larger than 4 MiB');
    rmSync(join(old, 'secure/data/schedules.json'));
    rmSync(join(old, 'secure/data/approvals.json'));
    const { items } = imported(workspace, old);
    expect(items.find(({ name }) => name === 'linked')).toMatchObject({
      state: 'left_out',
      note: 'the file is a symbolic link',
    });
  }, 180_000);
});

test('kill -9 in the middle leaves nothing half: all of it is there, or none', async () => {
  const secrets = Object.fromEntries(
    Array.from({ length: 100 }, (_, at) => [`TOKEN_${at}`, { value: `Zq8vR2mX7pLw4TnBc91K${at}` }]),
  );
  const scripts = Object.fromEntries(
    Array.from({ length: 60 }, (_, at) => [
      `ai-data/scripts/s${at}.star`,
      `x = ${at}\n# ${'a comment '.repeat(15_000)}\n`,
    ]),
  );
  const { old, workspace } = folders({
    'secure/data/starlark_secrets.json': { secrets },
    ...scripts,
  });
  const wal = join(workspace, 'secure/data/openpact.db-wal');
  // What does not fit into memory is in the journal before the commit: then the import is in its middle.
  const midway = 1_000_000;
  const child = spawn(process.execPath, [PRODUCT, 'import', old, '--workspace', workspace], {
    stdio: 'ignore',
  });
  const killed = await new Promise<boolean>((done) => {
    let over = false;
    child.once('exit', (_code, signal) => {
      over = true;
      done(signal === 'SIGKILL');
    });
    const look = (): void => {
      if (over) return;
      if ((statSync(wal, { throwIfNoEntry: false })?.size ?? 0) > midway) child.kill('SIGKILL');
      else setImmediate(look);
    };
    look();
  });
  expect(killed).toBe(true);
  expect(statSync(wal).size).toBeGreaterThan(midway);
  const half = stored(workspace);
  expect([half.users, half.secrets, half.scripts, half.schedules]).toEqual([[], [], [], []]);
  expect(lookInto(workspace).audit.ok).toBe(true);
  imported(workspace, old);
  const whole = stored(workspace);
  expect([whole.users, whole.secrets, whole.scripts, whole.schedules].map((list) => list.length)).toEqual([
    1, 100, 61, 1,
  ]);
}, 180_000);
