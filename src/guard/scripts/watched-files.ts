// Guarantees: whatever a tool writes below `scripts/` is a script of a plain name, of bounded size, and a version before it
// is a file; nothing else gets in there through a tool (T-03).
// Does not: concern itself with other folders.
// An attacker may control: paths and texts.
import { AppError, type FilePowers, type ToolContext } from '../../core/index.ts';
import type { ScriptLibrary } from './library.ts';
import { scriptName } from './script-name.ts';

/** The powers of tools over files, with `scripts/` under the library's care. */
export function watchScripts(
  files: FilePowers,
  library: Pick<ScriptLibrary, 'save'>,
  { principal, origin }: ToolContext['caller'],
): FilePowers {
  return {
    read: (path, signal) => files.read(path, signal),
    list: (path, signal) => files.list(path, signal),
    async write(path, text, signal) {
      const name = nameIn(path);
      if (name === undefined) return files.write(path, text, signal);
      await library.save({ name, source: text, how: 'tool', by: principal, origin, mustParse: false });
      return { bytes: Buffer.byteLength(text) };
    },
    async append(path, text, signal) {
      if (nameIn(path) === undefined) return files.append(path, text, signal);
      throw refused('A script is written whole.');
    },
  };
}

/** Undefined for what is not below `scripts/`. Errors: input `script_path`. */
function nameIn(path: string): string | undefined {
  const [folder, file = '', ...deeper] = path.split('/').filter((part) => part !== '' && part !== '.');
  if (folder !== 'scripts') return undefined;
  const name = file.endsWith('.star') ? scriptName(file) : undefined;
  if (name !== undefined && deeper.length === 0) return name;
  throw refused('Only scripts are kept there: scripts/NAME.star, with letters, digits, "_" and "-" in NAME.');
}

function refused(message: string): AppError {
  return new AppError({ family: 'input', code: 'script_path', message });
}
