import { describe, expect, test } from 'vitest';
import { check, Source } from './index.ts';
import { errorOf } from './testing.ts';

describe('an error', () => {
  test('is found by line and column wherever it stands', () => {
    const text = 'a\n\nbcd\r\n\n';
    const source = new Source('x', text);
    const places = Array.from({ length: text.length + 2 }, (_, at) => source.position(at));
    expect(places.map(({ line, column }) => `${line}:${column}`)).toEqual(
      Array.from({ length: text.length + 2 }, (_, at) => {
        const before = text.slice(0, at).split('\n');
        return `${before.length}:${(before.at(-1) ?? '').length + 1}`;
      }),
    );
  });

  test('is one of a hundred at most, and only the first are searched for what was meant', () => {
    const lines = (line: (i: number) => string): string =>
      Array.from({ length: 12_000 }, (_, i) => line(i)).join('');
    const names = (i: number): string => `some_long_name_${i % 900}_`;
    const good = lines((i) => (i < 900 ? `${names(i)} = 1\n` : `${names(i)}\n`));
    const bad = lines((i) => (i < 900 ? `${names(i)} = 1\n` : `${names(i)}x\n`));
    const took = (text: string): number => {
      const from = performance.now();
      check(text);
      return performance.now() - from;
    };
    const least = (text: string): number => Math.min(took(text), took(text), took(text));
    expect(check(bad).map(({ position }) => position?.line)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 901),
    );
    // Searched for each, it is several thousand times as long.
    expect(least(bad) / least(good)).toBeLessThan(500);
  });

  test('shows the call stack, the source line and a caret', () => {
    const text =
      'def half(x):\n    return x / 0\n\ndef main():\n    y = half(3) + 1\n    return y\n\nmain()\n';
    const error = errorOf(text);
    expect(error.position).toEqual({ line: 2, column: 14 });
    expect(error.callStack.map(({ fn, line }) => `${fn}:${line}`)).toEqual([
      '<toplevel>:8',
      'main:5',
      'half:2',
    ]);
    expect(error.render()).toBe(
      [
        'Traceback (most recent call last):',
        '  test.star:8:5: in <toplevel>',
        '    main()',
        '        ^',
        '  test.star:5:13: in main',
        '        y = half(3) + 1',
        '                ^',
        '  test.star:2:14: in half',
        '        return x / 0',
        '                 ^',
        'Error: floating-point division by zero',
      ].join('\n'),
    );
  });

  test('of a built-in function names it', () => {
    const error = errorOf('x = [1]\nint("ab")');
    expect(error.headline).toBe('Error in int: invalid base-10 literal: "ab"');
    expect(errorOf('len(1, 2)').headline).toBe(
      'Error in len: len() accepts no more than 1 positional argument but got 2',
    );
    expect(errorOf('"a".split(3)').message).toBe(
      "in call to split(), parameter 'sep' got value of type 'int', want 'string'",
    );
  });

  test('of fail() has a code of its own', () => {
    const error = errorOf('fail("no", 1, sep="-")');
    expect([error.code, error.headline]).toEqual(['fail', 'Error in fail: no-1']);
  });

  test('keeps a deep stack and a long line short', () => {
    const defs = Array.from({ length: 60 }, (_, i) => `def f${i}(): return f${i + 1}()`).join('\n');
    const shown = errorOf(`${defs}\ndef f60(): return "${'x'.repeat(10_000)}" + 1\nf0()`).render();
    expect(shown).toContain('more calls ...');
    expect(shown.length).toBeLessThan(3_000);
  });

  test('all static problems are found at once', () => {
    expect(
      check('a = b\nreturn 1\ndef f(x, x): pass\nbreak').map((e) => `${e.position?.line}: ${e.code}`),
    ).toEqual(['1: resolve', '2: resolve', '3: resolve', '4: resolve']);
  });
});

describe('what is written by habit gets the Starlark way', () => {
  test.each([
    ['x = f"{y}"', 'f-strings are not supported'],
    ['x = 2 ** 3', "'**' is not an operator"],
    ['try:\n  x = 1\nexcept: pass', 'there is no try'],
    ['import json', 'without import'],
    ['from os import path', 'without import'],
    ['while True: pass', 'use for i in range(n)'],
    ['x = sum([1])', 'total += x'],
    ['x = round(1.5)', 'format("%.2f", x)'],
    ['x = 1 < 2 < 3', 'write a < b and b < c'],
    ['a, *b = [1, 2]', 'rest = x[1:]'],
    ['*a, b = [1, 2]', 'rest = x[1:]'],
    ['def f(n): return f(n - 1)\nf(3)', 'Starlark has no recursion'],
    ['class A: pass', 'use functions and dicts'],
    ['x = [*[1], 2]', 'use a + b'],
    ['x = {**{}}', 'use a | b'],
    ['x = {1, 2}', 'use set([a, b])'],
    ['def f(x: int): pass', 'type annotations'],
    ['def f() -> int: pass', 'type annotations'],
    ['x: int = 1', 'type annotations'],
    ['if (n := 1): pass', "':='"],
    ['x = 1 is None', 'use == and !='],
    ['del x', 'd.pop(key)'],
    ['raise ValueError', 'use fail("message")'],
    ['assert True', 'if not condition: fail'],
    ['x = [1]\nx[0:1] = [2]', 'slices cannot be assigned'],
    ['x = "a" "b"', 'use +'],
    ['x = a = 1', 'cannot be chained'],
    ['return 1', 'assign to result'],
    ['x = "a" + 1', 'convert with str(x)'],
    ['for c in "abc": pass', 'use s.elems()'],
    ['x = [1].sort()', 'use x = sorted(x)'],
    ['x = {"a": 1}.a', 'use d["a"]'],
    ['x = {}["k"]', 'use d.get(key)'],
    ['x = "%.2f" % 1.5', 'format("%.2f", x)'],
    ['x = "{:.2f}".format(1.5)', 'format("%.2f", x)'],
    ['x = None\nx.y', 'the value is None'],
    ['x = isinstance(1, int)', 'type(x) == "string"'],
    ['x = "a".starts_with("b")', "did you mean 'startswith'?"],
    ['x = !True', "use 'not x'"],
    ['x = (y for y in [])', 'use a list comprehension'],
    ['@decorated\ndef f(): pass', 'decorators'],
    ['for i in []: pass\nelse: pass', "'else' after a loop"],
    ['load("x.star", "y")', "'load' is not supported"],
    ['x = 012', 'use 0o12'],
    ['x = {[1]: 2}', 'tuple(x)'],
  ])('%s', (text, hint) => {
    expect(errorOf(text).message).toContain(hint);
  });
});
