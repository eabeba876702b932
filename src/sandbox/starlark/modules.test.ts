import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { errorOf, run, show } from './testing.ts';

describe('json', () => {
  test.each([
    [
      'json.encode({"b": 1, "a": [None, True, 1.5, "<é\\n\\"", (1,), range(2)]})',
      '"{\\"b\\":1,\\"a\\":[null,true,1.5,\\"<é\\\\n\\\\\\"\\",[1],[0,1]]}"',
    ],
    [
      'json.encode(123456789012345678901234567890), json.encode(1.0), json.encode(1e300)',
      '("123456789012345678901234567890", "1.0", "1e+300")',
    ],
    [
      'json.decode("[42, 42.0, -0, 1e2, 123456789012345678901234567890]")',
      '[42, 42.0, 0, 100.0, 123456789012345678901234567890]',
    ],
    ['json.decode(\'{"b": 1, "1": 2, "a": {"b": 3}, "b": 4}\')', '{"b": 4, "1": 2, "a": {"b": 3}}'],
    ['json.decode("nope", default=None)', 'None'],
    ['json.decode(\'"\\\\u0041\\\\ud83d\\\\ude00\\\\/\\\\n"\')', '"A😀/\\n"'],
    ['json.indent("[1,{\\"a\\":[]}]", indent="  ")', '"[\\n  1,\\n  {\\n    \\"a\\": []\\n  }\\n]"'],
    ['json.encode_indent({"a": 1}, indent=" ")', '"{\\n \\"a\\": 1\\n}"'],
  ])('%s', (expression, want) => {
    expect(show(expression)).toBe(want);
  });

  test.each([
    ['json.encode(float("nan"))', 'cannot encode non-finite float nan'],
    ['json.encode({1: 2})', 'dict has int key, want string'],
    [
      'json.encode([{"a": len}])',
      'at list index 0: in dict key "a": cannot encode builtin_function_or_method as JSON',
    ],
    ['json.encode(1, 2)', 'encode() accepts no more than 1 positional argument but got 2'],
    ['json.decode("[1, 2")', 'unexpected end of file'],
    ['json.decode("01")', 'invalid number: 01'],
    ['json.decode("[1] x")', 'at offset 4, unexpected character "x" after value'],
    ['json.decode(1)', "in call to decode(), parameter 'x' got value of type 'int', want 'string'"],
  ])('%s is an error', (expression, message) => {
    expect(errorOf(expression).message).toContain(message);
  });
});

describe('time', () => {
  test.each([
    ['time.now(), len(time.now()), time.unix()', '("2026-01-31T12:34:56Z", 20, 1769862896)'],
    ['time.parse(time.now()) == time.unix()', 'True'],
    ['time.parse("2026-01-31T12:34:56+02:00"), time.parse("1969-12-31")', '(1769855696, -86400)'],
    [
      'time.format(0), time.format(1e9, "%d.%m.%Y %H:%M:%S %A %j %%")',
      '("1970-01-01T00:00:00Z", "09.09.2001 01:46:40 Sunday 252 %")',
    ],
    ['time.parse("31.01.2026 1:05 PM", "%d.%m.%Y %I:%M %p")', '1769864700'],
    ['time.format(time.parse("Mar 5, 2024", "%b %d, %Y"), "%Y-%m-%d")', '"2024-03-05"'],
  ])('%s', (expression, want) => {
    expect(show(expression)).toBe(want);
  });

  test.each([
    ['time.parse("yesterday")', 'want RFC 3339'],
    ['time.parse("2026-02-30")', 'no such date or time'],
    ['time.format("x")', "want 'int or float'"],
    ['time.format(1e18)', 'outside of the years'],
    ['time.format(0, "%Q")', 'unknown directive %Q'],
    ['time.sleep(1)', "module 'time' has no field or method 'sleep'"],
  ])('%s is an error', (expression, message) => {
    expect(errorOf(expression).message).toContain(message);
  });
});

describe('base64 and hashing', () => {
  test('agree with the platform for texts of every length', () => {
    const texts = Array.from({ length: 130 }, (_, n) => 'é😀a'.repeat(n).slice(0, n));
    const extra: [string, string][] = texts.map((text, i) => [`t${i}`, text.toWellFormed()]);
    const program = texts
      .map(
        (_, i) =>
          `print(base64.encode(t${i}), hashing.sha256(t${i}), hashing.hmac_sha256(t${i}, "m"), base64.decode(base64.encode(t${i})) == t${i})`,
      )
      .join('\n');
    const want = extra.map(([, text]) => {
      const hash = createHash('sha256').update(text).digest('hex');
      return `${Buffer.from(text).toString('base64')} ${hash} ${createHmac('sha256', text).update('m').digest('hex')} True`;
    });
    expect(run(program, { extra })).toEqual(want);
  });

  test.each([
    ['base64.encode(b"\\xfb\\xff", url_safe=True), base64.decode_bytes("-_8=")', '("-_8=", b"\\xfb\\xff")'],
    ['hashing.sha256(b"")', '"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"'],
  ])('%s', (expression, want) => {
    expect(show(expression)).toBe(want);
  });

  test.each([
    ['base64.decode("a")', 'not base64'],
    ['base64.decode("/w==")', 'not UTF-8'],
    ['hashing.sha256(1)', "want 'string or bytes'"],
  ])('%s is an error', (expression, message) => {
    expect(errorOf(expression).message).toContain(message);
  });
});

describe('url', () => {
  test.each([
    ['url.encode("a b/é&~")', '"a%20b%2F%C3%A9%26~"'],
    ['url.encode({"q": "a b", "n": 1, "l": [1, "x"], "z": None})', '"q=a%20b&n=1&l=1&l=x"'],
    ['url.decode("a%20b+c%C3%A9%zz")', '"a b cé%zz"'],
    [
      'url.parse("HTTPS://user@Example.com:8443/p/a?q=1&e=%20&q=2#f")',
      '{"scheme": "https", "host": "example.com", "port": 8443, "path": "/p/a", "query": {"q": "2", "e": " "}, "fragment": "f"}',
    ],
    ['url.parse("http://[::1]/")["host"]', '"[::1]"'],
  ])('%s', (expression, want) => {
    expect(show(expression)).toBe(want);
  });

  test('an address without a scheme is an error', () => {
    expect(errorOf('url.parse("/path")').message).toContain('not an absolute URL');
  });
});

describe('format()', () => {
  test.each([
    ['format("%d", "x")', '%d needs an int, got string'],
    ['format("%d", 1.5)', 'float with a fraction'],
    ['format("%f", "x")', '%f needs a number, got string'],
    ['format("%s")', 'the template has 1 verbs, but 0 values were given'],
    ['format("%s", 1, 2)', 'the template has 1 verbs, but 2 values were given'],
    ['format("%k", 1)', 'unknown verb %k'],
    ['format(1)', "in call to format(), parameter 'fmt' got value of type 'int', want 'string'"],
    ['format()', 'missing 1 required positional argument: fmt'],
  ])('%s is an error', (expression, message) => {
    expect(errorOf(expression).message).toContain(message);
  });
});
