import { describe, expect, test } from 'vitest';
import type { BrokerAnswer, BrokerRequest, BrokerResponse } from '../wire/index.ts';
import { runScript, type ScriptOutcome, type ScriptRequest } from './index.ts';

const NOW = Date.UTC(2026, 0, 31, 12, 34, 56);

interface Run {
  readonly outcome: ScriptOutcome;
  readonly asked: BrokerRequest[];
  readonly slept: number[];
}

/** A broker that knows KEY and OTHER, and answers everything with one response. */
function run(
  source: string,
  options: Partial<ScriptRequest> & { response?: Partial<BrokerResponse>; refused?: string } = {},
): Run {
  const asked: BrokerRequest[] = [];
  const slept: number[] = [];
  const ask = (request: BrokerRequest): BrokerAnswer => {
    asked.push(request);
    if (request.op === 'list') return { names: ['KEY', 'OTHER'] };
    if (request.op !== 'http') return { found: request.name === 'KEY' || request.name === 'OTHER' };
    if (options.refused !== undefined) return { refused: { code: options.refused, message: 'no' } };
    return { response: { status: 200, headers: [], body: ['ok'], ...options.response } };
  };
  const outcome = runScript(
    { name: 'test.star', source: `K = secrets.get("KEY")\n${source}`, now: NOW, ...options },
    { broker: { ask }, wait: (ms) => slept.push(ms) },
  );
  return { outcome, asked, slept };
}

const value = (expression: string, response?: Partial<BrokerResponse>): unknown => {
  const { outcome } = run(`result = ${expression}`, response === undefined ? {} : { response });
  return outcome.error ?? outcome.value;
};

describe('a secret', () => {
  test.each([
    ['K', '[REDACTED:KEY]'],
    ['"Bearer " + K', 'Bearer [REDACTED:KEY]'],
    ['K * 2', '[REDACTED:KEY][REDACTED:KEY]'],
    ['{"a": [K, (K,)]}', { a: ['[REDACTED:KEY]', ['[REDACTED:KEY]']] }],
    ['json.encode({"k": "é" + K})', '{"k":"é[REDACTED:KEY]"}'.replace('"é[', '"é[')],
    ['json.encode("a\\"" + K)', '"a\\"[REDACTED:KEY]"'],
    ['url.encode("a b" + K)', 'a%20b[REDACTED:KEY]'],
    ['base64.encode("user:" + K)', '[REDACTED:KEY]'],
    ['hashing.sha256(K)', '[REDACTED:KEY]'],
    ['hashing.hmac_sha256("k", K + secrets.get("OTHER"))', '[REDACTED:KEY]'],
    ['(" a " + K + " b ").strip()', 'a [REDACTED:KEY] b'],
    ['K.strip()', '[REDACTED:KEY]'],
    ['type(K)', 'string'],
    ['secrets.get("NONE")', null],
    ['[secrets.has("KEY"), secrets.has("NONE")]', [true, false]],
    ['secrets.list()', ['KEY', 'OTHER']],
  ])('%s shows as %j', (expression, want) => {
    expect(value(expression)).toEqual(want);
  });

  test.each(['len(K)', 'K[0]', 'K == "a"', '{K: 1}', 'json.decode(K)', 'repr(K)', '"a" in K', 'K.upper()'])(
    '%s is refused by name, with a code of its own',
    (expression) => {
      expect(value(expression)).toMatchObject({
        code: 'secret_use',
        line: 2,
        message: expect.stringMatching(/^secret KEY cannot be used for /) as string,
      });
    },
  );

  test('is named together with others, up to a number', () => {
    expect(value('len(K + secrets.get("OTHER"))')).toMatchObject({
      message: expect.stringContaining('the text with secrets KEY and OTHER cannot') as string,
    });
  });

  test('has functions nested four deep, not five', () => {
    const nest = (n: number): string => `${'hashing.sha256('.repeat(n)}K${')'.repeat(n)}`;
    expect(value(nest(4))).toBe('[REDACTED:KEY]');
    expect(value(nest(5))).toMatchObject({ code: 'secret_use' });
  });

  test('stands in a text in at most 4096 pieces', () => {
    expect(run('x = K * 4096').outcome.error).toBeNull();
    expect(run('x = K * 4097').outcome.error).toMatchObject({ code: 'secret_use' });
    expect(run('x = hashing.sha256(K * 4096)').outcome.error).toMatchObject({ code: 'secret_use' });
  });

  test('counts the same whatever it stands for, in memory', () => {
    const used = run('x = K + K').outcome.used.memory - run('x = K').outcome.used.memory;
    expect(used).toBeGreaterThan(2 * 4_096);
  });
});

describe('json.decode of an answer with references in it', () => {
  const body = (...parts: BrokerResponse['body']): Partial<BrokerResponse> => ({ body: parts });
  const ref = ['ref', 'KEY'] as const;
  const decoded = 'json.decode(http.get("https://a/").body)';

  test('texts with references are opaque, everything else is what it is', () => {
    const response = body('{"n": 1, "t": "a\\"b ', ref, ' c\\u00e9", "l": ["', ref, '", "plain"]}');
    expect(value(decoded, response)).toEqual({
      n: 1,
      t: 'a"b [REDACTED:KEY] cé',
      l: ['[REDACTED:KEY]', 'plain'],
    });
    expect(value(`${decoded}["l"][1].upper()`, response)).toBe('PLAIN');
    expect(value(`${decoded}["t"].upper()`, response)).toMatchObject({ code: 'secret_use' });
  });

  test.each([
    ['as a value', body('{"a": ', ref, '}')],
    ['as a key', body('{"', ref, '": 1}')],
    ['in a number', body('[1', ref, ']')],
    ['as the whole', body(ref)],
    ['behind the end', body('[1]', ref)],
  ])('a reference %s is refused', (_where, response) => {
    expect(value(decoded, response)).toMatchObject({ code: 'secret_use' });
  });

  test('a character that marks nothing is a character', () => {
    expect(value(decoded, body('["\ufffc", "', ref, '\ufffc"]'))).toEqual(['\ufffc', '[REDACTED:KEY]\ufffc']);
    expect(value(decoded, body('[\ufffc, "', ref, '"]'))).toMatchObject({ code: 'runtime' });
  });

  test('a broken text around a reference is broken', () => {
    expect(value(decoded, body('["a\\', ref, '"]'))).toMatchObject({ code: 'runtime' });
    expect(value(decoded, body('["', ref))).toMatchObject({ code: 'runtime' });
  });
});

describe('http', () => {
  test('sends what it was told, as text and references', () => {
    const { asked } = run(
      'http.post("https://a/?k=" + K, body = json.encode({"k": K}), headers = {"X": "v" + K}, content_type = "text/plain")',
    );
    expect(asked.at(-1)).toEqual({
      op: 'http',
      method: 'POST',
      url: ['https://a/?k=', ['ref', 'KEY']],
      headers: [
        ['Content-Type', ['text/plain']],
        ['X', ['v', ['ref', 'KEY']]],
      ],
      body: ['{"k":', ['json', [['ref', 'KEY']]], '}'],
    });
  });

  test.each(['get', 'post', 'put', 'patch', 'delete'])('%s is a method', (name) => {
    expect(run(`http.${name}("https://a/")`).asked.at(-1)).toMatchObject({ method: name.toUpperCase() });
  });

  test('a body is JSON unless a header says otherwise', () => {
    const types = (args: string): unknown =>
      (run(`http.post("https://a/"${args})`).asked.at(-1) as { headers: unknown }).headers;
    expect(types('')).toEqual([['Content-Type', ['application/json']]]);
    expect(types(', headers = {"content-type": "a/b"}')).toEqual([['content-type', ['a/b']]]);
  });

  test('a response is a dict that reads with dots as well', () => {
    const response: Partial<BrokerResponse> = { status: 404, headers: [['x-request-id', ['7']]] };
    expect(value('http.get("https://a/")', response)).toEqual({
      status: 404,
      body: 'ok',
      headers: { 'X-Request-Id': '7' },
    });
    const get = 'http.get("https://a/")';
    expect(
      value(`[${get}["status"], ${get}.status, ${get}.get("body"), ${get}.headers, type(${get})]`, response),
    ).toEqual([404, 404, 'ok', { 'X-Request-Id': '7' }, 'dict']);
    expect(value(`${get} == {"status": 404, "body": "ok", "headers": {"X-Request-Id": "7"}}`, response)).toBe(
      true,
    );
  });

  test('a refusal ends the script with its code and line', () => {
    expect(run('http.get("https://a/")', { refused: 'host_not_granted' }).outcome.error).toEqual({
      code: 'host_not_granted',
      message: 'no',
      line: 2,
    });
  });

  test.each([
    ['http.get(1)', 'runtime'],
    ['http.get("https://a/", headers = None)', 'runtime'],
    ['http.get("https://a/", headers = {"A": 1})', 'runtime'],
    ['http.get("https://a/", headers = {1: "A"})', 'runtime'],
    ['http.post("https://a/", body = {"a": 1})', 'runtime'],
    ['http.post("https://a/", content_type = K)', 'secret_use'],
    ['http.post("https://a/", body = "x" * 1048577)', 'request_too_large'],
    ['http.post("https://a/", body = K * 257)', 'request_too_large'],
    ['http.get("https://a/" + K * 16)', 'request_too_large'],
    ['http.get("https://a/", headers = {"a": K * 16})', 'request_too_large'],
    ['http.get("https://a/", headers = {"h" * 200: "x"})', 'request_too_large'],
    ['http.post("https://a/", body = hashing.sha256(K + "x" * 1400000))', 'request_too_large'],
  ])('%s is refused before anybody is asked', (expression, code) => {
    const { outcome, asked } = run(`x = ${expression}`);
    expect(outcome.error?.code).toBe(code);
    expect(asked.filter(({ op }) => op === 'http')).toEqual([]);
  });
});

describe('time.sleep', () => {
  test('waits up to five seconds at a time', () => {
    expect(
      run(
        'time.sleep(1)\ntime.sleep(0.25)\ntime.sleep(60)\ntime.sleep(0)\ntime.sleep(-1)\nresult = time.sleep(1)',
      ),
    ).toMatchObject({
      slept: [1_000, 250, 5_000, 1_000],
      outcome: { value: null, error: null },
    });
  });

  test('and thirty in all', () => {
    const { outcome, slept } = run('for _ in range(7):\n    time.sleep(5)');
    expect(slept).toHaveLength(6);
    expect(outcome.error).toMatchObject({ code: 'sleep_limit', line: 3 });
  });

  test('takes numbers only', () => {
    expect(run('time.sleep("1")').outcome.error).toMatchObject({ code: 'runtime' });
  });
});

describe('the value of a run', () => {
  test.each<[string, Partial<ScriptRequest>, unknown]>([
    ['result = 1 + 2', {}, 3],
    ['def main():\n    return "text"\nresult = 1', {}, 'text'],
    ['main = 1\nresult = 2', {}, null],
    [
      'Name = "exported"\nprivate = "x"\nValue = 100',
      {},
      { K: '[REDACTED:KEY]', Name: 'exported', Value: 100 },
    ],
    ['def add(a, b):\n    return a + b', { entry: 'add', args: [10, 20] }, 30],
    ['def add(a, b = 5):\n    return a + b', { entry: 'add', args: [1], kwargs: { b: 2 } }, 3],
    ['def f(x):\n    return type(x)', { entry: 'f', args: [2] }, 'int'],
    ['def f(x):\n    return type(x)', { entry: 'f', args: [2.5] }, 'float'],
  ])('%s', (source, options, want) => {
    expect(run(source, options).outcome).toMatchObject({ value: want, error: null });
  });

  test.each<[string, Partial<ScriptRequest>, string, number | null]>([
    ['x = 1 / 0', {}, 'runtime', 2],
    ['def f(:', {}, 'syntax', 2],
    ['x = y', {}, 'resolve', 2],
    ['fail("no")', {}, 'fail', 2],
    ['x = 1', { entry: 'missing' }, 'no_function', null],
    ['x = 1', { entry: 'x' }, 'no_function', null],
    ['x = 1', { limits: { source: 10 } }, 'source_limit', null],
    ['for i in range(100):\n    print("x" * 1000)', {}, 'print_limit', 3],
    ['result = "x" * 1048576', {}, 'result_limit', null],
    ['result = [1]\nfor i in range(64):\n    result = [result]', {}, 'result_depth', null],
    ['for i in range(60000000):\n    pass', { limits: { steps: 1_000 } }, 'steps', null],
    ['x = "x" * 100000000', {}, 'memory', 2],
  ])('%s ends with %j and the code %s', (source, options, code, line) => {
    expect(run(source, options).outcome).toMatchObject({ value: null, error: { code, line } });
  });

  test('prints come with it, errors or not', () => {
    expect(run('print("a", K)\nfail("b", K)').outcome).toMatchObject({
      logs: ['a [REDACTED:KEY]'],
      error: { message: 'b [REDACTED:KEY]' },
    });
  });
});
