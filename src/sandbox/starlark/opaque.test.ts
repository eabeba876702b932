import { describe, expect, test } from 'vitest';
import {
  compileProgram,
  OpaqueString,
  standardModules,
  Thread,
  type Derivation,
  type TextPart,
  type Value,
} from './index.ts';
import { errorOf, run } from './testing.ts';

/** A host's opaque string as a tree of names: it holds no text at all. */
class Secret extends OpaqueString {
  readonly tree: string;
  readonly label = 'secret TOKEN';
  readonly size: number;

  constructor(tree: string, size = 4096) {
    super();
    this.tree = tree;
    this.size = size;
  }

  marker(): string {
    return '[secret]';
  }

  concat(parts: readonly TextPart[]): OpaqueString {
    return new Secret(
      parts.map((part) => (part instanceof Secret ? part.tree : JSON.stringify(part))).join('+'),
    );
  }

  derive(kind: Derivation, operands: readonly TextPart[]): OpaqueString {
    return new Secret(
      `${kind}(${operands.map((o) => (o instanceof Secret ? o.tree : JSON.stringify(o))).join(',')})`,
      kind.includes('256') ? 64 : 4096,
    );
  }
}

const extra: [string, Value][] = [['K', new Secret('K')]];

function treeOf(expression: string): Value | undefined | string {
  const predeclared = new Map<string, Value>([...standardModules(0), ...extra]);
  const value = compileProgram(`r = ${expression}`, { predeclared }).run(new Thread()).get('r');
  return value instanceof Secret ? value.tree : value;
}

describe('an opaque string', () => {
  test.each([
    ['K + "a"', 'K+"a"'],
    ['"Bearer " + K', '"Bearer "+K'],
    ['K * 2', 'K+K'],
    ['"-".join(["a", K])', '"a"+"-"+K'],
    ['K.join(["a", "b"])', '"a"+K+"b"'],
    ['str(K)', 'K'],
    ['K.strip()', 'K'],
    ['"x=%s" % K', '"x="+K'],
    ['"%s:%s" % ("u", K)', '"u:"+K'],
    ['"{}/{k}".format("a", k=K)', '"a/"+K'],
    ['format("%s %v", K, K)', 'K+" "+K'],
    ['json.encode(K)', 'json(K)'],
    ['json.encode({"k": [K, 1]})', '"{\\"k\\":["+json(K)+",1]}"'],
    ['base64.encode("u:" + K)', 'base64("u:"+K)'],
    ['base64.encode(K, url_safe=True)', 'base64url(K)'],
    ['hashing.sha256(K)', 'sha256(K)'],
    ['hashing.hmac_sha256(K, "m")', 'hmac-sha256(K,"m")'],
    ['url.encode(K)', 'url(K)'],
    ['url.encode({"key": K})', '"key="+url(K)'],
    ['[K][0]', 'K'],
    ['{"a": K}["a"]', 'K'],
    ['K if K else 1', 'K'],
  ])('stays opaque in %s', (expression, tree) => {
    expect(treeOf(expression)).toBe(tree);
  });

  test.each([
    ['type(K)', 'string'],
    ['bool(K)', true],
    ['not K', false],
    ['any([K])', true],
    ['K == 1', false],
    ['K == None', false],
    ['K == ""', false],
    ['K != ""', true],
    ['K * 0', ''],
    ['K in [1, None]', false],
    ['len([K, K])', 2],
  ])('has a public answer in %s', (expression, want) => {
    expect(treeOf(expression)).toBe(want);
  });

  test.each([
    'K == "a"',
    'K == K',
    '[K] == [K]',
    'K in ["a"]',
    'K < "a"',
    'sorted([K, "a"])',
    'min(K, "b")',
    'len(K)',
    'K[0]',
    'K[1:]',
    '"a" in K',
    'K in "abc"',
    'K.upper()',
    'K.replace("a", "b")',
    'K.split(",")',
    'K.startswith("a")',
    'K.strip("a")',
    '"a".startswith(K)',
    '"a".split(K)',
    '"abc".find(K)',
    '"a".replace("a", K)',
    'repr(K)',
    'str([K])',
    '"%s" % [K]',
    '"%r" % K',
    '"%x" % K',
    '"%c" % K',
    '"%d" % K',
    'K % 1',
    '"{!r}".format(K)',
    'K.format(1)',
    'format("%5s", K)',
    'format("%q", K)',
    'format(K)',
    'int(K)',
    'float(K)',
    'bytes(K)',
    'ord(K)',
    'hash(K)',
    '{K: 1}',
    'set([K])',
    '{}.get(K)',
    'getattr({}, K)',
    'hasattr("", K)',
    'json.decode(K)',
    'base64.decode(K)',
    'url.parse(K)',
    'url.decode(K)',
    'list(K)',
    '[c for c in K]',
    'K.elems()',
    'dir(K)',
    'K()',
    'json.encode({K: 1})',
    'time.parse(K)',
    'json.encode_indent([K])',
    '"".join(K)',
    'sorted([1], key=K)',
    'zip(K)',
  ])('is refused by name in %s', (expression) => {
    const { message } = errorOf(`x = ${expression}`, { extra });
    expect(message).toMatch(/secret TOKEN cannot be used for|got string, want callable|unsupported/);
    expect(message).not.toContain('marker');
  });

  test('shows its marker in print and fail', () => {
    expect(run('print(K, [K], {"a": (K,)})', { extra })).toEqual(['[secret] [[secret]] {"a": ([secret],)}']);
    expect(errorOf('fail("no", [K])', { extra }).message).toBe('no [[secret]]');
  });

  test('is charged its nominal size', () => {
    expect(errorOf('x = K * 100000', { extra, limits: { memory: 2 ** 20 } }).code).toBe('memory');
    expect(errorOf('x = K.join(["a"] * 1000)', { extra, limits: { memory: 2 ** 20 } }).code).toBe('memory');
  });
});
