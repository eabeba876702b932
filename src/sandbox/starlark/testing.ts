/** For tests: runs a program with the standard modules and gives back what it printed. */
import {
  compileProgram,
  StarlarkError,
  Thread,
  standardModules,
  type CompileOptions,
  type ThreadOptions,
  type Value,
} from './index.ts';

/** The clock of test runs: 2026-01-31T12:34:56Z. */
const NOW = Date.UTC(2026, 0, 31, 12, 34, 56);

interface TestOptions extends CompileOptions, ThreadOptions {
  /** Names besides the standard modules. */
  readonly extra?: Iterable<readonly [string, Value]>;
}

/** The printed lines. */
export function run(text: string, options: TestOptions = {}): string[] {
  const lines: string[] = [];
  const predeclared = new Map<string, Value>([...standardModules(NOW), ...(options.extra ?? [])]);
  const thread = new Thread({ ...options, print: (line) => lines.push(line) });
  compileProgram(text, { name: 'test.star', ...options, predeclared }).run(thread);
  return lines;
}

/** The text of an expression's value. */
export function show(expression: string, options: TestOptions = {}): string {
  return run(`value = ${expression}\nprint(repr(value))`, options).join('\n');
}

/** The error of a program. Fails when there is none. */
export function errorOf(text: string, options: TestOptions = {}): StarlarkError {
  try {
    run(text, options);
  } catch (error) {
    if (error instanceof StarlarkError) return error;
    throw error;
  }
  throw new Error(`the program did not fail:\n${text}`);
}
