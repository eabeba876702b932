/** Scripts and the vault with single controls left out. */
import { createHash } from 'node:crypto';
import type { Parts } from '../../src/compose/parts.ts';
import type { LibraryDeps, RunsDeps, ScriptLibrary } from '../../src/guard/scripts/index.ts';

/**
 * `script-look`: a run does not look at the file. `script-bytes`: it takes its text from the file. `script-digest`: it is
 * content with whatever digest that text has. `script-record`: the record of a run names the approved digest, whatever runs.
 * `script-shown`: an approval is for the text that is there now, whatever its reviewer saw. `script-revision`: it is for the
 * state that is there now. `script-one-step`: a decision and its entry in the log are stored one after the other.
 * `script-pins`: whatever the configuration pins, every text counts as pinned. `script-kill`: a run hears of no decision.
 * `script-standing`: it does not look again whether its approval is there. `script-leaving`: what leaves is not held against
 * the grant. `script-cap`: any number of versions may wait. `script-expiry`: what ran out is not taken back. `sealed-rule`:
 * the routes do not know that the vault is sealed.
 */
export const SCRIPT_SEAMS = [
  'script-look',
  'script-bytes',
  'script-digest',
  'script-record',
  'script-shown',
  'script-revision',
  'script-one-step',
  'script-pins',
  'script-kill',
  'script-standing',
  'script-leaving',
  'script-cap',
  'script-expiry',
  'sealed-rule',
] as const;
type ScriptSeam = (typeof SCRIPT_SEAMS)[number];

const EVERYTHING: ReadonlySet<string> = Object.assign(new Set<string>(), { has: () => true });

export function weakenedScripts(
  product: Parts,
  without: (seam: ScriptSeam) => boolean,
): Pick<Parts, 'scriptLibrary' | 'scriptDecisions' | 'scriptRuns' | 'vaultPort'> {
  let files: LibraryDeps['files'] | undefined;
  return {
    scriptLibrary(deps) {
      files = deps.files;
      return product.scriptLibrary({
        ...deps,
        options: {
          ...deps.options,
          ...(without('script-cap') ? { maxPending: 1_000_000 } : {}),
          ...(without('script-pins') ? { autoApprove: EVERYTHING } : {}),
        },
      });
    },
    scriptDecisions(deps) {
      const decisions = product.scriptDecisions(
        without('script-one-step')
          ? { ...deps, database: { tx: (change) => change(), afterCommit: (act) => act() } }
          : deps,
      );
      return {
        ...decisions,
        ...(without('script-expiry') ? { expireDue: () => undefined } : {}),
        async approve(name, order, by) {
          if (!without('script-shown') && !without('script-revision'))
            return decisions.approve(name, order, by);
          await deps.library.look(name);
          const { hash, row } = deps.library.require(name);
          return decisions.approve(
            name,
            {
              ...order,
              ...(without('script-shown') ? { hash } : {}),
              ...(without('script-revision') ? { revision: row.revision } : {}),
            },
            by,
          );
        },
      };
    },
    scriptRuns: (deps) =>
      product.scriptRuns({
        ...deps,
        library: carelessLibrary(deps),
        ...(without('script-leaving') ? { mayLeave: () => true } : {}),
        ...(without('script-record') ? { runStore: falseRecords(deps) } : {}),
      }),
    vaultPort: (seal) => ({
      ...product.vaultPort(seal),
      ...(without('sealed-rule') ? { sealed: () => false } : {}),
    }),
  };

  function falseRecords({ runStore, store }: RunsDeps): RunsDeps['runStore'] {
    return {
      ...runStore,
      insert: (row) => runStore.insert({ ...row, hash: store.get(row.name)?.approved ?? row.hash }),
    };
  }

  /** Only who is told of a change sees it. */
  function asItBegan(library: ScriptLibrary): Pick<ScriptLibrary, 'runnable' | 'state' | 'onChange'> {
    const began = new Map<string, ReturnType<ScriptLibrary['state']>>();
    let told = false;
    return {
      runnable(name) {
        began.set(name, library.state(name));
        return library.runnable(name);
      },
      state: (name) => (told ? library.state(name) : began.get(name)),
      onChange: (listener) =>
        library.onChange((name) => {
          told = true;
          listener(name);
          told = false;
        }),
    };
  }

  function carelessLibrary(deps: RunsDeps): ScriptLibrary {
    const library = without('script-standing')
      ? { ...deps.library, ...asItBegan(deps.library) }
      : deps.library;
    const found = new Map<string, string>();
    /** Of the run that begins: between `runnable` and `facts` nothing else happens. */
    let text = '';
    return {
      ...library,
      ...(without('script-kill') ? { onChange: () => undefined } : {}),
      ...(without('script-look')
        ? {
            async look(name) {
              const read = without('script-bytes') ? await files?.read(`scripts/${name}.star`) : undefined;
              if (read) found.set(name, read.text);
            },
          }
        : {}),
      ...(without('script-bytes')
        ? {
            runnable(name) {
              const decided = library.runnable(name);
              text = found.get(name) ?? '';
              if (!decided.ok || !without('script-digest')) return decided;
              return { ...decided, hash: `sha256:${createHash('sha256').update(text).digest('hex')}` };
            },
            facts: (hash) =>
              ({
                ...(without('script-digest') ? { header: undefined as never } : library.facts(hash)),
                source: text,
              }) as ReturnType<ScriptLibrary['facts']>,
          }
        : {}),
    };
  }
}
