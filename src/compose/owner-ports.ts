import type { Origin } from '../core/index.ts';
import type { IdentityText, IdentityVersion, PolicyAnswer } from '../edge/admin/api.ts';
import type { IdentityFilesPort, PolicyPort } from '../edge/admin/ports.ts';
import type { StepUp } from '../guard/identity/index.ts';
import type { KeptFiles } from '../guard/kept-files/index.ts';
import { createPolicyEditor, RESOURCES } from '../guard/policy/index.ts';
import type { FileVersionRow } from '../host/storage/file-version-store.ts';
import type { Assistant } from './assistant.ts';

/** From where a turn can be started in this version. */
export const TURN_ORIGINS: readonly Origin[] = ['page'];

/** The classes of targets in words. One that is not here is shown by its name. */
const REACH: Readonly<Record<string, { readonly label: string; readonly reach: string }>> = {
  workspace: { label: 'Workspace', reach: 'every file in ai-data/ that is not named in another column' },
  memory: { label: 'Memory', reach: 'MEMORY.md and the notes in memory/' },
  identity: { label: 'Identity', reach: 'SOUL.md and USER.md' },
  scripts: { label: 'Scripts', reach: 'the files in scripts/' },
  script_runs: { label: 'Runs', reach: 'running approved scripts, and code that only computes' },
};

export function policyPort({ policy, ownerRules, tools }: Assistant, stepUp: StepUp): PolicyPort {
  const editor = createPolicyEditor({ policy, owner: ownerRules, tools, origins: TURN_ORIGINS, stepUp });
  const get = (): PolicyAnswer => {
    const { source, problem, digest } = editor.state();
    const cells = editor.cells();
    const named = [...new Set([...RESOURCES, ...cells.map(({ resource }) => resource)])];
    return {
      source,
      problem,
      digest,
      origins: TURN_ORIGINS,
      resources: named
        .filter((name) => cells.some(({ resource }) => resource === name))
        .map((name) => ({ name, ...(REACH[name] ?? { label: name, reach: name }) })),
      tools: tools.map(({ name, title, effect }) => ({ name, title, effect })),
      cells,
    };
  };
  return {
    get,
    async change(change, actor) {
      await editor.change(change, actor);
      return get();
    },
  };
}

export function identityFilesPort(files: KeptFiles): IdentityFilesPort {
  const versionView = (row: FileVersionRow): IdentityVersion => ({
    id: row.id,
    digest: row.digest,
    bytes: row.bytes,
    by: row.by,
    how: row.how,
    at: new Date(row.created_at).toISOString(),
  });
  const view = (text: Awaited<ReturnType<KeptFiles['read']>>): IdentityText => ({
    ...text,
    versions: text.versions.map(versionView),
  });
  return {
    list: () => files.list(),
    read: async (path) => view(await files.read(path)),
    version(path, id) {
      const row = files.version(path, id);
      return { ...versionView(row), path, text: row.text };
    },
    write: async ({ path, ...change }, { principal }) => view(await files.write(path, change, principal)),
    restore: async ({ path, ...change }, { principal }) => view(await files.restore(path, change, principal)),
  };
}
