/**
 * What can be read in a script without running it: its static errors, the secrets, hosts and methods that it names, and
 * what can't be known before it runs.
 *
 * Guarantees: nothing runs; time and depth follow the size of the text (the parser bounds its nesting).
 * Does not: prove anything. A grant decides at run time, whatever was believed here.
 * An attacker may control: the whole text.
 */
import { check, parse, Source, type File } from '../starlark/index.ts';
import { standardModules } from '../starlark/index.ts';
import type { Expr, Name, Node, Stmt } from '../starlark/syntax/ast.ts';

export interface ScriptAnalysis {
  /** Static errors; with one the text is no program. */
  readonly problems: readonly { readonly line: number; readonly message: string }[];
  /** Names that stand in `secrets.get` and `secrets.has`. */
  readonly secrets: readonly string[];
  /** `host` or `host:port` of every address that stands in a text. */
  readonly hosts: readonly string[];
  /** In capitals. */
  readonly methods: readonly string[];
  /** What is decided only while it runs. */
  readonly undecided: readonly { readonly line: number; readonly what: Undecided }[];
  /** Functions of the top level with the names of their parameters. */
  readonly functions: readonly { readonly name: string; readonly params: readonly string[] }[];
}

/** `url`: an address that is put together. `secret`: a name that is. `http`, `secrets`: the module itself is handed on. */
export type Undecided = 'url' | 'secret' | 'http' | 'secrets';

const METHODS = new Set(['get', 'post', 'put', 'patch', 'delete']);
const ADDRESS = /^https?:\/\/([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?)(?:[/?#]|$)/i;
const MOST = 200;
/** Expressions that are looked into for one value, and what is known of its text: constants may double each other. */
const MOST_LOOKED_INTO = 500;
const MOST_KNOWN = 2_000;

/** Text up to which the value of an expression is known. */
interface Known {
  readonly text: string;
  readonly whole: boolean;
}

export function analyseScript(text: string): ScriptAnalysis {
  const predeclared = new Map([
    ...standardModules(0),
    // Only that the names exist matters here.
    ['http', null] as const,
    ['secrets', null] as const,
  ]);
  const problems = check(text, { name: 'script.star', predeclared })
    .slice(0, 20)
    .map((error) => ({ line: error.position?.line ?? 1, message: error.message.toWellFormed() }));
  const none = { secrets: [], hosts: [], methods: [], undecided: [], functions: [] };
  if (problems.length > 0) return { problems, ...none };
  const source = new Source('script.star', text.startsWith('\ufeff') ? text.slice(1) : text);
  const reader = new Reader(parse(source.text, source.name), source);
  return { problems, ...reader.found() };
}

class Reader {
  readonly #file: File;
  readonly #source: Source;
  readonly #constants = new Map<string, Expr>();
  readonly #secrets = new Set<string>();
  readonly #hosts = new Set<string>();
  readonly #methods = new Set<string>();
  readonly #undecided = new Map<string, { line: number; what: Undecided }>();

  constructor(file: File, source: Source) {
    this.#file = file;
    this.#source = source;
    const bound = new Map<string, number>();
    countBindings(file.body, bound);
    for (const statement of file.body) {
      if (statement.kind !== 'assign' || statement.op !== undefined || statement.target.kind !== 'name')
        continue;
      const { name } = statement.target;
      // Bound anywhere else, as a parameter or in a loop: not a constant.
      if (bound.get(name) === 1) this.#constants.set(name, statement.value);
    }
    this.#walk(file.body);
  }

  found(): Omit<ScriptAnalysis, 'problems'> {
    return {
      secrets: [...this.#secrets].toSorted().slice(0, MOST),
      hosts: [...this.#hosts].toSorted().slice(0, MOST),
      methods: [...this.#methods].toSorted(),
      undecided: [...this.#undecided.values()].slice(0, MOST),
      functions: this.#file.body.flatMap((statement) =>
        statement.kind === 'def'
          ? [
              {
                name: statement.name.name,
                params: statement.params.filter(({ kind }) => kind === 'plain').map(({ name }) => name),
              },
            ]
          : [],
      ),
    };
  }

  /** Every node below; a tree is as deep as the parser allows. */
  #walk(value: unknown): void {
    if (Array.isArray(value)) {
      for (const item of value) this.#walk(item);
      return;
    }
    if (
      typeof value !== 'object' ||
      value === null ||
      !('pos' in value || 'body' in value || 'test' in value)
    )
      return;
    const node = value as (Expr | Stmt) & Node;
    if (node.kind === 'call') {
      const { callee } = node;
      if (callee.kind === 'attribute' && isModule(callee.object)) {
        this.#call(callee.object.name, callee.name, node);
        this.#walk(node.args.map(({ value: argument }) => argument));
        return;
      }
    }
    if (node.kind === 'attribute' && isModule(node.object)) {
      // A function of the module as a value: whoever calls it later is not seen.
      this.#unknown(node.object.name === 'http' ? 'http' : 'secrets', node);
      return;
    }
    if (node.kind === 'name' && isModule(node)) {
      this.#unknown(node.name === 'http' ? 'http' : 'secrets', node);
      return;
    }
    if (node.kind === 'literal') {
      if (typeof node.value === 'string') this.#address(node.value);
      return;
    }
    for (const [key, child] of Object.entries(node)) {
      if (key !== 'ref' && key !== 'info' && key !== 'locals' && typeof child === 'object') this.#walk(child);
    }
  }

  #call(module: string, method: string, node: Extract<Expr, { kind: 'call' }>): void {
    const first = node.args.find(
      ({ kind, name }) => kind === 'positional' || (kind === 'named' && (name === 'url' || name === 'name')),
    );
    const spread = node.args.some(({ kind }) => kind === '*' || kind === '**');
    if (module === 'secrets') {
      if (method !== 'get' && method !== 'has') return;
      const known = first === undefined || spread ? undefined : this.#known(first.value);
      if (known?.whole === true) this.#secrets.add(known.text.slice(0, 64));
      else this.#unknown('secret', node);
      return;
    }
    if (!METHODS.has(method)) return;
    this.#methods.add(method.toUpperCase());
    const known = first === undefined || spread ? undefined : this.#known(first.value);
    // Up to the end of the host: what follows can't change where it goes.
    if (known === undefined || !(known.whole ? ADDRESS : /^https?:\/\/[^/?#]+[/?#]/i).test(known.text))
      this.#unknown('url', node);
    else this.#address(known.text);
  }

  #address(text: string): void {
    const host = ADDRESS.exec(text)?.[1];
    if (host !== undefined) this.#hosts.add(host.toLowerCase());
  }

  #unknown(what: Undecided, node: Node): void {
    const { line } = this.#source.position(node.pos);
    this.#undecided.set(`${line} ${what}`, { line, what });
  }

  /** What an expression surely begins with. */
  #known(expr: Expr, room = { left: MOST_LOOKED_INTO }): Known | undefined {
    room.left -= 1;
    if (room.left < 0) return undefined;
    if (expr.kind === 'literal')
      return typeof expr.value === 'string' ? beginning(expr.value, true) : undefined;
    if (expr.kind === 'name') {
      const value = this.#constants.get(expr.name);
      return value === undefined ? undefined : this.#known(value, room);
    }
    if (expr.kind === 'binary' && expr.op === '+') {
      const left = this.#known(expr.left, room);
      if (left === undefined || !left.whole) return left;
      const right = this.#known(expr.right, room);
      return beginning(left.text + (right?.text ?? ''), right?.whole ?? false);
    }
    const template =
      expr.kind === 'binary' && expr.op === '%'
        ? { of: expr.left, stop: '%' }
        : expr.kind === 'call' && expr.callee.kind === 'attribute' && expr.callee.name === 'format'
          ? { of: expr.callee.object, stop: '{' }
          : expr.kind === 'call' &&
              expr.callee.kind === 'name' &&
              expr.callee.name === 'format' &&
              expr.args[0]
            ? { of: expr.args[0].value, stop: '%' }
            : undefined;
    if (template === undefined) return undefined;
    const known = this.#known(template.of, room);
    const at = known?.text.indexOf(template.stop) ?? -1;
    return known && { text: at < 0 ? known.text : known.text.slice(0, at), whole: false };
  }
}

/** Of a long text only so much counts as known that a host stands in it. */
function beginning(text: string, whole: boolean): Known {
  return text.length <= MOST_KNOWN ? { text, whole } : { text: text.slice(0, MOST_KNOWN), whole: false };
}

/** How often each name is given a value, anywhere in the text. */
function countBindings(value: unknown, bound: Map<string, number>): void {
  if (Array.isArray(value)) {
    for (const item of value) countBindings(item, bound);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const node = value as Record<string, unknown>;
  const add = (target: unknown): void => {
    if (typeof target === 'string') bound.set(target, (bound.get(target) ?? 0) + 1);
    else if (Array.isArray(target)) target.forEach(add);
    else if (typeof target === 'object' && target !== null) {
      const { kind, name, items } = target as Record<string, unknown>;
      if (kind === 'name') add(name);
      else if (kind === 'list' || kind === 'tuple') add(items);
    }
  };
  if (node['kind'] === 'assign' || node['kind'] === 'for') add(node['target']);
  if (node['kind'] === 'def') add(node['name']);
  if (node['kind'] === 'def' || node['kind'] === 'lambda')
    for (const { name } of node['params'] as readonly { readonly name: string }[]) add(name);
  for (const [key, child] of Object.entries(node))
    if (typeof child === 'object' && key !== 'ref' && key !== 'info' && key !== 'locals')
      countBindings(child, bound);
}

function isModule(expr: Expr): expr is Name {
  return expr.kind === 'name' && (expr.name === 'http' || expr.name === 'secrets');
}
