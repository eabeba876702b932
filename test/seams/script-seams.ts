/** Scripts and the vault with single controls left out. */
import { createHash } from 'node:crypto';
import type { Parts } from '../../src/compose/parts.ts';
import type { LibraryDeps, RunsDeps, ScriptLibrary } from '../../src/guard/scripts/index.ts';

/**
 * `script-look`: a run does not look at the file. `script-bytes`: it takes its text from the file. `script-digest`: it is
 * content with whatever digest that text has. `script-shown`: an approval is for what is there now, whatever its reviewer
 * saw. `script-kill`: a run hears of no decision. `script-cap`: any number of versions may wait. `script-expiry`: what ran
 * out is not taken back. `sealed-rule`: the routes do not know that the vault is sealed.
 */
export const SCRIPT_SEAMS = [
  'script-look',
  'script-bytes',
  'script-digest',
  'script-shown',
  'script-kill',
  'script-cap',
  'script-expiry',
  'sealed-rule',
] as const;
type ScriptSeam = (typeof SCRIPT_SEAMS)[number];

export function weakenedScripts(
  product: Parts,
  without: (seam: ScriptSeam) => boolean,
): Pick<Parts, 'scriptLibrary' | 'scriptDecisions' | 'scriptRuns' | 'vaultPort'> {
  let files: LibraryDeps['files'] | undefined;
  return {
    scriptLibrary(deps) {
      files = deps.files;
      return product.scriptLibrary(
        without('script-cap') ? { ...deps, options: { ...deps.options, maxPending: 1_000_000 } } : deps,
      );
    },
    scriptDecisions(deps) {
      const decisions = product.scriptDecisions(deps);
      return {
        ...decisions,
        ...(without('script-expiry') ? { expireDue: () => undefined } : {}),
        ...(without('script-shown')
          ? {
              async approve(name, { grant }, by) {
                await deps.library.look(name);
                const { hash, row } = deps.library.require(name);
                return decisions.approve(name, { hash, grant, revision: row.revision }, by);
              },
            }
          : {}),
      };
    },
    scriptRuns: (deps) => product.scriptRuns({ ...deps, library: carelessLibrary(deps) }),
    vaultPort: (seal) => ({
      ...product.vaultPort(seal),
      ...(without('sealed-rule') ? { sealed: () => false } : {}),
    }),
  };

  function carelessLibrary({ library }: RunsDeps): ScriptLibrary {
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
