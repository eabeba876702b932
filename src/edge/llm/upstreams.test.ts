import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../guard/secrets/index.ts';
import { createHttpClient } from '../../host/net/index.ts';
import type { ModelsPort } from '../admin/ports.ts';
import { codeOf, KEY, owner, upstreamsBench, viewOf } from './upstreams.test-support.ts';

const bench = upstreamsBench();
const { make } = bench;

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
      { base_url: `${bench.fake.url}/`, api_key: ` ${KEY}\n` },
      owner,
    );
    expect(view).toMatchObject({
      enabled: true,
      has_key: true,
      key_source: 'stored',
      base_url: bench.fake.url,
    });
    const { models, problems } = await upstreams.models();
    expect(models.filter(({ provider }) => provider !== 'demo').map(({ model }) => model)).toEqual([
      'a-model',
      'b-model',
    ]);
    expect(problems).toEqual({});
    expect(bench.fake.others[0]?.headers['authorization']).toBe(`Bearer ${KEY}`);

    bench.fake.next({ text: 'ready' }, { status: 401 });
    const good = await upstreams.test('openai-compatible', undefined, owner);
    expect(good).toMatchObject({
      ok: true,
      message: 'OpenAI-compatible server answers with the model "a-model".',
    });
    expect(bench.fake.requests[0]?.body.max_tokens).toBe(256);
    const bad = await upstreams.test('openai-compatible', 'b-model', owner);
    expect(bad.ok).toBe(false);
    expect(bad.message).toContain('did not accept the API key');
    expect(
      bench.audit
        .list({ event: 'llm.test', after: 0, limit: 10 })
        .map(({ target, outcome }) => [target, outcome]),
    ).toEqual([
      ['openai-compatible/a-model', 'intent'],
      ['openai-compatible/a-model', 'ok'],
      ['openai-compatible/b-model', 'intent'],
      ['openai-compatible/b-model', 'failed'],
    ]);
  });

  it('end a test call and a list under way when the vault is locked, and blame no provider for it', async () => {
    let open = new AbortController();
    const upstreams = make({ untilLocked: () => open.signal });
    upstreams.change('openai-compatible', { base_url: bench.fake.url, api_key: KEY }, owner);
    bench.fake.next({ fault: 'hang_before_headers' });
    const call = upstreams.test('openai-compatible', 'a-model', owner);
    while (bench.fake.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    open.abort();
    expect(await call).toMatchObject({ ok: false, message: 'The vault was locked, which ended the call.' });
    expect(viewOf(upstreams, 'openai-compatible')?.health).toBeNull();
    expect(
      bench.audit.list({ event: 'llm.test', after: 0, limit: 10 }).map(({ outcome }) => outcome),
    ).toEqual(['intent', 'failed']);
    expect((await upstreams.models()).models.filter(({ provider }) => provider !== 'demo')).toEqual([]);
    open = new AbortController();
    expect((await upstreams.models()).models.filter(({ provider }) => provider !== 'demo')).not.toEqual([]);
  });

  it('keep a list of models for five minutes, but no failure, and forget it when something changes', async () => {
    const upstreams = make();
    upstreams.change('openai-compatible', { base_url: bench.fake.url }, owner);
    await upstreams.models();
    await upstreams.models();
    expect(bench.fake.others).toHaveLength(1);
    bench.pass(5 * 60_000 + 1);
    await upstreams.models();
    expect(bench.fake.others).toHaveLength(2);
    upstreams.change('openai-compatible', { api_key: KEY }, owner);
    await upstreams.models();
    expect(bench.fake.others).toHaveLength(3);
    upstreams.change('openai-compatible', { base_url: 'http://127.0.0.1:9' }, owner);
    expect((await upstreams.models()).problems['openai-compatible']).toContain('could not be reached');
    expect(viewOf(upstreams, 'openai-compatible')?.has_key).toBe(false);
  });

  it('never show a key: not in views, not in the database, not in the audit log', () => {
    const upstreams = make();
    const view = upstreams.change('openai', { api_key: KEY }, owner);
    expect(JSON.stringify([view, upstreams.list()])).not.toContain(KEY);
    const rows = bench.audit.list({ after: 0, limit: 100 });
    expect(rows.at(-1)).toMatchObject({
      event: 'llm.upstream_changed',
      actor: 'user:owner',
      target: 'openai',
    });
    expect(JSON.stringify(rows)).not.toContain(KEY);
    const sealed = bench.database.all<{ box: Uint8Array }>('SELECT box FROM sealed');
    expect(Buffer.from(sealed[0]?.box ?? []).includes(KEY)).toBe(false);
  });

  it('drop the stored key when the address changes, unless the same call brings one', async () => {
    const upstreams = make();
    upstreams.change('openai', { api_key: KEY }, owner);
    const moved = upstreams.change('openai', { base_url: bench.fake.url }, owner);
    expect(moved.has_key).toBe(false);
    expect(moved.note).toContain('was removed');
    expect(upstreams.routeTo('openai')).toMatchObject({ ok: false, code: 'llm_no_key' });
    expect(JSON.parse(bench.audit.list({ limit: 1 })[0]?.details ?? '')).toMatchObject({
      address_changed: true,
      key: 'removed_with_address',
    });
    expect(
      upstreams.change('openai', { base_url: `${bench.fake.url}/other`, api_key: KEY }, owner).has_key,
    ).toBe(true);
    // The way back to the own address is a change of address, too; the same address again is none.
    expect(upstreams.change('openai', { base_url: `${bench.fake.url}/other/` }, owner).has_key).toBe(true);
    expect(upstreams.change('openai', { base_url: null }, owner).has_key).toBe(false);
    await upstreams.models();
    expect(bench.fake.others).toHaveLength(0);
  });

  it('send a key from the environment to no address that was set on the page', async () => {
    make().change('openai-compatible', { base_url: bench.fake.url }, owner);
    const environmentKeys = { 'openai-compatible': { reveal: () => KEY } };
    const upstreams = make({ environmentKeys });
    expect(viewOf(upstreams, 'openai-compatible')).toMatchObject({
      key_source: 'environment',
      base_url: null,
    });
    expect(upstreams.routeTo('openai-compatible')).toMatchObject({ ok: false, code: 'llm_no_base_url' });
    for (const change of [
      { base_url: bench.fake.url },
      { base_url: null },
      { api_key: 'other' },
      { api_key: null },
    ]) {
      expect(codeOf(() => upstreams.change('openai-compatible', change, owner))).toBe('key_from_environment');
    }
    expect(bench.fake.others).toHaveLength(0);
    const given = make({ environmentKeys, compatibleBaseUrl: bench.fake.url });
    await given.models();
    expect(bench.fake.others[0]?.headers['authorization']).toBe(`Bearer ${KEY}`);
    expect(createRedactor(bench.known).text(`key ${KEY}`).value).toBe(
      'key [REDACTED:OPENAI_COMPATIBLE_API_KEY]',
    );
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
    bench.database.run('DROP TABLE audit');
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
    expect(bench.audit.list({ event: 'llm.default_changed', limit: 9 })).toHaveLength(1);
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

  it('say in words why a list of models can not be had', async () => {
    const upstreams = make();
    upstreams.change('openrouter', { enabled: true }, owner);
    upstreams.change('openai-compatible', { base_url: `${bench.fake.url}/wrong` }, owner);
    upstreams.change('ollama', { base_url: bench.fake.url.replace('/v1', '') }, owner);
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
    const { port } = new URL(bench.fake.url);
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
