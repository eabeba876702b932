import { join, resolve } from 'node:path';

/** Where everything lies in a workspace (W-02 to W-04). Absolute. */
export interface WorkspacePaths {
  readonly root: string;
  /** Ours alone. */
  readonly secure: string;
  readonly config: string;
  readonly data: string;
  readonly database: string;
  readonly lock: string;
  readonly masterKey: string;
  readonly setupCode: string;
  /** The processes that we started. */
  readonly children: string;
  /** What the assistant sees. */
  readonly aiData: string;
  readonly memory: string;
  readonly scripts: string;
  readonly skills: string;
  /** The engine's own state. */
  readonly engine: string;
}

export function workspacePaths(path: string): WorkspacePaths {
  const root = resolve(path);
  const secure = join(root, 'secure');
  const data = join(secure, 'data');
  const aiData = join(root, 'ai-data');
  return {
    root,
    secure,
    config: join(secure, 'config.yaml'),
    data,
    database: join(data, 'openpact.db'),
    lock: join(data, 'lock.db'),
    masterKey: join(data, 'master_key'),
    setupCode: join(data, 'setup_code'),
    children: join(data, 'children'),
    aiData,
    memory: join(aiData, 'memory'),
    scripts: join(aiData, 'scripts'),
    skills: join(aiData, 'skills'),
    engine: join(root, 'engine'),
  };
}
