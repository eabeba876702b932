/** Modules out of descriptions: how the language makes its own, and how a host adds more. */
import { Builtin, type Native } from '../values/native.ts';
import { StarModule, type Value } from '../values/objects.ts';

/** A module of functions and constants. */
export function defineModule(
  name: string,
  functions: readonly Native[],
  constants: Iterable<readonly [string, Value]> = [],
): StarModule {
  return new StarModule(
    name,
    new Map<string, Value>([
      ...functions.map((fn): [string, Value] => [fn.name, new Builtin(fn)]),
      ...constants,
    ]),
  );
}

/** The module with more functions (or other ones of the same name): `time` with `sleep`, say. */
export function extendModule(module: StarModule, functions: readonly Native[]): StarModule {
  return new StarModule(
    module.name,
    new Map([...module.members, ...defineModule(module.name, functions).members]),
  );
}
