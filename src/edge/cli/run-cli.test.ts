import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError, silentLog } from '../../core/index.ts';
import { createControlServer, type ControlServer } from './control-server.ts';
import type { CliCommands, CliConfig, ControlHandlers, DirectHandlers } from './ports.ts';
import { runCli } from './run-cli.ts';

let folder: string;
let server: ControlServer | undefined;
const reset: unknown[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openpact-cli-'));
  reset.length = 0;
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const ENTRY = {
  seq: 7,
  at: '2025-01-02T03:04:05.000Z',
  event: 'login.failed',
  actor: 'anonymous:::1',
  origin: 'page',
  target: 'a\u001b[2Jname\nline',
  outcome: 'refused',
  details: { why: 'password' },
  hash: 'ab',
};

function handlers(where: string): ControlHandlers {
  return {
    version: async () => ({ version: '9.9.9', pid: 4711 }),
    configShow: async () => ({
      settings: [{ key: 'admin.bind', value: where, source: 'file', from: 'config.yaml:3' }],
    }),
    auditVerify: async () => ({ ok: true, rows: 12, head: where, signed: true }),
    async auditList({ event, limit, ...more }) {
      reset.push({ where, filter: more });
      return { entries: [{ ...ENTRY, origin: where, target: `${event ?? 'any'} ${limit} ${ENTRY.target}` }] };
    },
    vaultStatus: async () => ({ sealed: true, protection: 'passphrase' }),
    async vaultUnlock({ passphrase }) {
      reset.push({ where, passphrase });
      return { sealed: false };
    },
    async vaultLock() {
      reset.push({ where, locked: true });
      return { sealed: true };
    },
    async resetPassword(request) {
      if (request.password === 'weak') {
        throw new AppError({
          family: 'input',
          code: 'password_weak',
          message: 'The password is too weak.',
          fix: 'Take a longer one.',
        });
      }
      reset.push({ where, ...request });
      return { username: request.username ?? 'admin', ended_logins: 2 };
    },
  };
}

function rekeying(
  present: 'key_file' | 'passphrase',
): Pick<DirectHandlers, 'protection' | 'rekey' | 'import'> {
  return {
    async import(request) {
      reset.push(request);
      return {
        dry_run: request.dryRun,
        from: '/old\u001b[2J',
        items: [
          { kind: 'secret', name: 'A\u001b[31m', state: 'new', note: 'a\nnote' },
          { kind: 'user', name: 'sam', state: 'left_out', note: 'why not' },
        ],
        not_imported: [{ name: 'jwt_secret', why: 'it signed logins.' }],
        advice: ['rm it'],
      };
    },
    protection: () => present,
    async rekey(request) {
      reset.push(request);
      return { resealed: 3, damaged: 0, protection: request.to === 'file' ? 'key_file' : 'passphrase' };
    },
  };
}

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(
  argv: readonly string[],
  changes: Partial<CliCommands<CliConfig>> = {},
  input = '',
): Promise<Run> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await runCli({
    argv,
    stdin: Readable.from([input]),
    stdout,
    stderr,
    commands: {
      version: '1.2.3',
      load: (flags) => ({
        workspace: folder,
        dataDir: folder,
        notices: ['Something to know.'],
        settings: () => [{ key: 'admin.bind', value: String(flags.config), source: 'default', from: null }],
      }),
      start: async () => 0,
      doctor: async () => 1,
      scriptTest: async () => {
        throw new Error('no script is tried here');
      },
      direct: () => ({ ...handlers('direct'), ...rekeying('passphrase'), close: () => reset.push('closed') }),
      ...changes,
    },
  });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

async function withInstance(): Promise<void> {
  server = createControlServer({ folder, handlers: handlers('running'), log: silentLog });
  await server.listen();
}

function refuse(family: 'config' | 'conflict'): Partial<CliCommands<CliConfig>> {
  return {
    load() {
      throw new AppError({
        family,
        code: 'it_broke',
        message: 'First line:\n  second\u001b[31m line',
        fix: 'Mend it.',
        details: { problems: [{ where: 'x', message: 'y' }] },
      });
    },
  };
}

test('start gets its flags, gives its exit code, and is also called serve', async () => {
  const seen: unknown[] = [];
  const start: CliCommands<CliConfig>['start'] = async (_config, flags) => {
    seen.push(flags);
    return 5;
  };
  expect(await run(['start', '--port', '0', '--workspace', 'w', '--json'], { start })).toMatchObject({
    code: 5,
  });
  expect(await run(['serve', '--config', 'c'], { start })).toMatchObject({ code: 5 });
  expect(seen).toEqual([{ port: 0, workspace: 'w', json: true }, { config: 'c' }]);
});

test('a wrong command line is exit code 2 and says what to do', async () => {
  for (const argv of [
    ['sart'],
    ['start', '--prot', '1'],
    ['start', '--port', '70000'],
    ['start', '--port', '8e2'],
    ['start', 'extra'],
    ['audit'],
    ['audit', 'list', '--limit', '0'],
    [],
  ]) {
    const { code, err, out } = await run(argv);
    expect({ argv, code, out }).toEqual({ argv, code: 2, out: '' });
    expect(err).not.toBe('');
  }
  const { out } = await run(['audit', 'list', '--limit', 'x', '--json']);
  expect(JSON.parse(out)).toMatchObject({ error: 'usage' });
});

test('help and the bare version are exit code 0', async () => {
  expect(await run(['--help'])).toMatchObject({ code: 0, err: '' });
  expect((await run(['audit', 'list', '--help'])).out).toContain('--limit');
  expect(await run(['--version'])).toMatchObject({ code: 0, out: '1.2.3\n' });
});

test('a configuration that is refused is exit code 78, other refusals and errors of our own are 1', async () => {
  const config = await run(['config', 'check'], refuse('config'));
  expect(config).toMatchObject({ code: 78, out: '' });
  expect(config.err).toBe('First line:\n  second\\u001b[31m line\nWhat to do: Mend it.\n');
  expect(await run(['config', 'check'], refuse('conflict'))).toMatchObject({ code: 1 });
  const bug = await run(['start'], {
    start() {
      throw new TypeError('undefined is not a function');
    },
  });
  expect(bug.code).toBe(1);
  expect(bug.err).toContain('An error of our own: undefined is not a function');
});

test('with --json a refusal is one JSON value on stdout', async () => {
  const { code, out, err } = await run(['config', 'show', '--json'], refuse('config'));
  expect({ code, err }).toEqual({ code: 78, err: '' });
  expect(JSON.parse(out)).toEqual({
    error: 'it_broke',
    message: 'First line:\n  second\u001b[31m line',
    fix: 'Mend it.',
    problems: [{ where: 'x', message: 'y' }],
  });
});

test('config check prints the notices, config show the values with their source', async () => {
  expect(await run(['config', 'check'])).toMatchObject({
    code: 0,
    out: 'Something to know.\nThe configuration is valid.\n',
  });
  expect((await run(['config', 'show', '--config', 'c'])).out).toBe('admin.bind  c  default\n');
});

test('config show beside a running instance prints what is in force there', async () => {
  await withInstance();
  expect((await run(['config', 'show'])).out).toBe(
    'In force in the running instance:\nadmin.bind  running  file (config.yaml:3)\n',
  );
  const { out } = await run(['config', 'show', '--json']);
  expect(JSON.parse(out)).toMatchObject({ running: true, settings: [{ value: 'running' }] });
});

test('version tells of the running instance, and works with a broken configuration', async () => {
  expect((await run(['version'])).out).toBe('OpenPact 1.2.3\n');
  await withInstance();
  expect((await run(['version'])).out).toBe('OpenPact 1.2.3\nRunning: 9.9.9, process 4711\n');
  expect(JSON.parse((await run(['version', '--json'])).out)).toEqual({
    version: '1.2.3',
    running: { version: '9.9.9', pid: 4711 },
  });
  expect(await run(['version'], refuse('config'))).toMatchObject({ code: 0, out: 'OpenPact 1.2.3\n' });
});

test('audit verify asks the running instance, or the workspace where none runs', async () => {
  expect((await run(['audit', 'verify'])).out).toBe(
    'The audit log is whole: 12 entries, the newest with the hash direct.\n',
  );
  expect(reset).toEqual(['closed']);
  await withInstance();
  expect((await run(['audit', 'verify'])).out).toContain('the hash running');
  expect(JSON.parse((await run(['audit', 'verify', '--json'])).out)).toEqual({
    ok: true,
    rows: 12,
    head: 'running',
    signed: true,
  });
});

test('an audit log that is not whole is exit code 1', async () => {
  const verdict = { ok: false, rows: 3, seq: 4, problem: 'entry 4 was changed' } as const;
  const direct = {
    ...handlers('direct'),
    ...rekeying('key_file'),
    auditVerify: async () => verdict,
    close: () => undefined,
  };
  const text = await run(['audit', 'verify'], { direct: () => direct });
  expect(text).toMatchObject({ code: 1, out: 'The audit log is not whole: entry 4 was changed.\n' });
  const json = await run(['audit', 'verify', '--json'], { direct: () => direct });
  expect(json.code).toBe(1);
  expect(JSON.parse(json.out)).toEqual(verdict);
});

test('audit list hands on the filter, and what strangers wrote can not steer the terminal', async () => {
  await withInstance();
  const { out } = await run(['audit', 'list', '--event', 'login.', '--limit', '3']);
  expect(out).toContain('login.failed  refused  running');
  expect(out).toContain('login. 3 a\\u001b[2Jname\\u000aline\n');
  const entries = (JSON.parse((await run(['audit', 'list', '--json'])).out) as { entries: unknown[] })
    .entries;
  expect(entries[0]).toMatchObject({ seq: 7, target: `any 50 ${ENTRY.target}` });
});

test('audit list takes the filters of the page, beside a running instance and without one', async () => {
  const flags = ['--script', 'weather.star', '--outcome', 'refused', '--principal', 'assistant:'];
  const more = ['--from', '2026-01-31', '--to', '2026-01-31T12:00:00Z', '--words', 'two words'];
  const filter = {
    script: 'weather',
    outcome: 'refused',
    principal: 'assistant:',
    from: Date.UTC(2026, 0, 31),
    to: Date.UTC(2026, 0, 31, 12),
    text: 'two words',
  };
  const direct = { ...handlers('direct'), ...rekeying('key_file'), close: () => undefined };
  await run(['audit', 'list', ...flags, ...more], { direct: () => direct });
  await withInstance();
  await run(['audit', 'list', ...flags, ...more]);
  await run(['audit', 'list', '--target', 'vault', '--conversation', 'cnv_1']);
  expect(reset).toEqual([
    { where: 'direct', filter },
    { where: 'running', filter },
    { where: 'running', filter: { target: 'vault', conversation: 'cnv_1' } },
  ]);
});

test.each([
  ['--script', '../weather'],
  ['--outcome', 'fine'],
  ['--from', 'yesterday'],
  ['--to', '2026-13-01'],
  ['--words', 'a b c d e f g'],
])('audit list %s %s is wrong usage', async (flag, value) => {
  expect(await run(['audit', 'list', flag, value])).toMatchObject({ code: 2, out: '' });
  expect(reset).toEqual([]);
});

test('a new password comes from the first line of the input', async () => {
  const { code, out } = await run(['user', 'reset-password'], {}, 'a good one\nrest');
  expect({ code, out }).toEqual({
    code: 0,
    out: 'The password of admin was changed; 2 logins were ended.\n',
  });
  expect(reset).toEqual([{ where: 'direct', username: undefined, password: 'a good one' }, 'closed']);
  await withInstance();
  await run(['user', 'reset-password', '--username', 'u', '--json'], {}, 'x y');
  expect(reset.at(-1)).toEqual({ where: 'running', username: 'u', password: 'x y' });
});

test('a refusal of the running instance arrives as it was, and without a password nothing happens', async () => {
  await withInstance();
  const weak = await run(['user', 'reset-password'], {}, 'weak\n');
  expect(weak).toMatchObject({ code: 1, err: 'The password is too weak.\nWhat to do: Take a longer one.\n' });
  expect((await run(['user', 'reset-password'], {}, '\n')).err).toContain('no password on the input');
  expect(reset).toEqual([]);
});

test('a workspace that does not exist yet has no running instance', async () => {
  const nowhere = join(folder, 'not', 'there');
  const load = (): CliConfig => ({ workspace: nowhere, dataDir: nowhere, notices: [], settings: () => [] });
  expect((await run(['audit', 'verify'], { load })).out).toContain('the hash direct');
  mkdirSync(nowhere, { recursive: true });
  expect((await run(['audit', 'verify'], { load })).out).toContain('the hash direct');
});

test('the vault of a running instance is opened with a passphrase, and asked for only where it is sealed', async () => {
  await withInstance();
  const done = await run(['vault', 'unlock'], {}, 'five words that are long\n');
  expect(done).toMatchObject({ code: 0, out: 'The vault is open.\n' });
  expect(reset).toContainEqual({ where: 'running', passphrase: 'five words that are long' });
  expect((await run(['vault', 'status'])).out).toBe('The vault is sealed; its key is under a passphrase.\n');
});

test('the vault of a running instance is locked without a question', async () => {
  await withInstance();
  expect(await run(['vault', 'lock'])).toMatchObject({ code: 0, out: 'The vault is sealed.\n' });
  expect(reset).toContainEqual({ where: 'running', locked: true });
});

test('without an instance there is no vault to open', async () => {
  expect(await run(['vault', 'unlock'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('openpact start') as string,
  });
});

test('a rekey asks for the present passphrase and the new one, and is refused beside a running instance', async () => {
  const done = await run(['secrets', 'rekey'], {}, 'the old one\nthe new one\n');
  expect(done.code).toBe(0);
  expect(done.out).toContain('3 records were sealed under a new key; it is under a passphrase.');
  expect(reset).toContainEqual({ to: 'passphrase', passphrase: 'the old one', newPassphrase: 'the new one' });
  await withInstance();
  expect(await run(['secrets', 'rekey', '--json'])).toMatchObject({
    code: 1,
    out: expect.stringContaining('already_running') as string,
  });
});

test('import gets its folder and flags, and what it prints can not steer a terminal', async () => {
  const { code, out } = await run(['import', 'old', '--user', 'sam', '--accept-weak'], {
    direct: () => ({ ...handlers('direct'), ...rekeying('key_file'), close: () => undefined }),
  });
  expect(code).toBe(0);
  expect(reset).toEqual([
    {
      folder: join(process.cwd(), 'old'),
      dryRun: false,
      acceptWeak: true,
      user: 'sam',
      passphrase: undefined,
    },
  ]);
  expect(out).toContain('Imported from /old\\u001b[2J.');
  expect(out).toContain('  secret  A\\u001b[31m  a\\u000anote');
  expect(out).toContain('Left out:\n  user  sam  why not\n');
  // eslint-disable-next-line no-control-regex -- it is what is looked for
  expect(out).not.toMatch(/\u001b/);
});

test('import asks for the passphrase of the vault, a trial does not', async () => {
  await run(['import', 'old'], {}, 'a passphrase\n');
  expect(reset).toContainEqual(expect.objectContaining({ dryRun: false, passphrase: 'a passphrase' }));
  const { out } = await run(['import', 'old', '--dry-run']);
  expect(reset).toContainEqual(expect.objectContaining({ dryRun: true, passphrase: undefined }));
  expect(out).toContain('Nothing was changed.');
});

test('import refuses beside a running instance, but for a trial', async () => {
  await withInstance();
  const { code, err } = await run(['import', 'old']);
  expect([code, err]).toEqual([1, expect.stringContaining('runs on this workspace')]);
  expect((await run(['import', 'old', '--dry-run'])).code).toBe(0);
  expect(reset).not.toContainEqual(expect.objectContaining({ dryRun: false }));
});
