import { basename, join } from 'node:path';
import type { AgentProgram } from '../engine/adapters/builtin/index.ts';
import type { WorkerProgram } from '../sandbox/runner/index.ts';

/** Where the program's own files lie: beside the bundle, or in the sources. */
export interface Layout {
  readonly version: string;
  readonly agent: AgentProgram;
  readonly fileChild: { readonly entry: string; readonly read: readonly string[] };
  /** The process of a script run. */
  readonly scriptWorker: WorkerProgram;
  /** The folder of fence.pl and the probes. */
  readonly processAssets: string;
  /** The built page. */
  readonly page: string;
}

/** `directory` is that of the running entry file: `dist` for the bundle, `src` for the sources. */
export function layoutOf(directory: string, version: string): Layout {
  const node = process.execPath;
  if (basename(directory) === 'dist') {
    const agent = join(directory, 'agent');
    const entry = join(directory, 'file-child.mjs');
    return {
      version,
      agent: { node, script: join(agent, 'main.mjs'), read: [agent] },
      fileChild: { entry, read: [] },
      scriptWorker: { node, entry: join(directory, 'script-worker.mjs'), read: [] },
      processAssets: directory,
      page: join(directory, 'web'),
    };
  }
  const root = join(directory, '..');
  const sources = [join(root, 'src'), join(root, 'package.json')];
  return {
    version,
    agent: {
      node,
      script: join(directory, 'agent', 'main.ts'),
      read: [...sources, join(root, 'node_modules')],
    },
    fileChild: { entry: join(directory, 'host', 'files', 'child', 'main.ts'), read: sources },
    scriptWorker: {
      node,
      entry: join(directory, 'sandbox', 'worker', 'main.ts'),
      read: [join(directory, 'sandbox'), join(root, 'package.json')],
    },
    processAssets: join(directory, 'host', 'process'),
    page: join(root, 'dist', 'web'),
  };
}
