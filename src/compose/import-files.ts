// Guarantees: SOUL.md, USER.md, MEMORY.md and notes of the original come in where there is none, or only OpenPact's own
// seed; each after an intent in the audit log that was written together with the rest of the import.
// Does not: come in all at once: an import that is cut off here goes on where it was when it is run again.
// An attacker may control: names and texts, which were checked before.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isJsonObject } from '../core/index.ts';
import { seeds } from '../engine/profile.ts';
import type { ImportPlan, Present } from '../guard/import/index.ts';
import { fileOwner } from '../host/files/file-exists.ts';
import { openForeignFolder } from '../host/files/foreign-folder.ts';
import { MAX_FILE_BYTES } from '../host/files/index.ts';
import { placeFile } from '../host/files/owned-file.ts';
import type { WorkspacePaths } from '../host/files/workspace-paths.ts';
import type { SettingsStore } from '../host/storage/index.ts';
import type { Foundation } from './foundation.ts';

const BROUGHT = 'import.files';

/** Files that the owner brought along: the answers of the setup are not written over them. */
export function broughtFiles(settings: SettingsStore): readonly string[] {
  const stored = settings.get(BROUGHT);
  return stored !== undefined && isJsonObject(stored) ? Object.keys(stored) : [];
}

/** What lies in the folders of this workspace. */
export function presentFiles(paths: WorkspacePaths): Pick<Present, 'file' | 'scriptFile'> {
  const there = fileOwner(paths.aiData) !== undefined;
  const folder = there ? openForeignFolder(paths.aiData) : undefined;
  const seeded = seeds();
  return {
    file(path) {
      const found = folder?.read(path, MAX_FILE_BYTES);
      if (found === undefined || found.kind === 'missing') return undefined;
      return found.kind === 'text' && seeded.get(path) === found.text ? 'untouched' : 'there';
    },
    scriptFile(name) {
      const found = folder?.read(`scripts/${name}.star`, MAX_FILE_BYTES);
      if (found === undefined || found.kind === 'missing') return undefined;
      return found.kind === 'text'
        ? `sha256:${createHash('sha256').update(found.text).digest('hex')}`
        : 'other';
    },
  };
}

const BY = { principal: { kind: 'operator' }, origin: 'cli' } as const;

/** In the transaction of the import. `kept`: what was there already and stays. */
export function announceFiles(
  { settings, audit, clock }: Foundation,
  files: ImportPlan['files'],
  kept: readonly string[],
): void {
  const paths = [...files.map(({ path }) => path), ...kept].filter((path) => !path.includes('/'));
  if (paths.length > 0) {
    const names = [...broughtFiles(settings), ...paths];
    settings.set(BROUGHT, Object.fromEntries(names.map((path) => [path, true])), clock.now());
  }
  for (const { path, text } of files) {
    audit.append({
      ...BY,
      event: 'identity.intent',
      target: path,
      outcome: 'intent',
      details: { after: audit.digest(text), bytes: Buffer.byteLength(text), imported: true },
    });
  }
}

/** Returns what could not be written, with the reason. The rest of the import stands already. */
export function placeFiles(
  { paths, audit }: Foundation,
  files: ImportPlan['files'],
): ReadonlyMap<string, string> {
  const seeded = seeds();
  const missed = new Map<string, string>();
  for (const { path, text } of files) {
    // W-08: what the assistant may write is writable for its group.
    const shared = path === 'MEMORY.md' || path.startsWith('memory/');
    try {
      const options = { mode: shared ? 0o660 : 0o640, replace: seeded.has(path) };
      if (!placeFile(join(paths.aiData, path), text, options))
        missed.set(path, 'something came there meanwhile, which stays');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      missed.set(path, `could not be written (${code}); put that right and run the import again`);
    }
    audit.note({
      ...BY,
      event: 'identity.changed',
      target: path,
      outcome: missed.has(path) ? 'failed' : 'ok',
      details: { after: audit.digest(text), bytes: Buffer.byteLength(text), imported: true },
    });
  }
  return missed;
}
