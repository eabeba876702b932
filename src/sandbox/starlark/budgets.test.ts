import { describe, expect, test } from 'vitest';
import { check, compileProgram, Thread, type StarlarkErrorCode } from './index.ts';
import { errorOf, run } from './testing.ts';

describe('steps', () => {
  test.each([
    ['an endless loop', 'for i in range(1 << 50): pass'],
    ['an endless comprehension', '[1 for i in range(1 << 50) if False]'],
    ['sorting', 'sorted(range(1 << 40))'],
    ['a list of a huge range', 'list(range(1 << 50))'],
    ['enumerate', 'enumerate(range(1 << 40))'],
    ['towers of big ints', 'x = 3\nfor i in range(100): x *= x'],
    ['the text of big ints', 'x = 3\nfor i in range(19): x *= x\nfor i in range(1000): str(x)'],
    ['reading long ints', 'int("9" * 1000000)'],
    ['searching', 's = "a" * 1000000\nt = "b" + "a" * 500000\ns.find(t)'],
    ['replacing', 's = "a" * 1000000\nt = "a" * 500000 + "b"\ns.replace(t, "")'],
    ['comparing wide values', 'a = [1]\nb = [1]\nfor i in range(60):\n  a = [a, a]\n  b = [b, b]\na == b'],
    ['hashing wide values', 'a = (1,)\nfor i in range(60): a = (a, a)\n{a: 1}'],
    ['sha256', 'x = "a" * 1000000\nfor i in range(1000): hashing.sha256(x)'],
    ['a key function', 'max(range(1 << 40), key=lambda x: x)'],
  ])('end %s', (_, text) => {
    expect(errorOf(text, { limits: { steps: 2_000_000, memory: 2 ** 30 } }).code).toBe('steps');
  });

  test('are the same for the same program, and stay used up', () => {
    const program = compileProgram('def f():\n  for i in range(1000): x = [i, str(i), {i: i}]\nf()');
    const used = [1, 2].map(() => {
      const thread = new Thread();
      program.run(thread);
      return [thread.stepsUsed, thread.memoryUsed];
    });
    expect(used[0]).toEqual(used[1]);
    const thread = new Thread({ limits: { steps: 1_000 } });
    expect(() => program.run(thread)).toThrow('more than 1000 steps');
    expect(() => program.run(thread)).toThrow('more than 1000 steps');
    expect(thread.stepsUsed).toBe(1_000);
  });

  test('let the host look at its clock now and then', () => {
    let slices = 0;
    const onSlice = (): void => {
      slices += 1;
      if (slices > 3) throw new Error('deadline');
    };
    expect(() => compileProgram('for i in range(1 << 50): pass').run(new Thread({ onSlice }))).toThrow(
      'deadline',
    );
  });
});

describe('memory', () => {
  test.each([
    ['a repeated string', '"x" * 10 ** 9'.replace('10 ** 9', '1000000000')],
    ['a repeated list', '[0] * 1000000000'],
    ['repeated bytes', 'b"x" * 1000000000'],
    ['doubling a string', 's = "x"\nfor i in range(100): s += s'],
    ['doubling a list', 's = [1]\nfor i in range(100): s = s + s'],
    ['a join', '("x" * 10000).join([""] * 100000)'],
    ['a quadratic replace', 's = "a" * 100000\ns.replace("a", "b" * 10000)'],
    ['replacing nothing by much', '("a" * 100000).replace("", "b" * 10000)'],
    ['a huge % format', '("%s" * 10000) % tuple(["x" * 100000] * 10000)'],
    ['a huge {} format', '("{0}" * 10000).format("x" * 100000)'],
    ['a huge format()', 'format("%1000000d" * 400, *[1] * 400)'],
    ['growing a dict', 'd = {}\nfor i in range(100000000): d[i] = i'],
    ['growing a list', 'd = []\nfor i in range(100000000): d.append(i)'],
    ['slices', 'x = [0] * 1000000\nfor i in range(100000): x[1:]'],
    ['wide values as text', 'a = ["x" * 1000]\nfor i in range(60): a = [a, a]\nstr(a)'],
    ['wide values as JSON', 'a = ["x" * 1000]\nfor i in range(60): a = [a, a]\njson.encode(a)'],
    ['indenting deep JSON', 'json.indent("[" * 100000 + "]" * 100000)'],
    ['unions', 's = set(range(100000))\nfor i in range(1000): s | s'],
    [
      'big ints',
      'x = [1 << 500]\nfor i in range(16): x.append(x[-1] * x[-1])\nfor i in range(100000): x[-1] + 1',
    ],
    ['making empty sets', 'd = []\nfor i in range(100000000): d.append(set())'],
    ['making floats', 'd = []\nfor i in range(100000000): d.append(i * 1.5)'],
    ['making argument dicts', 'def f(**k): return k\nd = []\nfor i in range(100000000): d.append(f())'],
    ['making methods', 'd = []\nfor i in range(100000000): d.append("".upper)'],
    ['making texts of numbers', 'd = []\nfor i in range(100000000): d.append(str(i))'],
    ['zip', 'zip(*[range(10000000)] * 10)'],
    ['closures', 'def f():\n  fs = []\n  for i in range(100000000): fs.append(lambda: i)\nf()'],
  ])('ends %s before it is there', (_, text) => {
    expect(errorOf(text, { limits: { memory: 64 * 2 ** 20, steps: 2 ** 40 } }).code).toBe('memory');
  });

  test('does not hinder a value that fits', () => {
    expect(run('print(len("x" * 10000000))', { limits: { memory: 32 * 2 ** 20 } })).toEqual(['10000000']);
  });

  test('shifts are limited by their count', () => {
    expect(errorOf('1 << 1000000000').message).toContain('shift count too large');
    expect(errorOf('1 << (1 << 100)').message).toContain('shift count too large');
  });
});

describe('depth', () => {
  test.each<[string, string, StarlarkErrorCode]>([
    ['100,000 nested brackets', '['.repeat(100_000), 'nesting'],
    ['100,000 nested parentheses', `${'('.repeat(100_000)}1${')'.repeat(100_000)}`, 'nesting'],
    ['a long chain of operators', `x = ${'1+'.repeat(100_000)}1`, 'nesting'],
    ['a long chain of signs', `x = ${'-'.repeat(100_000)}1`, 'nesting'],
    ['a long chain of not', `x = ${'not '.repeat(100_000)}1`, 'nesting'],
    ['a long chain of lambdas', `x = ${'lambda: '.repeat(100_000)}1`, 'nesting'],
    ['a long chain of conditionals', `x = ${'1 if 1 else '.repeat(100_000)}1`, 'nesting'],
    ['a long chain of attributes', `x = a${'.b'.repeat(100_000)}`, 'nesting'],
    [
      'many nested blocks',
      Array.from({ length: 500 }, (_, i) => `${' '.repeat(i)}if 1:`).join('\n'),
      'nesting',
    ],
  ])('of the text: %s', (_, text, code) => {
    expect(check(text).map((error) => error.code)).toEqual([code]);
  });

  test('a long chain of elif is not deep', () => {
    expect(check(`if 1: pass\n${'elif 1: pass\n'.repeat(5_000)}`)).toEqual([]);
  });

  test.each<[string, string, StarlarkErrorCode]>([
    [
      'comparing cyclic values',
      'a = []\nb = []\na.append(b)\nb.append(a)\nc = []\nc.append(c)\na == c',
      'compare_depth',
    ],
    ['ordering cyclic values', 'a = [1]\na.append(a)\nc = [1]\nc.append(c)\na < c', 'compare_depth'],
    ['comparing cyclic dicts', 'a = {}\na[1] = a\nb = {}\nb[1] = b\na == b', 'compare_depth'],
    ['hashing deep tuples', 'a = ()\nfor i in range(100000): a = (a,)\n{a: 1}', 'compare_depth'],
    ['the text of deep lists', 'a = []\nfor i in range(100000): a = [a]\nstr(a)', 'repr_depth'],
    ['JSON of cyclic values', 'a = []\na.append(a)\njson.encode(a)', 'json_depth'],
    ['deep JSON', 'json.decode("[" * 100000)', 'json_depth'],
    ['deep JSON of objects', 'json.decode(\'{"a":\' * 100000)', 'json_depth'],
  ])('of values: %s', (_, text, code) => {
    expect(errorOf(text).code).toBe(code);
  });

  const chain = (n: number, body: (next: string) => string): string =>
    `${Array.from({ length: n }, (_, i) => `def f${i}(x):\n  return ${body(`f${i + 1}`)}`).join('\n')}\ndef f${n}(x): return x\nf0(1)`;

  test.each<[string, string]>([
    ['plain calls', chain(300, (f) => `${f}(x)`)],
    ['calls by key functions', chain(300, (f) => `sorted([x], key=${f})`)],
    ['calls in deep lists', chain(199, (f) => `${'[x, '.repeat(90)}${f}(x)${']'.repeat(90)}[0]`)],
    ['calls in deep arguments', chain(199, (f) => `${'len(str('.repeat(40)}${f}(x)${'))'.repeat(40)}`)],
    ['calls in comprehensions', chain(199, (f) => `[${f}(y) ${'for y in [x] '.repeat(30)}]`)],
    ['named calls', chain(300, (f) => `${f}(x=x, *[], **{})`)],
  ])('of calls: %s', (_, text) => {
    const error = errorOf(text);
    expect(error.code).toBe('call_depth');
    // The own limit, not the machine's.
    expect(error.message).toMatch(/^calls are nested too deeply/);
  });

  test('150 plain calls inside each other are fine', () => {
    expect(() => run(chain(150, (f) => `${f}(x)`))).not.toThrow();
  });
});
