import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError } from '../core/index.ts';
import { describeConfig } from './describe.ts';
import { KEY_NAMES, keyInfo, variableOf } from './keys.ts';
import { loadConfig, type LoadedConfig } from './load.ts';
import type { Problem } from './problem.ts';
import { settingsSchema } from './schema.ts';
import type { ConfigFlags, Environment } from './types.ts';

let folder: string;
let workspace: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openpact-config-'));
  workspace = join(folder, 'ws');
  file = join(workspace, 'secure', 'config.yaml');
  mkdirSync(join(workspace, 'secure'), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function load(yaml: string | null, environment: Environment = {}, flags: ConfigFlags = {}): LoadedConfig {
  if (yaml !== null) writeFileSync(file, yaml);
  return loadConfig({ flags, environment, folder, workspaceDefault: workspace });
}

function refused(act: () => unknown): AppError {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

function problems(yaml: string, environment: Environment = {}): readonly string[] {
  const error = refused(() => load(yaml, environment));
  expect(error.family).toBe('config');
  const found = error.details['problems'] as readonly Problem[];
  for (const { where, message } of found) expect(error.message).toContain(`${where}: ${message}`);
  return found.map(({ where, message }) => `${where.replace(`${file}:`, 'line ')}: ${message}`);
}

function shown(loaded: LoadedConfig, key: string): string {
  const line = describeConfig(loaded).find((setting) => setting.key === key);
  return `${line?.value} ${line?.source} ${line?.from?.replace(file, 'file')}`;
}

test('without a file the defaults hold, and a notice says so', () => {
  const { config, notices } = load(null);
  expect(config).toEqual({
    workspace: { path: workspace },
    admin: {
      bind: { host: '127.0.0.1', port: 8888 },
      trustedProxies: [],
      allowedOrigins: [],
      allowedIps: [],
      insecureHttp: 'behind-proxy-or-localhost',
      jwt: { accessExpiryMs: 900_000, refreshExpiryMs: 259_200_000 },
      stepUp: false,
    },
    llm: { ollamaHost: '', compatibleBaseUrl: '', azureBaseUrl: '' },
    logging: { level: 'info', json: false },
    context: { aiMayEditIdentity: false },
    approvals: { expireAfterMs: 86_400_000 },
    engine: { maxTurnsAtOnce: 4, maxSteps: 25, turnTimeoutMs: 600_000, provider: 'demo', model: 'demo' },
    budget: {
      turn: { tokens: 2_000_000, usd: 5 },
      conversation: { tokens: 20_000_000, usd: 25 },
      day: { tokens: 50_000_000, usd: 50 },
      maxOutputTokens: 32_768,
      fallbackPrice: { input: 5, output: 25 },
    },
    starlark: {
      onChange: 'block',
      execMode: 'pure',
      execPerHour: 200,
      maxPending: 50,
      maxExecutionMs: 30_000,
      maxMemoryBytes: 128 * 1024 * 1024,
      autoApprove: [],
    },
    security: { minIsolation: 0, allowUnsandboxed: false },
    secrets: { hideOldForMs: 604_800_000 },
    server: { rateLimit: { rate: 10, burst: 60 }, healthAddress: undefined },
  });
  expect(notices.join()).toContain('the defaults are used');
  expect(Object.isFrozen(config.admin.jwt)).toBe(true);
});

test('an empty file, one with comments and one with empty sections mean the defaults', () => {
  for (const yaml of ['', '# nothing\n', 'admin:\nengine:\n  # nothing\n']) {
    expect(load(yaml).config.admin.bind.port).toBe(8888);
  }
});

test('every problem is listed at once, with its line', () => {
  expect(
    problems(
      [
        'admin:',
        '  bind: nowhere',
        '  bindd: 1',
        '  trusted_proxies: [10.0.0.0/8, proxy]',
        '  jwt: {access_expiry: 2h}',
        'logging: loud',
        'engine:',
        '  max_steps: "3"',
        '  provider: someone',
        'colour: red',
        'approvals:',
        '  expire_after: ${NOT_THERE}',
        'server:',
        '  rate_limit: {rate: .nan}',
      ].join('\n'),
      { OPENPACT_SECURITY_MIN_ISOLATION: '9', ADMIN_JWT_SECRET: 'short' },
    ).toSorted(),
  ).toEqual(
    [
      'line 2: admin.bind must be an address and a port, such as "127.0.0.1:8888" or "[::1]:8888"',
      'line 3: admin.bindd is not a known key. Did you mean admin.bind?',
      'line 4: admin.trusted_proxies.1 must be an IP address or a range, such as "10.0.0.0/8"',
      'line 5: admin.jwt.access_expiry must be a time from 1m to 60m, such as "1m"',
      'line 6: logging must hold keys, not a value',
      'line 8: engine.max_steps must be a whole number from 1 to 200',
      'line 9: engine.provider must be one of openai, anthropic, google, azure, openrouter, ollama, openai-compatible, demo',
      'line 10: colour is not a known key',
      'line 12: approvals.expire_after uses the variable NOT_THERE, which is not set',
      'line 14: server.rate_limit.rate must be a number from 0.1 to 10000',
      'OPENPACT_SECURITY_MIN_ISOLATION: security.min_isolation must be 0, 1, 2 or 3',
      'ADMIN_JWT_SECRET: is too short: at least 32 bytes are needed',
    ].toSorted(),
  );
});

test('a key of an older version is refused with what to use instead', () => {
  expect(problems('workspace_path: /x\nserver: {port: 1}\nlogging: {format: json}\n')).toEqual([
    'line 1: workspace_path is no longer a key: use workspace.path',
    'line 2: server.port is no longer a key: use admin.bind',
    'line 3: logging.format is no longer a key: use logging.json',
  ]);
});

test('a key in the wrong section is told where it belongs', () => {
  expect(problems('engine: {step_up: true}\n')[0]).toContain('Did you mean admin.step_up?');
});

test('broken YAML, doubled keys and unknown tags are refused with their line', () => {
  expect(problems('admin:\n  bind: "open\n')[0]).toMatch(/^line [23]:/);
  expect(problems('admin: {}\nadmin: {}\n')[0]).toContain('line 2: Map keys must be unique');
  expect(problems('logging: {level: !secret x}\n')[0]).toContain('line 1: Unresolved tag');
  expect(problems('- a\n- b\n')).toEqual(['line 1: must hold keys and values']);
});

test('flags win over variables, variables over the file, the file over the defaults', () => {
  const yaml = 'admin: {bind: "0.0.0.0:1"}\nengine: {max_steps: 7}\n';
  expect(shown(load(yaml), 'admin.bind')).toBe('0.0.0.0:1 file file:1');
  const environment = { OPENPACT_ADMIN_BIND: '[::1]:2', ADMIN_BIND: '127.0.0.1:3' };
  expect(shown(load(yaml, environment), 'admin.bind')).toBe('[::1]:2 env OPENPACT_ADMIN_BIND');
  expect(shown(load(yaml, { ADMIN_BIND: '127.0.0.1:3' }), 'admin.bind')).toBe('127.0.0.1:3 env ADMIN_BIND');
  const loaded = load(yaml, environment, { port: 4 });
  expect(loaded.config.admin.bind).toEqual({ host: '::1', port: 4 });
  expect(shown(loaded, 'admin.bind')).toBe('[::1]:4 flag --port');
  expect(shown(loaded, 'engine.max_steps')).toBe('7 file file:2');
  expect(shown(loaded, 'engine.model')).toBe('demo default undefined');
});

test('a wrong value in the file is found even where a variable hides it', () => {
  writeFileSync(file, 'engine: {max_steps: many}\n');
  expect(refused(() => load(null, { OPENPACT_ENGINE_MAX_STEPS: '3' })).message).toContain('engine.max_steps');
});

test('every key has a variable that sets it, in the kind that the key has', () => {
  const values: Readonly<Record<string, string>> = {
    'admin.bind': '10.0.0.1:1',
    'admin.jwt.refresh_expiry': '2h',
    'admin.trusted_proxies': '10.0.0.0/8, ::1',
    'admin.allowed_origins': 'https://a.example',
    'admin.allowed_ips': '127.0.0.1',
    'admin.insecure_http': 'allowed',
    'server.health_addr': '127.0.0.1:8081',
    'logging.level': 'warn',
    'engine.provider': 'openai',
    'workspace.path': folder,
    'security.min_isolation': '2',
    'secrets.hide_old_for': '2h',
    'security.allow_unsandboxed': 'true',
    'server.rate_limit.rate': '2.5',
    'budget.max_output_tokens': '4096',
    'starlark.on_change': 'keep',
    'starlark.exec_mode': 'off',
    'starlark.max_execution_ms': '2000',
    'starlark.max_memory_mb': '64',
    'starlark.approval.auto_approve': `sha256:${'0'.repeat(64)}`,
  };
  const samples = { text: '30m', number: '3', flag: '1', list: '' };
  const environment = Object.fromEntries(
    KEY_NAMES.map((key) => [variableOf(key), values[key] ?? samples[keyInfo(key).kind]]),
  );
  const loaded = load(null, environment);
  for (const key of KEY_NAMES) expect(shown(loaded, key)).toContain(`env ${variableOf(key)}`);
  expect(loaded.config.admin.trustedProxies).toEqual(['10.0.0.0/8', '::1']);
  expect(loaded.config.admin.stepUp).toBe(true);
  expect(loaded.config.server).toEqual({
    rateLimit: { rate: 2.5, burst: 3 },
    healthAddress: { host: '127.0.0.1', port: 8081 },
  });
  expect(loaded.config.admin.insecureHttp).toBe('allowed');
});

test('names and patterns approve nothing: the keys that held them, and code that reaches hosts, stop the start with a hint', () => {
  const refused = (yaml: string): string => {
    try {
      load(yaml);
    } catch (error) {
      return (error as AppError).message;
    }
    return 'it started';
  };
  for (const yaml of [
    'admin:\n  allowlist: [jokes.star]',
    'scripts:\n  allowlist: [jokes.star]',
    'starlark:\n  approval:\n    auto_approve_patterns: ["trusted/*"]',
  ])
    expect(refused(yaml)).toContain('starlark.approval.auto_approve');
  expect(refused('starlark:\n  approval:\n    auto_approve: [jokes.star]')).toContain('must be a digest');
  expect(refused('starlark:\n  exec_mode: http')).toContain('propose a script instead');
  const pinned = `sha256:${'0'.repeat(64)}`;
  expect(load(`starlark:\n  approval:\n    auto_approve: ["${pinned}"]`).config.starlark.autoApprove).toEqual(
    [pinned],
  );
});

test('the table of keys and the schema name the same keys', () => {
  const leaves = (schema: unknown, prefix: string): readonly string[] => {
    const shape = (schema as { shape?: Record<string, unknown> }).shape;
    if (shape === undefined) return [prefix];
    return Object.entries(shape).flatMap(([name, part]) =>
      leaves(part, prefix === '' ? name : `${prefix}.${name}`),
    );
  };
  expect([...leaves(settingsSchema, '')].toSorted()).toEqual([...KEY_NAMES].toSorted());
});

test('an unknown variable of ours is a notice with a hint, and an empty one counts as not set', () => {
  const { notices, config } = load('', {
    OPENPACT_ADMIN_BNID: 'x',
    OPENPACT_PORT: '1',
    OPENPACT_ADMIN_BIND: '',
  });
  expect(notices.join('\n')).toContain(
    'OPENPACT_ADMIN_BNID is not known and was ignored. Did you mean OPENPACT_ADMIN_BIND?',
  );
  expect(notices).toHaveLength(2);
  expect(config.admin.bind.port).toBe(8888);
});

test('variables are filled into texts, with defaults, and take the kind of the key where no quotes stand', () => {
  const yaml = [
    'admin:',
    '  bind: ${HOST}:${PORT:-99}',
    '  trusted_proxies: ${PROXIES}',
    '  step_up: ${STEP}',
    'engine:',
    '  max_steps: ${STEPS}',
    '  model: "a$${b}${EMPTY:-c}${INNER}"',
  ].join('\n');
  const loaded = load(yaml, {
    HOST: '127.0.0.1',
    PROXIES: '10.0.0.1,10.0.0.2',
    STEP: 'true',
    STEPS: '12',
    EMPTY: '',
    INNER: '${HOST}',
  });
  const { admin, engine } = loaded.config;
  expect(admin.bind).toEqual({ host: '127.0.0.1', port: 99 });
  expect(admin.trustedProxies).toEqual(['10.0.0.1', '10.0.0.2']);
  expect(admin.stepUp).toBe(true);
  expect(engine).toMatchObject({ maxSteps: 12, model: 'a${b}c${HOST}' });
});

test('what was filled in is never shown, neither in a description nor in a problem', () => {
  const secret = 'a-secret-that-went-astray';
  const loaded = load('engine: {model: "${KEY}"}\nadmin: {allowed_origins: ["https://${KEY}"]}\n', {
    KEY: secret,
  });
  expect(loaded.config.engine.model).toBe(secret);
  expect(JSON.stringify(describeConfig(loaded))).not.toContain(secret);
  expect(shown(loaded, 'engine.model')).toBe('${KEY} file file:1');
  const error = refused(() =>
    load('admin: {bind: "${KEY}", jwt: {access_expiry: "${KEY}"}}\nengine: {provider: "${KEY}"}\n', {
      KEY: secret,
    }),
  );
  expect(inspect(error, { depth: 10 })).not.toContain(secret);
});

test('a "${" that is none of the two forms is a problem', () => {
  expect(problems('engine: {model: "${not a name}"}\n')[0]).toContain('engine.model has a "${"');
  expect(problems('engine: {model: "${OPEN"}\n')[0]).toContain('engine.model has a "${"');
});

test('a file that can not be read is refused, and nothing falls back to the defaults', () => {
  mkdirSync(file);
  expect(refused(() => load(null)).code).toBe('config_unreadable');
  rmSync(file, { recursive: true });
  writeFileSync(file, Buffer.from([0x61, 0x3a, 0xff, 0xfe]));
  expect(refused(() => load(null)).code).toBe('config_unreadable');
});

test('a configuration that was named must exist', () => {
  expect(refused(() => load(null, {}, { config: 'other.yaml' })).code).toBe('config_missing');
  expect(refused(() => load(null, { CONFIG_PATH: 'other.yaml' })).code).toBe('config_missing');
  writeFileSync(join(folder, 'other.yaml'), 'engine: {max_steps: 2}\n');
  expect(load(null, { CONFIG_PATH: 'other.yaml' }).config.engine.maxSteps).toBe(2);
});

test('the workspace is found by flag, variable, file and default, relative to where each stands', () => {
  const none = { flags: {}, environment: {}, folder, workspaceDefault: workspace };
  const path = (options: Partial<Parameters<typeof loadConfig>[0]>) =>
    loadConfig({ ...none, ...options }).config.workspace.path;
  expect(path({ flags: { workspace: 'flagged' }, environment: { WORKSPACE_PATH: 'x' } })).toBe(
    join(folder, 'flagged'),
  );
  expect(path({ environment: { WORKSPACE_PATH: 'legacy' } })).toBe(join(folder, 'legacy'));
  expect(path({ environment: { WORKSPACE_PATH: 'x', OPENPACT_WORKSPACE_PATH: 'new' } })).toBe(
    join(folder, 'new'),
  );
  mkdirSync(join(folder, 'etc'));
  writeFileSync(join(folder, 'etc', 'c.yaml'), 'workspace: {path: ../data}\n');
  expect(path({ flags: { config: 'etc/c.yaml' } })).toBe(join(folder, 'data'));
  expect(path({})).toBe(workspace);
});

test('.env of the folder is read, the real environment wins, and an open file is a notice', () => {
  writeFileSync(
    join(folder, '.env'),
    'OPENPACT_ENGINE_MAX_STEPS=5\nADMIN_BIND=127.0.0.1:5\nOPENAI_API_KEY="from the file"\n',
  );
  chmodSync(join(folder, '.env'), 0o644);
  const { config, secrets, notices } = load(null, { ADMIN_BIND: '' });
  expect(config.engine.maxSteps).toBe(5);
  expect(config.admin.bind.port).toBe(8888);
  expect(secrets.get('OPENAI_API_KEY')?.reveal()).toBe('from the file');
  expect(notices.join('\n')).toContain(`chmod 600 '${join(folder, '.env')}'`);
});

test('a .env that can not be read stops the start', () => {
  mkdirSync(join(folder, '.env'));
  expect(refused(() => load(null)).code).toBe('dotenv_unreadable');
});

test('secrets that other processes could read in the environment are named, never shown', () => {
  const notice = (handedOver: boolean, wiped: boolean): string => {
    const options = {
      flags: {},
      environment: { OPENAI_API_KEY: 'sk-visible' },
      folder,
      workspaceDefault: workspace,
    };
    return loadConfig({ ...options, surroundings: { handedOver, wiped } }).notices.join('\n');
  };
  expect(notice(false, false)).toContain('can read OPENAI_API_KEY from the environment');
  expect(notice(true, false)).toContain('OPENAI_API_KEY_FILE');
  expect(notice(true, true)).not.toContain('OPENAI_API_KEY');
  expect(notice(false, false)).not.toContain('sk-visible');
});

test('secrets for scripts are references to variables, never values, and are shown nowhere', () => {
  const value = 'ghp_8fJ2kQxW5tZp9LmNv3';
  const loaded = load('starlark:\n  secrets:\n    GITHUB_TOKEN: ${MY_TOKEN}\n', { MY_TOKEN: value });
  expect(loaded.secrets.referenced.get('GITHUB_TOKEN')?.reveal()).toBe(value);
  expect(inspect(loaded, { depth: 10 })).not.toContain(value);
  expect(JSON.stringify(describeConfig(loaded))).not.toContain(value);
  const said = problems(
    `starlark:\n  secrets:\n    A: ${value}\n    b: \${MY_TOKEN}\n    C: "x\${MY_TOKEN}"\n    D: \${SHORT}\n    E: \${NONE}\n`,
    { MY_TOKEN: value, SHORT: 'abc', OPENPACT_SECRET_F: 'xy' },
  ).join('\n');
  for (const part of [
    'starlark.secrets.A must be a reference',
    'A-Z, 0-9',
    'starlark.secrets.C must',
    'D must hold 4 to',
    'NONE, which is not set',
    'OPENPACT_SECRET_F',
  ]) {
    expect(said).toContain(part);
  }
  expect(said).not.toContain(value);
});
