/** Makes a value and everything that it holds unchangeable. Works on cyclic values of any depth. */
import { StarFunction } from '../values/function.ts';
import { Builtin } from '../values/native.ts';
import {
  HostObject,
  StarList,
  StarModule,
  StarStruct,
  StarTuple,
  type StarObject,
  type Value,
} from '../values/objects.ts';
import { Table } from '../values/table.ts';

/** Freezes in place; the program gets an error from every later attempt to change one of the values. */
export function freeze(value: Value): void {
  const seen = new Set<StarObject>();
  const work: (Value | undefined)[] = [value];
  while (work.length > 0) {
    const v = work.pop();
    if (typeof v !== 'object' || v === null || seen.has(v)) continue;
    seen.add(v);
    for (const inner of parts(v)) work.push(inner);
  }
}

function parts(v: StarObject): readonly (Value | undefined)[] {
  if (v instanceof StarList) {
    v.frozen = true;
    return v.items;
  }
  if (v instanceof Table) {
    v.frozen = true;
    return [...v.keys(), ...v.map.values()];
  }
  if (v instanceof StarTuple) return v.items;
  if (v instanceof StarStruct) return [...v.fields.values()];
  if (v instanceof StarModule) return [...v.members.values()];
  if (v instanceof StarFunction) return [...v.defaults, ...v.free.map((cell) => cell.value)];
  if (v instanceof Builtin) return [v.self];
  if (v instanceof HostObject) v.freeze?.();
  return [];
}
