import { describe, expect, test } from 'vitest';
import { errorOf, run, show } from './testing.ts';

describe('numbers', () => {
  test.each([
    ['9007199254740991 + 1', '9007199254740992'],
    ['9007199254740991 * 9007199254740991', '81129638414606663681390495662081'],
    ['(1 << 100) - (1 << 100) + 5', '5'],
    ['-7 // 2, -7 % 2, 7 // -2, 7 % -2', '(-4, 1, -4, -1)'],
    ['-(1 << 70) // 3, -(1 << 70) % 3', '(-393530540239137101142, 2)'],
    ['0 * -1, -0, 0 // -5, 0 % -5', '(0, 0, 0, 0)'],
    ['1 == 1.0, 1 == True, {1.0: "a"}[1], (1 << 80) == float(1 << 80)', '(True, False, "a", True)'],
    [
      '1 / 2, 3.0 // 2, -3.5 % 2, 1e100, 1e16, 1.5e-7',
      '(0.5, 1.0, 0.5, 1e+100, 10000000000000000.0, 1.5e-07)',
    ],
    ['float("nan") == float("nan"), -0.0, 0.0 == -0.0', '(True, -0.0, True)'],
    [
      '6 & 3, 6 | 3, 6 ^ 3, ~6, -1 >> 100, (1 << 60) & (1 << 60 | 1)',
      '(2, 7, 5, -7, -1, 1152921504606846976)',
    ],
    ['5000000000 & 4294967295, -5 & 4294967295', '(705032704, 4294967291)'],
    [
      'int("-0x1F", 16), int("zz", 36), int("0b101", 0), int(-1.9), int("9" * 20)',
      '(-31, 1295, 5, -1, 99999999999999999999)',
    ],
    ['abs(-3), abs(-2.5), min(3, 1, 2), max([1, 5, 2], key=lambda x: -x)', '(3, 2.5, 1, 1)'],
    ['0x1F, 0o17, 0b11, 1_ if False else 2', undefined],
  ])('%s', (expression, want) => {
    if (want === undefined) expect(errorOf(expression).code).toBe('syntax');
    else expect(show(expression)).toBe(want);
  });

  test('an int never becomes a float on its way', () => {
    expect(show('[x * x for x in [94906265, 94906266, 94906267]]')).toBe(
      '[9007199136250225, 9007199326062756, 9007199515875289]',
    );
  });
});

describe('strings and bytes', () => {
  test.each([
    ['"a\\tb\\"c\\u00e9\\x00"', '"a\\tb\\"cé\\x00"'],
    ['r"\\n" + \'x\' + """y\nz"""', '"\\\\nxy\\nz"'],
    [
      '"banana".find("an", 2), "banana".rfind("an"), "banana".count("a"), "banana".replace("an", "-", 1)',
      '(3, 3, 3, "b-ana")',
    ],
    [
      '"a,b,,c".split(","), "a,b,c".rsplit(",", 1), " a  b ".split(), "a\\r\\nb\\rc\\n".splitlines()',
      '(["a", "b", "", "c"], ["a,b", "c"], ["a", "b"], ["a", "b", "c"])',
    ],
    ['"aXbX".partition("X"), "aXbX".rpartition("X")', '(("a", "X", "bX"), ("aXb", "X", ""))'],
    [
      '"hello world".title(), "hELLO".capitalize(), "ǆ".title(), "straße".upper()',
      '("Hello World", "Hello", "ǅ", "STRASSE")',
    ],
    ['"abc"[::-1], "abcdef"[1:5:2], "abc"[-2:], "abc"[5:]', '("cba", "bd", "bc", "")'],
    [
      '"xxabcxx".strip("x"), " a ".lstrip(), "a.py".removesuffix(".py"), "test_a".removeprefix("test_")',
      '("abc", "a ", "a", "a")',
    ],
    [
      'list("añ😀".elems()), list("añ😀".codepoints()), list("a😀".codepoint_ords())',
      '(["a", "ñ", "\\ud83d", "\\ude00"], ["a", "ñ", "😀"], [97, 128512])',
    ],
    [
      'ord("é"), chr(128512), ord(b"a"), hash("hello"), hash(b"hello")',
      '(233, "😀", 97, 99162322, 1335831723)',
    ],
    [
      'b"a\\xff" + bytes("é"), bytes([65, 66]), b"abc"[1], b"abc"[1:], list(b"ab".elems()), str(b"\\xc3\\xa9")',
      '(b"a\\xff\\xc3\\xa9", b"AB", 98, b"bc", [97, 98], "é")',
    ],
    [
      '"%s is %d (%r) %x %o %e %g %%" % ("a", 255, "q", 255, 8, 1.5, 0.1)',
      '"a is 255 (\\"q\\") ff 10 1.500000e+00 0.1 %"',
    ],
    ['"%(k)s-%(n)d" % {"k": "v", "n": 3}, "%s" % (1,), "%s" % [1]', '("v-3", "1", "[1]")'],
    ['"{} {1}".format(1, 2) if False else "{1}{0}{x}{{}}{x!r}".format(1, 2, x="z")', '"21z{}\\"z\\""'],
    [
      'format("%05d|%-4s|%.2f|%+d|%x|%q|%v|%5s|%%", 42, "ab", 3.14159, 5, 255, "a\\"", [1], "r")',
      '"00042|ab  |3.14|+5|ff|\\"a\\\\\\"\\"|[1]|    r|%"',
    ],
    ['format("%d", 3.0), format("%x", "az"), format("%6.1f", 2.25)', '("3", "617a", "   2.3")'],
    ['"a" < "b", "a" < "B", ["a", 1] < ["a", 2], (1,) < (1, 0)', '(True, False, True, True)'],
  ])('%s', (expression, want) => {
    expect(show(expression)).toBe(want);
  });
});

describe('collections', () => {
  test.each([
    [
      '[3, 1, 2] + [4], [0] * 3, [1, 2, 3][::-1], (1, 2) * 2',
      '([3, 1, 2, 4], [0, 0, 0], [3, 2, 1], (1, 2, 1, 2))',
    ],
    [
      'sorted([3, 1, 2], reverse=True), sorted(["b", "a"], key=lambda s: s), reversed([1, 2])',
      '([3, 2, 1], ["a", "b"], [2, 1])',
    ],
    [
      '{"b": 1, "a": 2} | {"c": 3, "b": 0}, {}, {(1, "x"): [1]}[(1, "x")]',
      '({"b": 0, "a": 2, "c": 3}, {}, [1])',
    ],
    ['[(x, y) for x in range(3) for y in range(x) if x != y]', '[(1, 0), (2, 0), (2, 1)]'],
    [
      '{k: v for k, v in zip(["a", "b"], [1, 2])}, enumerate(["x"], 1), dict([("a", 1)], b=2)',
      '({"a": 1, "b": 2}, [(1, "x")], {"a": 1, "b": 2})',
    ],
    [
      'set([1, 2]) | set([2, 3]), set([1, 2]) - set([2]), set([1]) < set([1, 2]), len(set([1, 1.0]))',
      '(set([1, 2, 3]), set([1]), True, 1)',
    ],
    [
      'range(10)[2:8:3], list(range(5, 0, -2)), 4 in range(0, 10, 2), len(range(1 << 40)), range(3)',
      '(range(2, 8, 3), [5, 3, 1], True, 1099511627776, range(3))',
    ],
    [
      'any([0, "", 2]), all([]), type(()), type(len), bool([])',
      '(True, True, "tuple", "builtin_function_or_method", False)',
    ],
    [
      '{1.5: "a", 1e300: "b", None: "c", True: "d", b"x": "e"}',
      '{1.5: "a", 1e+300: "b", None: "c", True: "d", b"x": "e"}',
    ],
  ])('%s', (expression, want) => {
    expect(show(expression)).toBe(want);
  });

  test('methods of list, dict and set change them in place', () => {
    const text = `
x = [1, 2]
x.append(3); x.extend((4, 5)); x.insert(0, 0); x.remove(2)
print(x, x.pop(), x.pop(0), x.index(3), x)
d = {"a": 1}
d["b"] = 2; d.update([("c", 3)], e=5)
print(d.pop("a"), d.get("zz", 9), d.setdefault("n", 0), d.popitem(), d.keys(), d.values(), d.items())
s = set([1]); s.add(2); s.discard(7); s.update([5])
print(s, s.pop(), s.union([8]), s.issubset([2, 5, 6]))`;
    expect(run(text)).toEqual([
      '[1, 3, 4] 5 0 1 [1, 3, 4]',
      '1 9 0 ("b", 2) ["c", "e", "n"] [3, 5, 0] [("c", 3), ("e", 5), ("n", 0)]',
      'set([2, 5]) 1 set([2, 5, 8]) True',
    ]);
  });

  test('a cyclic value has a finite text', () => {
    expect(run('x = [1]; x.append(x); d = {"x": x}; d["d"] = d\nprint(x, d)')).toEqual([
      '[1, [...]] {"x": [1, [...]], "d": {...}}',
    ]);
  });

  test('names of prototypes are ordinary keys', () => {
    expect(show('{"__proto__": 1, "constructor": 2, "toString": 3}')).toBe(
      '{"__proto__": 1, "constructor": 2, "toString": 3}',
    );
    expect(
      show(
        '"constructor" in {}, {}.get("__proto__"), hasattr({}, "constructor"), hasattr(json, "__proto__")',
      ),
    ).toBe('(False, None, False, False)');
    expect(errorOf('json.constructor').message).toContain(
      "module 'json' has no field or method 'constructor'",
    );
    expect(show('json.decode(\'{"__proto__": {"x": 1}}\')')).toBe('{"__proto__": {"x": 1}}');
  });
});
