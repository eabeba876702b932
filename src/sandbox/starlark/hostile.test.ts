import { describe, expect, test } from 'vitest';
import { errorOf, run } from './testing.ts';

describe('a hostile program', () => {
  test.each([
    'x = {}\nx["__proto__"] = {"polluted": 1}',
    'x = {}\nx.update(**{"__proto__": 1, "constructor": 2})',
    'def f(**kw): return kw\nf(**{"__proto__": 1, "hasOwnProperty": 2})',
    '"{__proto__}{constructor}".format(**{"__proto__": 1, "constructor": 2})',
    '"%(__proto__)s" % {"__proto__": 1}',
    'json.decode(\'{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}\')',
    '__proto__ = 1\nconstructor = 2\nhasOwnProperty = 3\nprint(__proto__)',
    'url.parse("http://a/?__proto__=1&constructor=2")',
  ])('cannot reach a prototype: %s', (text) => {
    expect(() => run(text)).not.toThrow();
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test.each([
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'valueOf',
    '__defineGetter__',
    'hasOwnProperty',
    'self',
    'native',
  ])('finds no attribute %s anywhere', (name) => {
    for (const value of [
      '1',
      '""',
      '[]',
      '{}',
      '()',
      'len',
      'json',
      '"".upper',
      'set()',
      'b""',
      'None',
      '1.0',
      '(lambda: 1)',
      'range(1)',
      '"a".elems()',
    ]) {
      expect(errorOf(`x = getattr(${value}, "${name}")`).message).toMatch(/has no field or method/);
      expect(run(`print(hasattr(${value}, "${name}"), "${name}" in dir(${value}))`)).toEqual(['False False']);
    }
  });

  test('finds no names of the machine', () => {
    for (const name of [
      'globalThis',
      'process',
      'require',
      'eval',
      'Function',
      'constructor',
      '__proto__',
      'undefined',
      'Object',
    ]) {
      expect(errorOf(`x = ${name}`).message).toContain(`name '${name}' is not defined`);
    }
  });

  test('sees the same in every run', () => {
    const text =
      'print([hash("a"), dir(""), {len: 1, str: 2}, set(["b", "a"]), time.now(), sorted(["ä", "z", "a"])])\nprint(len, [].append, {}.get)';
    expect(run(text)).toEqual(run(text));
  });
});
