// Guarantees: what is known of a text is of exactly the bytes that its digest names; a stored text that was changed is
// refused. What is kept in memory is bounded, by texts and by characters.
// An attacker may control: the texts, how many there are.
import { AppError } from '../../core/index.ts';
import type { ScriptStore } from '../../host/storage/script-store.ts';
import { proposeGrant, type GrantView } from './grants.ts';
import { readHeader, type ScriptHeader } from './header.ts';
import type { Analyse, Analysis } from './ports.ts';
import { hashOf } from './script-name.ts';

export interface VersionFacts {
  readonly source: string;
  readonly header: ScriptHeader;
  readonly analysis: Analysis;
  readonly proposed: GrantView;
}

/** Texts whose facts are kept, and their characters together. */
const MOST_KNOWN = 2_000;
const MOST_KNOWN_CHARS = 32 * 1024 * 1024;

/** By digest. Error: config `script_damaged`. */
export function createVersionFacts(deps: {
  readonly store: Pick<ScriptStore, 'source'>;
  readonly analyse: Analyse;
  /** Hosts that a secret may be sent to by its own settings; undefined: nothing is said. */
  readonly boundHosts: (secret: string) => readonly string[] | undefined;
}): (hash: string) => VersionFacts {
  const known = new Map<string, Omit<VersionFacts, 'proposed'>>();
  let knownChars = 0;

  function read(hash: string): Omit<VersionFacts, 'proposed'> {
    const cached = known.get(hash);
    if (cached) return cached;
    const source = deps.store.source(hash);
    if (source === undefined || hashOf(source) !== hash) {
      throw new AppError({
        family: 'config',
        code: 'script_damaged',
        message: `The stored text of ${hash} is not what it was.`,
        fix: 'Restore the database from a backup; this text does not run.',
      });
    }
    const made = { source, header: readHeader(source), analysis: deps.analyse(source) };
    known.set(hash, made);
    knownChars += source.length;
    // The oldest go, one by one: a list that is longer than what is kept must not begin anew for each of its rows.
    for (const [old, { source: text }] of known) {
      if (known.size <= MOST_KNOWN && knownChars <= MOST_KNOWN_CHARS) break;
      known.delete(old);
      knownChars -= text.length;
    }
    return made;
  }

  return (hash) => {
    const facts = read(hash);
    // Each time anew: the hosts of a secret change while its text stays the same.
    return { ...facts, proposed: proposeGrant(facts.header, facts.analysis, deps.boundHosts) };
  };
}
