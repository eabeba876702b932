import { describe, expect, test } from 'vitest';
import { compileProgram, StarList, Thread } from './index.ts';
import { errorOf, run } from './testing.ts';

describe('functions', () => {
  test('take positional, named, default, star and keyword-only arguments', () => {
    const text = `
def f(a, b=2, *args, c, d=4, **kw):
    return (a, b, args, c, d, kw)
print(f(1, c=3))
print(f(1, 5, 6, 7, c=3, z=9))
print(f(*[1, 2, 3], **{"c": 8}))
print((lambda x, *, y=1: x + y)(1, y=5))`;
    expect(run(text)).toEqual([
      '(1, 2, (), 3, 4, {})',
      '(1, 5, (6, 7), 3, 4, {"z": 9})',
      '(1, 2, (3,), 8, 4, {})',
      '6',
    ]);
  });

  test.each([
    ['def f(a): pass\nf()', 'f() missing 1 required positional argument: a'],
    ['def f(a): pass\nf(1, 2)', 'f() accepts no more than 1 positional argument but got 2'],
    ['def f(a): pass\nf(1, a=2)', "f() got multiple values for parameter 'a'"],
    ['def f(a): pass\nf(b=2, a=1)', 'f() got unexpected keyword argument: b'],
    ['def f(**k): pass\nf(x=1, **{"x": 2})', "got multiple values for keyword argument 'x'"],
    ['len()', 'len() missing 1 required positional argument: x'],
    ['"x".join(1, 2)', 'join() accepts no more than 1 positional argument but got 2'],
  ])('refuse wrong arguments: %s', (text, message) => {
    expect(errorOf(text).message).toContain(message);
  });

  test('share variables with inner functions, and loops share theirs', () => {
    const text = `
def counter():
    n = [0]
    def add(k=1):
        n[0] += k
        return n[0]
    return add
c = counter()
c(); c(5)
print(c())
def late():
    fs = [lambda: i for i in range(3)]
    return [f() for f in fs]
print(late())`;
    expect(run(text)).toEqual(['7', '[2, 2, 2]']);
  });

  test('evaluate defaults once and arguments from left to right', () => {
    expect(
      run(
        'def f(x=[]):\n    x.append(1)\n    return x\nf()\nprint(f())\ndef g(*a, **k): return a, k\nprint(g(print(1), b=print(2)))',
      ),
    ).toEqual(['[1, 1]', '1', '2', '((None,), {"b": None})']);
  });
});

describe('scopes', () => {
  test('comprehensions have their own', () => {
    expect(
      run(
        'x = [[1, 2]]\nprint([x for x in x for y in x], x)\ndef f():\n    y = 1\n    z = [y for y in [5]]\n    return y, z\nprint(f())',
      ),
    ).toEqual(['[[1, 2], [1, 2]] [[1, 2]]', '(1, [5])']);
  });

  test('a name is local to the function that assigns it', () => {
    expect(errorOf('x = 1\ndef f():\n    print(x)\n    x = 2\nf()').message).toBe(
      "local variable 'x' is referenced before assignment",
    );
    expect(errorOf('def f(): return y\nf()\ny = 1').message).toBe(
      "global variable 'y' is referenced before assignment",
    );
    expect(errorOf('print(prnt)').message).toBe("name 'prnt' is not defined (did you mean 'print'?)");
  });
});

describe('control flow', () => {
  test('works at top level, with break, continue, elif and else', () => {
    const text = `
out = []
for i in range(10):
    if i == 2:
        continue
    elif i == 6:
        break
    else:
        out.append(i)
for k, (a, b) in {"x": (1, 2)}.items():
    out.append((k, a + b))
for d in [{}]:
    for d["i"] in range(3): pass
    out.append(d)
print(out, 1 if out else 2, not out, out and 5, [] or 6)`;
    expect(run(text)).toEqual(['[0, 1, 3, 4, 5, ("x", 3), {"i": 2}] 1 False 5 6']);
  });

  test('assignments unpack, swap and update in place', () => {
    const text = `
a, (b, [c]) = 1, (2, [3])
a, b = b, a
x = [1]; y = x
x += [2]
d = {"n": 1}; e = d
d |= {"m": 2}
d["n"] += 5
s = "a"; s += "b"; s *= 2
print(a, b, c, y, e, s)`;
    expect(run(text)).toEqual(['2 1 3 [1, 2] {"n": 6, "m": 2} abab']);
  });

  test('evaluates the right side first, and targets of += once', () => {
    const text = `
log = []
def f(name, v):
    log.append(name)
    return v
f("a", [0])[f("i", 0)] = f("v", 1)
f("x", [1])[f("j", 0)] += f("w", 1)
print(log)`;
    expect(run(text)).toEqual(['["v", "a", "i", "x", "j", "w"]']);
  });
});

describe('mutation', () => {
  test.each([
    ['x = [1]\nfor y in x: x.append(2)', 'cannot append to list during iteration'],
    ['x = {1: 2}\nfor y in x: x[3] = 1', 'cannot insert into dict during iteration'],
    ['x = {1: 2}\nfor y in x: x.pop(y)', 'cannot delete from dict during iteration'],
    ['x = set([1])\nfor y in x: x.add(2)', 'cannot insert into set during iteration'],
    ['x = [1]\n[x.append(2) for y in x]', 'cannot append to list during iteration'],
    ['x = [2, 1]\nfor y in x: x[0] = 1', 'cannot assign to element of list during iteration'],
  ])('during iteration is an error: %s', (text, message) => {
    expect(errorOf(text).message).toContain(message);
  });

  test('is possible again after the loop, also after break and return', () => {
    expect(
      run('x = [1, 2]\nfor y in x: break\ndef f():\n    for y in x: return y\nf()\nx.append(3)\nprint(x)'),
    ).toEqual(['[1, 2, 3]']);
  });

  test('ends when the host freezes the module', () => {
    const program = compileProgram(
      'x = [1, {"a": [2]}]\ndef f():\n    x.append(1)\ndef g():\n    x[1]["a"].append(1)',
    );
    const module = program.run(new Thread());
    module.freeze();
    expect(() => module.call(module.get('f') ?? null)).toThrow('cannot append to frozen list');
    expect(() => module.call(module.get('g') ?? null)).toThrow('cannot append to frozen list');
  });
});

describe('a program', () => {
  test('runs many times without sharing anything that can change', () => {
    const program = compileProgram('x = []\ndef f():\n    x.append(1)\n    return len(x)\nf()');
    const first = program.run(new Thread());
    const second = program.run(new Thread());
    expect([first.call(first.get('f') ?? null), second.call(second.get('f') ?? null)]).toEqual([2, 2]);
    expect([...first.globals().keys()]).toEqual(['x', 'f']);
    expect(first.get('x')).toBeInstanceOf(StarList);
  });
});
