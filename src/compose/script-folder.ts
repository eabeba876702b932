import { errorText, type Log } from '../core/index.ts';
import type { ScriptLibrary } from '../guard/scripts/index.ts';

/**
 * Finds files that somebody dropped into the folder of scripts; nobody waits for it, what it finds stands in later answers.
 * One look at a time, however often it is asked for.
 */
export function createFolderLook(library: Pick<ScriptLibrary, 'lookAll'>, log: Log): () => void {
  let looking = false;
  return () => {
    if (looking) return;
    looking = true;
    void library
      .lookAll()
      .catch((error: unknown) =>
        log.warn('the folder of scripts could not be looked at', { problem: errorText(error) }),
      )
      .finally(() => (looking = false));
  };
}
