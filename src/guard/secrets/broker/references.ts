// Guarantees: a reference of this run means one thing for the whole run; an id that this table did not make means nothing.
// Does not: outlive the run, or know other runs.
// An attacker may control: which ids are asked for; through answers, how many are made.
import { NOMINAL_BYTES } from '../../../sandbox/wire/index.ts';

/** Something that an answer held. */
export interface RunReference {
  readonly id: string;
  /** Undefined: it can be shown as a marker, but not sent. */
  readonly value: string | undefined;
  /** Where it came from and may go. */
  readonly origin: string;
}

export interface References {
  find(id: string): RunReference | undefined;
  /** A credential that an answer brought; too large or too many ones are inert. */
  mint(label: string, value: string, origin: string): RunReference;
  /** A stand-in for text that must not be seen, named after the secret in it. */
  inert(name: string, origin: string): RunReference;
  /** All that have a value. */
  fresh(): readonly RunReference[];
}

const MOST = 1_000;

export function createReferences(): References {
  const byId = new Map<string, RunReference>();
  const byMeaning = new Map<string, RunReference>();
  function make(name: string, value: string | undefined, origin: string): RunReference {
    const meaning = JSON.stringify([value === undefined ? name : null, value ?? null, origin]);
    const known = byMeaning.get(meaning);
    if (known !== undefined) return known;
    const made = { id: `${name}@${byId.size + 1}`, value, origin };
    byId.set(made.id, made);
    byMeaning.set(meaning, made);
    return made;
  }
  return {
    find: (id) => byId.get(id),
    mint(label, value, origin) {
      const name = nameOf(label);
      const held = byId.size < MOST && Buffer.byteLength(value) <= NOMINAL_BYTES;
      return make(held ? name : 'CREDENTIAL', held ? value : undefined, origin);
    },
    inert: (name, origin) => make(name, undefined, origin),
    fresh: () => [...byId.values()].filter((reference) => reference.value !== undefined),
  };
}

/** A field's name as the name in a marker. */
function nameOf(label: string): string {
  const name = label
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_')
    .replace(/^[^A-Z]+/, '')
    .slice(0, 64);
  return name === '' ? 'CREDENTIAL' : name;
}
