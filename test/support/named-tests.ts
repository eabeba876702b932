/** Documents name tests as `file`: "name". Here such names are looked up in the sources: there, run by vitest, not switched off. */
import { existsSync, readFileSync } from 'node:fs';
import { join, matchesGlob, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';
import { TESTS } from '../../vitest.config.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');

interface NamedTest {
  readonly file: string;
  /** With its groups, joined by ` > `. */
  readonly name: string;
}

/** `file`: "name", several joined by semicolons. What is left over is a mistake in the document. */
export function namedTests(cell: string): NamedTest[] {
  const pattern = /`([^`]+)`: "([^"]+)"(?:; |$)/g;
  const found = [...cell.matchAll(pattern)].map(([, file = '', name = '']) => ({ file, name }));
  const rest = cell.replaceAll(pattern, '');
  if (rest !== '') throw new Error(`this names no test: ${rest}`);
  return found;
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function childrenOf(node: Node): Node[] {
  return Object.values(node).flatMap((value) => (Array.isArray(value) ? value : [value]).filter(isNode));
}

/** `describe.skipIf(x)` is `['describe', 'skipIf']`, `it.each(table)` is `['it', 'each']`; undefined for another call. */
function chainOf(callee: unknown): string[] | undefined {
  if (!isNode(callee)) return undefined;
  if (callee.type === 'Identifier') return [String(callee['name'])];
  if (callee.type === 'CallExpression' || callee.type === 'TaggedTemplateExpression') {
    return chainOf(callee['callee'] ?? callee['tag']);
  }
  if (callee.type !== 'MemberExpression' || !isNode(callee['property'])) return undefined;
  const before = chainOf(callee['object']);
  return before && [...before, String(callee['property']['name'] ?? callee['property']['value'])];
}

/** A title as it stands in the source: placeholders of tables and templates stay what they are. */
function titleOf(node: unknown, source: string): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Literal' && typeof node['value'] === 'string') return node['value'];
  if (node.type === 'TemplateLiteral')
    return source.slice(Number(node['start']) + 1, Number(node['end']) - 1);
  return undefined;
}

const OFF = new Set(['skip', 'todo', 'only', 'fails', 'skipIf', 'runIf']);
const MAY_SKIP = new Set(['skipIf', 'runIf']);

/** Whether somebody switches it off by a modifier, an option or from inside. */
function isSwitchedOff(chain: readonly string[], call: Node): boolean {
  // On a machine that can't fence a suite may step back; under OPENPACT_CI=1 that is a failure (scripts/test.ts).
  if (chain.some((part) => OFF.has(part) && !MAY_SKIP.has(part))) return true;
  const inside = (node: Node): boolean => {
    if (node.type === 'Property' && isNode(node['key']) && OFF.has(String(node['key']['name']))) return true;
    if (node.type === 'CallExpression' && isNode(node['callee'])) {
      const { callee } = node;
      if (isNode(callee) && callee.type === 'MemberExpression' && isNode(callee['property'])) {
        if (callee['property']['name'] === 'skip') return true;
      }
    }
    return childrenOf(node).some(inside);
  };
  const isTest = chain[0] === 'test' || chain[0] === 'it';
  const args = (call['arguments'] as readonly unknown[]).filter(isNode);
  // A group is searched by its options only: what is in it answers for itself.
  return args.some((arg) => (isTest || arg.type === 'ObjectExpression' ? inside(arg) : false));
}

/** The tests of a file by their full name; false for one that is switched off. */
export function testsOf(file: string): ReadonlyMap<string, boolean> {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} can't be parsed: ${errors[0]?.message}`);
  const found = new Map<string, boolean>();
  const visit = (node: Node, groups: readonly string[], on: boolean): void => {
    const chain = node.type === 'CallExpression' ? chainOf(node['callee']) : undefined;
    const [first] = chain ?? [];
    const args = node.type === 'CallExpression' ? (node['arguments'] as readonly unknown[]) : [];
    const title = titleOf(args[0], source);
    const isTest = first === 'test' || first === 'it';
    const isGroup = first === 'describe' || first === 'suite';
    if (chain && title !== undefined && (isTest || isGroup)) {
      const runs = on && !isSwitchedOff(chain, node);
      if (isTest) {
        const name = [...groups, title].join(' > ');
        if (found.has(name)) throw new Error(`${file} has two tests named ${name}`);
        found.set(name, runs);
      } else {
        for (const child of childrenOf(node)) visit(child, [...groups, title], runs);
      }
      return;
    }
    for (const child of childrenOf(node)) visit(child, groups, on);
  };
  visit(program as unknown as Node, [], true);
  return found;
}

const known = new Map<string, ReadonlyMap<string, boolean>>();

/** What is wrong with a named test; undefined when it is there and runs. */
export function problemOf({ file, name }: NamedTest): string | undefined {
  if (!existsSync(join(ROOT, file))) return `${file} does not exist`;
  if (!TESTS.some((pattern) => matchesGlob(file, pattern))) return `${file} is not run by vitest`;
  const tests = known.get(file) ?? testsOf(file);
  known.set(file, tests);
  const runs = tests.get(name);
  if (runs === undefined) return `${file} has no test "${name}"`;
  return runs ? undefined : `${file}: "${name}" is switched off`;
}
