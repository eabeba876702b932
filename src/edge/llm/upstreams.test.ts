import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAnthropicServer } from '../../../test/fakes/anthropic-server.ts';
import { startGeminiServer } from '../../../test/fakes/gemini-server.ts';
import { startResponsesServer } from '../../../test/fakes/responses-server.ts';
import { startFakeModel, type FakeModel } from '../../../test/fakes/openai-server.ts';
import { AppError, silentLog, type Principal } from '../../core/index.ts';
import { createAudit, type Audit } from '../../guard/audit/index.ts';
import {
  createKnownSecrets,
  createRedactor,
  createSealedVault,
  revealSecret,
} from '../../guard/secrets/index.ts';
import { createHttpClient, type HttpClient, type HttpRequest } from '../../host/net/index.ts';
import {
  createAuditStore,
  createSettingsStore,
  openDatabase,
  type Database,
} from '../../host/storage/index.ts';
import { createSealedStore } from '../../host/storage/sealed-store.ts';
import { createUpstreamsStore } from '../../host/storage/upstreams-store.ts';
import type { ModelsPort } from '../admin/ports.ts';
import { createUpstreams, type Upstreams, type UpstreamsDeps } from './index.ts';
import { createHealthBoard } from './upstream-health.ts';

const owner: Principal = { kind: 'user', id: 'user_1', name: 'owner' };
const KEY = 'sk-live-4f9a8c7b6d5e4f3a2b1c0d9e8f7a6b5c';

let folder: string;
let database: Database;
let audit: Audit;
let http: HttpClient;
let fake: FakeModel;
let now: number;
let known: ReturnType<typeof createKnownSecrets>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'upstreams-'));
  database = openDatabase({ path: join(folder, 'test.db') });
  http = createHttpClient();
  fake = await startFakeModel({ models: ['b-model', 'a-model', 'text-embedding-3', 'bad name', { id: 7 }] });
  now = 1_000;
  known = createKnownSecrets({ clock: clock() });
});

afterEach(async () => {
  await http.close();
  await fake.close();
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

function clock(): { now(): number; monotonic(): number } {
  return { now: () => now, monotonic: () => now };
}

function make(more: Partial<UpstreamsDeps> = {}): Upstreams {
  const redactor = createRedactor(known);
  audit = createAudit({
    store: createAuditStore(database),
    database,
    clock: clock(),
    log: silentLog,
    redactor,
    key: new Uint8Array(32),
    fresh: true,
  });
  const vault = createSealedVault({
    store: createSealedStore(database),
    clock: clock(),
    key: new Uint8Array(32).fill(7),
    known,
  });
  const ref = (name: string) => ({ kind: 'llm_key', name }) as const;
  return createUpstreams({
    store: createUpstreamsStore(database),
    settings: createSettingsStore(database),
    database,
    audit,
    clock: clock(),
    redactor,
    http,
    health: createHealthBoard(clock()),
    known,
    keys: {
      put: (name, value) => void vault.put(ref(name), value),
      has: (name) => vault.has(ref(name)),
      remove: (name) => void vault.remove(ref(name)),
      use: (name) => revealSecret(vault, ref(name), 'llm_call') ?? null,
    },
    demoDelayMs: 0,
    ...more,
  });
}

function codeOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return 'no error';
}

const viewOf = (upstreams: Upstreams, name: string) => upstreams.list().find((view) => view.name === name);

describe('the upstreams', () => {
  it('start with the demo alone, which needs nothing', async () => {
    const upstreams = make();
    expect(upstreams.list().map(({ name, enabled }) => [name, enabled])).toEqual([
      ['openai', false],
      ['anthropic', false],
      ['google', false],
      ['azure', false],
      ['openrouter', false],
      ['ollama', false],
      ['openai-compatible', false],
      ['demo', true],
    ]);
    expect(await upstreams.models()).toEqual({
      models: [{ provider: 'demo', model: 'demo', label: 'Demo (not an AI)', context_limit: null }],
      default: { provider: 'demo', model: 'demo' },
      problems: {},
    });
    expect(await upstreams.test('demo', undefined, owner)).toMatchObject({ ok: true });
    expect(codeOf(() => upstreams.change('demo', { enabled: false }, owner))).toBe('demo_fixed');
    expect(codeOf(() => upstreams.change('elsewhere', { enabled: false }, owner))).toBe('not_found');
  });

  it('fit what the admin edge expects', () => {
    const upstreams = make();
    const port: ModelsPort = {
      upstreams: () => upstreams.list(),
      change: (name, change, actor) => upstreams.change(name, change, actor.principal),
      models: async () => ({ ...(await upstreams.models()), fallback: null }),
      setDefault: (choice, actor) => upstreams.setDefault(choice, actor.principal),
      setFallback: () => null,
      test: (name, model, actor) => upstreams.test(name, model, actor.principal),
    };
    expect(port.upstreams()).toHaveLength(8);
  });

  it('send the stored key to their address, list models and make a test call', async () => {
    const upstreams = make();
    const view = upstreams.change(
      'openai-compatible',
      { base_url: `${fake.url}/`, api_key: ` ${KEY}\n` },
      owner,
    );
    expect(view).toMatchObject({ enabled: true, has_key: true, key_source: 'stored', base_url: fake.url });
    const { models, problems } = await upstreams.models();
    expect(models.filter(({ provider }) => provider !== 'demo').map(({ model }) => model)).toEqual([
      'a-model',
      'b-model',
    ]);
    expect(problems).toEqual({});
    expect(fake.others[0]?.headers['authorization']).toBe(`Bearer ${KEY}`);

    fake.next({ text: 'ready' }, { status: 401 });
    const good = await upstreams.test('openai-compatible', undefined, owner);
    expect(good).toMatchObject({
      ok: true,
      message: 'OpenAI-compatible server answers with the model "a-model".',
    });
    expect(fake.requests[0]?.body.max_tokens).toBe(256);
    const bad = await upstreams.test('openai-compatible', 'b-model', owner);
    expect(bad.ok).toBe(false);
    expect(bad.message).toContain('did not accept the API key');
    expect(
      audit.list({ event: 'llm.test', after: 0, limit: 10 }).map(({ target, outcome }) => [target, outcome]),
    ).toEqual([
      ['openai-compatible/a-model', 'intent'],
      ['openai-compatible/a-model', 'ok'],
      ['openai-compatible/b-model', 'intent'],
      ['openai-compatible/b-model', 'failed'],
    ]);
  });

  it('keep a list of models for five minutes, but no failure, and forget it when something changes', async () => {
    const upstreams = make();
    upstreams.change('openai-compatible', { base_url: fake.url }, owner);
    await upstreams.models();
    await upstreams.models();
    expect(fake.others).toHaveLength(1);
    now += 5 * 60_000 + 1;
    await upstreams.models();
    expect(fake.others).toHaveLength(2);
    upstreams.change('openai-compatible', { api_key: KEY }, owner);
    await upstreams.models();
    expect(fake.others).toHaveLength(3);
    upstreams.change('openai-compatible', { base_url: 'http://127.0.0.1:9' }, owner);
    expect((await upstreams.models()).problems['openai-compatible']).toContain('could not be reached');
    expect(viewOf(upstreams, 'openai-compatible')?.has_key).toBe(false);
  });

  it('never show a key: not in views, not in the database, not in the audit log', () => {
    const upstreams = make();
    const view = upstreams.change('openai', { api_key: KEY }, owner);
    expect(JSON.stringify([view, upstreams.list()])).not.toContain(KEY);
    const rows = audit.list({ after: 0, limit: 100 });
    expect(rows.at(-1)).toMatchObject({
      event: 'llm.upstream_changed',
      actor: 'user:owner',
      target: 'openai',
    });
    expect(JSON.stringify(rows)).not.toContain(KEY);
    const sealed = database.all<{ box: Uint8Array }>('SELECT box FROM sealed');
    expect(Buffer.from(sealed[0]?.box ?? []).includes(KEY)).toBe(false);
  });

  it('drop the stored key when the address changes, unless the same call brings one', async () => {
    const upstreams = make();
    upstreams.change('openai', { api_key: KEY }, owner);
    const moved = upstreams.change('openai', { base_url: fake.url }, owner);
    expect(moved.has_key).toBe(false);
    expect(moved.note).toContain('was removed');
    expect(upstreams.routeTo('openai')).toMatchObject({ ok: false, code: 'llm_no_key' });
    expect(JSON.parse(audit.list({ limit: 1 })[0]?.details ?? '')).toMatchObject({
      address_changed: true,
      key: 'removed_with_address',
    });
    expect(upstreams.change('openai', { base_url: `${fake.url}/other`, api_key: KEY }, owner).has_key).toBe(
      true,
    );
    // The way back to the own address is a change of address, too; the same address again is none.
    expect(upstreams.change('openai', { base_url: `${fake.url}/other/` }, owner).has_key).toBe(true);
    expect(upstreams.change('openai', { base_url: null }, owner).has_key).toBe(false);
    await upstreams.models();
    expect(fake.others).toHaveLength(0);
  });

  it('send a key from the environment to no address that was set on the page', async () => {
    make().change('openai-compatible', { base_url: fake.url }, owner);
    const environmentKeys = { 'openai-compatible': { reveal: () => KEY } };
    const upstreams = make({ environmentKeys });
    expect(viewOf(upstreams, 'openai-compatible')).toMatchObject({
      key_source: 'environment',
      base_url: null,
    });
    expect(upstreams.routeTo('openai-compatible')).toMatchObject({ ok: false, code: 'llm_no_base_url' });
    for (const change of [
      { base_url: fake.url },
      { base_url: null },
      { api_key: 'other' },
      { api_key: null },
    ]) {
      expect(codeOf(() => upstreams.change('openai-compatible', change, owner))).toBe('key_from_environment');
    }
    expect(fake.others).toHaveLength(0);
    const given = make({ environmentKeys, compatibleBaseUrl: fake.url });
    await given.models();
    expect(fake.others[0]?.headers['authorization']).toBe(`Bearer ${KEY}`);
    expect(createRedactor(known).text(`key ${KEY}`).value).toBe('key [REDACTED:OPENAI_COMPATIBLE_API_KEY]');
  });

  it('accept addresses that are safe for a key, and no others', () => {
    const upstreams = make();
    const change = (base_url: string) => () => upstreams.change('openai-compatible', { base_url }, owner);
    for (const url of [
      'https://api.example.com/v1',
      'http://127.0.0.1:8080/v1',
      'http://[::1]:8080/v1',
      'http://localhost:1234/v1',
      'http://192.168.1.20/v1',
      'http://ollama:11434/v1',
      'http://box.lan/v1',
    ]) {
      expect(codeOf(change(url)), url).toBe('no error');
    }
    for (const url of ['http://api.example.com/v1', 'http://8.8.8.8/v1', 'http://[2001:db8::1]/v1']) {
      expect(codeOf(change(url)), url).toMatch(/^base_url_(not_encrypted|invalid)$/);
    }
    for (const url of [
      'https://user:pw@api.example.com/v1',
      'https://api.example.com/v1?key=x',
      'https://api.example.com/v1#x',
      'ftp://api.example.com',
      'file:///etc/passwd',
      'javascript:alert(1)',
      'api.example.com',
      '',
      'http://169.254.169.254/latest',
      'https://169.254.169.254/latest',
      'http://0.0.0.0/v1',
      'http://[::ffff:169.254.169.254]/',
      'http://2852039166/',
    ]) {
      expect(codeOf(change(url)), url).toBe('base_url_invalid');
    }
  });

  it('refuse a key that would become a second header', () => {
    const upstreams = make();
    for (const api_key of ['a\r\nx-evil: 1', 'a b', '', 'ключ', 'a\u0000']) {
      expect(codeOf(() => upstreams.change('openai', { api_key }, owner))).toBe('key_invalid');
    }
  });

  it('keep neither change nor key when the audit log can not be written', () => {
    const upstreams = make();
    database.run('DROP TABLE audit');
    expect(codeOf(() => upstreams.change('openai', { api_key: KEY }, owner))).toBe('audit_failed');
    expect(viewOf(upstreams, 'openai')).toMatchObject({ has_key: false, enabled: false });
  });

  it('remember the default model, and say why a model can not be one', () => {
    const initialModel = { provider: 'ollama', model: 'qwen3:8b' } as const;
    const upstreams = make({ initialModel });
    expect(upstreams.defaultModel()).toEqual(initialModel);
    const choose = (provider: string, model: string) => () =>
      upstreams.setDefault({ provider, model }, owner);
    expect(codeOf(choose('nobody', 'x'))).toBe('not_found');
    expect(codeOf(choose('openai', 'gpt-4o'))).toBe('llm_disabled');
    upstreams.change('openai', { enabled: true }, owner);
    expect(codeOf(choose('openai', 'gpt-4o'))).toBe('llm_no_key');
    upstreams.change('openai', { api_key: KEY }, owner);
    expect(codeOf(choose('openai', 'gpt-4o'))).toBe('no error');
    expect(make().defaultModel()).toEqual({ provider: 'openai', model: 'gpt-4o' });
    for (const model of ['gpt-4o:online', 'gpt-4o-search-preview', 'perplexity/sonar', 'o3-deep-research']) {
      expect(codeOf(choose('openai', model))).toBe('model_acts_by_itself');
    }
    for (const model of ['', 'a b', 'x'.repeat(201), 'a\n', KEY, `models/${KEY}`])
      expect(codeOf(choose('openai', model))).toBe('model_invalid');
    expect(audit.list({ event: 'llm.default_changed', limit: 9 })).toHaveLength(1);
  });

  it('know what a call costs, or that they do not know', () => {
    const upstreams = make({ ollamaHost: '0.0.0.0', environmentKeys: { openai: { reveal: () => KEY } } });
    const cost = (provider: string, model: string): number | null => {
      const found = upstreams.routeTo(provider);
      if (!found.ok) throw new Error(found.message);
      return found.route.cost(model, { input: 1_000_000, output: 100_000, cached: 500_000 });
    };
    expect(cost('openai', 'gpt-4o-2024-08-06')).toBeCloseTo(1.25 + 0.625 + 1);
    expect(cost('openai', 'gpt-99')).toBeNull();
    for (const name of ['constructor', 'toString', 'valueOf'])
      expect(cost('openai', name), 'what every object has is no price').toBeNull();
    expect(cost('demo', 'demo')).toBe(0);
    expect(cost('ollama', 'qwen3:8b')).toBe(0);
    expect(cost('ollama', 'gpt-oss:120b-cloud')).toBeNull();
    expect(viewOf(upstreams, 'ollama')).toMatchObject({
      enabled: true,
      base_url: 'http://127.0.0.1:11434/v1',
    });
  });

  it("speak OpenAI's responses at its own address, and chat completions at every other", async () => {
    const asked: HttpRequest[] = [];
    const http: HttpClient = {
      send: (request) => {
        asked.push(request);
        return Promise.reject(
          new AppError({ family: 'upstream', code: 'connect_failed', message: 'Nobody is there.' }),
        );
      },
      close: () => Promise.resolve(),
    };
    const upstreams = make({ http });
    upstreams.change('openai', { api_key: KEY }, owner);
    expect(upstreams.wireOf('openai')).toBe('openai-responses');
    await upstreams.test('openai', 'gpt-5-mini', owner);
    expect(asked[0]).toMatchObject({
      url: 'https://api.openai.com/v1/responses',
      headers: { authorization: `Bearer ${KEY}` },
    });
    expect(JSON.parse(String(asked[0]?.body))).toMatchObject({ store: false, stream: true });

    upstreams.change('openai', { base_url: 'https://models.example.org/v1', api_key: KEY }, owner);
    expect(upstreams.wireOf('openai')).toBe('chat-completions');
    await upstreams.test('openai', 'gpt-5-mini', owner);
    expect(asked[1]).toMatchObject({ url: 'https://models.example.org/v1/chat/completions' });
    expect(JSON.parse(String(asked[1]?.body))).toMatchObject({ max_completion_tokens: 256 });

    upstreams.change('google', { api_key: KEY }, owner);
    await upstreams.test('google', 'models/gemini-2.5-pro', owner);
    expect(asked[2]).toMatchObject({
      url: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
      headers: { 'x-goog-api-key': KEY },
    });
    // A name is a name and no path, wherever it comes from.
    await upstreams.test('google', 'x/../../upload', owner);
    expect(asked[3]?.url).toContain('/v1beta/models/x%2F..%2F..%2Fupload:streamGenerateContent');
  });

  it('ask Azure for no list, say what to type instead, and make the API of today out of its endpoint', async () => {
    const server = await startResponsesServer({
      base: '/openai/v1',
      key: { header: 'api-key', value: KEY },
    });
    try {
      const upstreams = make();
      expect(upstreams.routeTo('azure')).toMatchObject({ ok: false });
      upstreams.change('azure', { api_key: KEY }, owner);
      expect(upstreams.routeTo('azure')).toMatchObject({ ok: false, code: 'llm_no_base_url' });
      for (const path of ['', '/', '/openai', '/openai/', '/openai/v1/']) {
        const url = `${server.origin}${path}`;
        const view = upstreams.change('azure', { base_url: url, api_key: KEY }, owner);
        expect(view.base_url, path).toBe(`${server.origin}/openai/v1`);
      }
      expect((await upstreams.models()).problems).toEqual({});
      expect(await upstreams.test('azure', undefined, owner)).toMatchObject({
        ok: false,
        message: expect.stringContaining('Type the name of one.'),
      });
      expect(server.others).toEqual([]);
      expect(await upstreams.test('azure', 'my-deployment', owner)).toMatchObject({ ok: true });
      expect(server.requests[0]?.headers['authorization']).toBeUndefined();
    } finally {
      await server.close();
    }
  });

  it("list Google's models that talk, page by page", async () => {
    const model = (name: string, ...ways: string[]) => ({
      name: `models/${name}`,
      displayName: `Name of ${name}`,
      inputTokenLimit: 1_048_576,
      supportedGenerationMethods: ways,
    });
    const models = [
      model('gemini-2.5-flash', 'generateContent', 'countTokens'),
      model('gemini-2.5-flash-preview-tts', 'generateContent'),
      model('gemini-2.5-flash-image', 'generateContent'),
      model('gemini-2.5-computer-use-preview', 'generateContent'),
      model('text-embedding-004', 'embedContent'),
      model('gemini-live', 'bidiGenerateContent'),
    ];
    const server = await startGeminiServer({ apiKey: KEY, models, nextPageToken: 'a b&key=x' });
    try {
      const upstreams = make();
      upstreams.change('google', { base_url: server.url, api_key: KEY }, owner);
      const found = await upstreams.models();
      expect(found.problems).toEqual({});
      expect(found.models.filter(({ provider }) => provider === 'google')[0]).toEqual({
        provider: 'google',
        model: 'gemini-2.5-flash',
        label: 'Name of gemini-2.5-flash',
        context_limit: 1_048_576,
      });
      expect(new Set(found.models.map((entry) => entry.model))).toEqual(
        new Set(['demo', 'gemini-2.5-flash']),
      );
      expect(server.others.slice(0, 2).map(({ path }) => path)).toEqual([
        '/v1beta/models?pageSize=200',
        '/v1beta/models?pageSize=200&pageToken=a%20b%26key%3Dx',
      ]);
      expect(server.others.length).toBeLessThanOrEqual(5);
    } finally {
      await server.close();
    }
  });

  it("price Google's models by the length of the prompt, and a deployment of Azure not at all", () => {
    const key = { reveal: () => KEY };
    const upstreams = make({
      environmentKeys: { google: key, azure: key, openai: key },
      azureBaseUrl: 'https://name.openai.azure.com',
    });
    const routeOf = (provider: string) => {
      const found = upstreams.routeTo(provider);
      if (!found.ok) throw new Error(found.message);
      return found.route;
    };
    const { cost, price } = routeOf('google');
    const usage = { input: 200_000, output: 10_000, cached: 100_000 };
    expect(cost('gemini-2.5-pro', usage)).toBeCloseTo(0.125 + 0.0125 + 0.1, 10);
    expect(cost('gemini-2.5-pro', { ...usage, input: 200_001 })).toBeCloseTo(0.2500025 + 0.025 + 0.15, 10);
    expect(price('gemini-2.5-flash')).toMatchObject({ maxOutput: 65_536 });
    expect(cost('gemini-99', usage)).toBeNull();
    expect(routeOf('azure').cost('gpt-5', usage)).toBeNull();
    expect(routeOf('azure').price('gpt-5')).toBeUndefined();
    expect(routeOf('openai').price('gpt-5')).toMatchObject({ maxOutput: 128_000 });
  });

  it('send the key of Anthropic in its own header, and read its list page by page, with a cap', async () => {
    const server = await startAnthropicServer();
    const page = (ids: string[], last: string | null) => ({
      body: {
        data: ids.map((id) => ({
          type: 'model',
          id,
          display_name: `Name of ${id}`,
          max_input_tokens: 200_000,
        })),
        has_more: last !== null,
        last_id: last,
      },
    });
    try {
      const upstreams = make();
      upstreams.change('anthropic', { base_url: server.url, api_key: KEY }, owner);
      server.next(page(['claude-b'], 'claude-b'), page(['claude-a', 'bad name'], null));
      const { models, problems } = await upstreams.models();
      expect(problems).toEqual({});
      expect(models.filter(({ provider }) => provider === 'anthropic')).toEqual([
        { provider: 'anthropic', model: 'claude-a', label: 'Name of claude-a', context_limit: 200_000 },
        { provider: 'anthropic', model: 'claude-b', label: 'Name of claude-b', context_limit: 200_000 },
      ]);
      expect(server.requests.map(({ path }) => path)).toEqual([
        '/v1/models?limit=1000',
        '/v1/models?limit=1000&after_id=claude-b',
      ]);
      expect(server.requests[0]?.headers).toMatchObject({
        'x-api-key': KEY,
        'anthropic-version': '2023-06-01',
      });
      expect(server.requests[0]?.headers).not.toHaveProperty('authorization');

      // A list without an end, whose cursor would like to be more than a cursor.
      upstreams.change('anthropic', { enabled: true }, owner);
      server.requests.length = 0;
      for (let i = 0; i < 5; i += 1) server.next(page([`claude-${i}`], `claude-${i}`));
      const endless = await upstreams.models();
      expect(endless.models.filter(({ provider }) => provider === 'anthropic')).toHaveLength(5);
      expect(server.requests).toHaveLength(5);
      upstreams.change('anthropic', { enabled: true }, owner);
      server.next(page(['claude-a'], 'x&limit=1#../files'));
      expect((await upstreams.models()).problems).toEqual({});
      expect(server.requests).toHaveLength(6);

      expect(await upstreams.test('anthropic', 'claude-a', owner)).toMatchObject({ ok: true });
      expect(server.requests.at(-1)).toMatchObject({ path: '/v1/messages', body: { max_tokens: 256 } });
    } finally {
      await server.close();
    }
  });

  it('take the key of Anthropic from the environment, and keep it to its own address', () => {
    const upstreams = make({ environmentKeys: { anthropic: { reveal: () => KEY } } });
    expect(viewOf(upstreams, 'anthropic')).toMatchObject({
      enabled: true,
      key_source: 'environment',
      base_url: 'https://api.anthropic.com/v1',
    });
    expect(codeOf(() => upstreams.change('anthropic', { base_url: fake.url }, owner))).toBe(
      'key_from_environment',
    );
    expect(upstreams.wireOf('anthropic')).toBe('anthropic');
    expect(createRedactor(known).text(`key ${KEY}`).value).toBe('key [REDACTED:ANTHROPIC_API_KEY]');
  });

  it('price what goes into the cache and comes out of it, at the list price of the own address only', () => {
    const upstreams = make({ environmentKeys: { anthropic: { reveal: () => KEY } } });
    const routeOf = (which: Upstreams) => {
      const found = which.routeTo('anthropic');
      if (!found.ok) throw new Error(found.message);
      return found.route;
    };
    const usage = { input: 80_000, output: 1_000, cached: 50_000, written: 10_000 };
    const { cost, price } = routeOf(upstreams);
    expect(cost('claude-haiku-4-5-20251001', usage)).toBeCloseTo(0.02 + 0.005 + 0.0125 + 0.005, 10);
    expect(price('claude-opus-4-5')).toMatchObject({ maxOutput: 64_000 });
    // Beyond 100,000 tokens of prompt everything of a call costs five times as much.
    expect(cost('claude-haiku-5-5', { ...usage, input: 100_000, cached: 0, written: 0 })).toBeCloseTo(
      0.0105,
      10,
    );
    expect(cost('claude-haiku-5-5', { ...usage, input: 100_001, cached: 0, written: 0 })).toBeCloseTo(
      0.0525005,
      7,
    );
    expect(cost('claude-99', usage)).toBeNull();
    const moved = make();
    moved.change('anthropic', { base_url: fake.url, api_key: KEY }, owner);
    expect(routeOf(moved).cost('claude-opus-4-5', usage)).toBeNull();
    expect(routeOf(moved).price('claude-opus-4-5')).toBeUndefined();
  });

  it('say in words why a list of models can not be had', async () => {
    const upstreams = make();
    upstreams.change('openrouter', { enabled: true }, owner);
    upstreams.change('openai-compatible', { base_url: `${fake.url}/wrong` }, owner);
    upstreams.change('ollama', { base_url: fake.url.replace('/v1', '') }, owner);
    const { problems, models } = await upstreams.models();
    expect(problems['openrouter']).toBe(
      'OpenRouter needs an API key and none is stored. Add the key on the Models page, or choose another model.',
    );
    expect(Object.keys(problems)).toEqual(['openrouter']);
    expect(models.map(({ provider }) => provider)).toContain('ollama');
  });

  it("reach a provider's own address in public only, and what the owner gave also inside, but no metadata", async () => {
    const asked: string[] = [];
    let answer = ['127.0.0.1'];
    const judged = createHttpClient({
      resolve: async (host) => {
        asked.push(host);
        return answer;
      },
    });
    const upstreams = make({ http: judged });
    upstreams.change('openai', { api_key: KEY, enabled: true }, owner);
    const refused = 'leads to an address where it can not be';
    expect((await upstreams.test('openai', 'gpt-5-mini', owner)).message).toContain(refused);
    answer = ['93.184.216.34', '10.0.0.1'];
    expect((await upstreams.test('openai', 'gpt-5-mini', owner)).message).toContain(refused);
    expect(asked).toEqual(['api.openai.com', 'api.openai.com']);

    answer = ['127.0.0.1'];
    const { port } = new URL(fake.url);
    const change = { base_url: `http://model.lan:${port}/v1`, enabled: true };
    upstreams.change('openai-compatible', change, owner);
    expect(await upstreams.test('openai-compatible', 'a-model', owner)).toMatchObject({ ok: true });
    for (const metadata of ['169.254.169.254', 'fd00:ec2::254', '100.100.100.200']) {
      answer = [metadata];
      const url = { base_url: `http://${metadata.replace(/[^a-z0-9]/g, '-')}.lan/v1` };
      upstreams.change('openai-compatible', url, owner);
      expect((await upstreams.test('openai-compatible', 'a-model', owner)).message).toContain(refused);
      const literal = { base_url: `http://${metadata.includes(':') ? `[${metadata}]` : metadata}/v1` };
      expect(codeOf(() => upstreams.change('openai-compatible', literal, owner))).toBe('base_url_invalid');
    }
    await judged.close();
  });
});
