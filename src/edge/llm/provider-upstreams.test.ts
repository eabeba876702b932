import { describe, expect, it } from 'vitest';
import { startAnthropicServer } from '../../../test/fakes/anthropic-server.ts';
import { startGeminiServer } from '../../../test/fakes/gemini-server.ts';
import { startResponsesServer } from '../../../test/fakes/responses-server.ts';
import { AppError } from '../../core/index.ts';
import { createRedactor } from '../../guard/secrets/index.ts';
import { type HttpClient, type HttpRequest } from '../../host/net/index.ts';
import { type Upstreams } from './index.ts';
import { codeOf, KEY, owner, upstreamsBench, viewOf } from './upstreams.test-support.ts';

const bench = upstreamsBench();
const { make } = bench;

describe('the upstreams', () => {
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
    expect(codeOf(() => upstreams.change('anthropic', { base_url: bench.fake.url }, owner))).toBe(
      'key_from_environment',
    );
    expect(upstreams.wireOf('anthropic')).toBe('anthropic');
    expect(createRedactor(bench.known).text(`key ${KEY}`).value).toBe('key [REDACTED:ANTHROPIC_API_KEY]');
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
    moved.change('anthropic', { base_url: bench.fake.url, api_key: KEY }, owner);
    expect(routeOf(moved).cost('claude-opus-4-5', usage)).toBeNull();
    expect(routeOf(moved).price('claude-opus-4-5')).toBeUndefined();
  });
});
