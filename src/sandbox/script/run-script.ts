/**
 * One run of one script, from its text to plain data. Everything that goes wrong in the script is in the outcome;
 * thrown is only what a fault of the host or a lost pipe throws.
 */
import {
  compileProgram,
  extendModule,
  fromJson,
  HostError,
  standardModules,
  StarDict,
  StarFunction,
  StarlarkError,
  StarModule,
  Callable,
  Thread,
  toJson,
  type Json,
  type Module,
  type Value,
} from '../starlark/index.ts';
import type { Broker } from './broker.ts';
import { createHttpModule } from './http-module.ts';
import {
  SCRIPT_LIMITS,
  type ScriptError,
  type ScriptLimits,
  type ScriptOutcome,
  type ScriptRequest,
} from './outcome.ts';
import { createSecretsModule } from './secrets-module.ts';
import { createSleep } from './sleep.ts';

export interface ScriptHost {
  readonly broker: Broker;
  /** Blocks for that many milliseconds. */
  readonly wait: (ms: number) => void;
  /** See `ThreadOptions`. */
  readonly onSlice?: () => void;
}

export function runScript(request: ScriptRequest, host: ScriptHost): ScriptOutcome {
  const limits: ScriptLimits = { ...SCRIPT_LIMITS, ...request.limits };
  return runWithModules(request, host, modulesOf(request, limits, host));
}

/** A run with these names instead of the usual modules. */
export function runWithModules(
  request: ScriptRequest,
  host: Pick<ScriptHost, 'onSlice'>,
  modules: ReadonlyMap<string, Value>,
): ScriptOutcome {
  const limits: ScriptLimits = { ...SCRIPT_LIMITS, ...request.limits };
  const logs: string[] = [];
  let printed = 0;
  const thread = new Thread({
    limits: { steps: limits.steps, memory: limits.memory },
    ...(host.onSlice === undefined ? {} : { onSlice: host.onSlice }),
    print: (line) => {
      printed += line.length + 1;
      if (printed > limits.print)
        throw new HostError('print_limit', `the script prints more than ${limits.print} characters`);
      logs.push(line.toWellFormed());
    },
  });
  const ended = (value: Json, error: ScriptError | null): ScriptOutcome => ({
    value,
    error,
    logs,
    used: { steps: thread.stepsUsed, memory: thread.memoryUsed },
  });
  try {
    if (request.source.length > limits.source)
      throw new HostError('source_limit', `the script is longer than ${limits.source} characters`);
    const program = compileProgram(request.source, {
      name: request.name,
      predeclared: modules,
    });
    const value = resultOf(thread, program.run(thread), request);
    return ended(checkedResult(thread, value, limits), null);
  } catch (error) {
    if (!(error instanceof StarlarkError)) throw error;
    return ended(null, {
      code: error instanceof HostError ? error.reason : error.code,
      message: error.message.toWellFormed(),
      line: error.position?.line ?? null,
    });
  }
}

function modulesOf(request: ScriptRequest, limits: ScriptLimits, host: ScriptHost): Map<string, Value> {
  const modules = standardModules(request.now);
  const time = modules.get('time');
  if (!(time instanceof StarModule)) throw new TypeError('the standard modules have no time');
  modules.set('time', extendModule(time, [createSleep(host.wait, limits.sleep)]));
  modules.set('secrets', createSecretsModule(host.broker));
  modules.set('http', createHttpModule(host.broker));
  return modules;
}

/** The value that a run is about (requirements K-07 and K-08). */
function resultOf(t: Thread, module: Module, request: ScriptRequest): Value {
  if (request.entry !== undefined) {
    const fn = module.get(request.entry);
    if (!(fn instanceof Callable)) {
      const what = fn === undefined ? 'has no function' : 'has a value that is no function,';
      throw new HostError('no_function', `the script ${what} ${JSON.stringify(request.entry.slice(0, 100))}`);
    }
    const named = new Map(
      Object.entries(request.kwargs ?? {}).map(([name, arg]) => [name, fromJson(t, arg)]),
    );
    const args = (request.args ?? []).map((arg) => fromJson(t, arg));
    return module.call(fn, args, named);
  }
  const main = module.get('main');
  if (main instanceof StarFunction) return module.call(main);
  if (main !== undefined) return null;
  const result = module.get('result');
  if (result !== undefined) return result;
  const exported = new StarDict();
  for (const [name, value] of module.globals()) if (!/^[a-z]/.test(name)) exported.put(t, name, value);
  return exported.map.size === 0 ? null : exported;
}

function checkedResult(t: Thread, value: Value, limits: ScriptLimits): Json {
  const json = toJson(t, value);
  if (depthOf(json) > limits.resultDepth)
    throw new HostError('result_depth', `the result is nested deeper than ${limits.resultDepth} values`);
  const text = JSON.stringify(json, (_key, item: unknown) =>
    typeof item === 'bigint' ? String(item) : item,
  );
  if (text.length > limits.result)
    throw new HostError('result_limit', `the result is longer than ${limits.result} characters of JSON`);
  return json;
}

function depthOf(json: Json): number {
  if (typeof json !== 'object' || json === null) return 0;
  return 1 + Object.values(json).reduce((most: number, item: Json) => Math.max(most, depthOf(item)), 0);
}
