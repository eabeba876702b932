/** Runs one chunk of a public suite and reports what happened, in the events of the suites' runner. */
import {
  check,
  compileProgram,
  parse,
  StarlarkError,
  Thread,
  type Dialect,
  type Value,
} from '../../src/sandbox/starlark/index.ts';
import { suiteNames, type Tally } from './predeclared.ts';

export type Event =
  | { readonly kind: 'static' | 'error' | 'assert'; readonly line: number; readonly msg: string }
  | { readonly kind: 'done'; readonly asserts: number };

export interface ChunkOptions {
  readonly mode: 'exec' | 'parse' | 'resolve';
  /** Names of options that are on: set, while, toplevelcontrol, globalreassign, loadbindsglobally, recursion. */
  readonly options: readonly string[];
}

function dialectOf(options: readonly string[]): Dialect {
  return {
    topLevelControl: options.includes('toplevelcontrol'),
    globalReassign: options.includes('globalreassign'),
    while: options.includes('while'),
    load: true,
    loadBindsGlobally: options.includes('loadbindsglobally'),
  };
}

function event(kind: 'static' | 'error', error: StarlarkError): Event {
  return {
    kind,
    line: error.position?.line ?? 0,
    msg: error.builtin === undefined ? error.message : error.headline,
  };
}

/** Steps are generous here: the suites' own loops are long. */
const LIMITS = { steps: 200_000_000, memory: 2 ** 31, valueDepth: 200 };

/** How many failed assertions get a line: each takes a run of its own. */
const LINES = 25;

/** Every event of the chunk; `done` is last unless the interpreter itself broke. */
export function runChunk(source: string, { mode, options }: ChunkOptions): Event[] {
  if (mode === 'parse') return parseChunk(source);
  const first = execute(source, mode, options, 0);
  const { failures } = first.tally;
  const asserts = failures.map(({ at, msg }, i): Event => {
    const line = i < LINES ? (execute(source, mode, options, at).error?.position?.line ?? 0) : 0;
    return { kind: 'assert', line, msg };
  });
  return [...asserts, ...first.events, { kind: 'done', asserts: first.tally.ran }];
}

function parseChunk(source: string): Event[] {
  const done: Event = { kind: 'done', asserts: 0 };
  try {
    parse(source);
    return [done];
  } catch (error) {
    if (error instanceof StarlarkError) return [event('static', error), done];
    throw error;
  }
}

interface Outcome {
  readonly tally: Tally;
  readonly events: Event[];
  readonly error: StarlarkError | undefined;
}

function execute(
  source: string,
  mode: 'exec' | 'resolve',
  options: readonly string[],
  throwAt: number,
): Outcome {
  const tally: Tally = { ran: 0, failures: [], throwAt };
  const { names, load } = suiteNames(tally);
  const predeclared =
    mode === 'resolve'
      ? new Map<string, Value>([
          ['M', null],
          ['U', null],
        ])
      : names;
  const compileOptions = {
    name: 'chunk',
    dialect: dialectOf(options),
    predeclared,
    without: options.includes('set') ? [] : ['set'],
  };
  const problems = check(source, compileOptions);
  if (problems.length > 0 || mode === 'resolve') {
    return { tally, events: problems.map((problem) => event('static', problem)), error: undefined };
  }
  const thread = new Thread({ limits: LIMITS, recursion: options.includes('recursion') });
  try {
    compileProgram(source, compileOptions).run(thread, { load });
    return { tally, events: [], error: undefined };
  } catch (error) {
    if (!(error instanceof StarlarkError)) throw error;
    return { tally, events: [event('error', error)], error };
  }
}
