import type { Database } from './database.ts';

/** How a text came there: by the owner, by the owner from an older version, by a tool, or past us. */
export type FileVersionHow = 'page' | 'restored' | 'tool' | 'found';

export interface FileVersionRow {
  readonly id: number;
  readonly path: string;
  /** SHA-256 of the text, in hex. */
  readonly digest: string;
  readonly bytes: number;
  readonly by: string;
  readonly how: FileVersionHow;
  readonly created_at: number;
}

export interface FileVersionStore {
  add(version: Omit<FileVersionRow, 'id'> & { readonly text: string }): FileVersionRow;
  /** Newest first. */
  list(path: string): readonly FileVersionRow[];
  newest(path: string): FileVersionRow | undefined;
  get(path: string, id: number): (FileVersionRow & { readonly text: string }) | undefined;
  count(): ReadonlyMap<string, number>;
  /** Removes the oldest of a path beyond `perPath`, then the oldest of all beyond `bytes` of text; never a path's newest. */
  prune(path: string, limits: { readonly perPath: number; readonly bytes: number }): void;
}

const COLUMNS = 'v.id, v.path, v.digest, t.bytes, v.by, v.how, v.created_at';
const FROM = 'FROM file_versions v JOIN file_texts t ON t.digest = v.digest';

export function createFileVersionStore(database: Database): FileVersionStore {
  const newest = (path: string): FileVersionRow | undefined =>
    database.get<FileVersionRow>(
      `SELECT ${COLUMNS} ${FROM} WHERE v.path = :path ORDER BY v.id DESC LIMIT 1`,
      { path },
    );
  const removeUnused = (): void =>
    void database.run(
      'DELETE FROM file_texts WHERE NOT EXISTS (SELECT 1 FROM file_versions v WHERE v.digest = file_texts.digest)',
    );
  return {
    newest,
    add({ text, ...row }) {
      database.run(
        'INSERT INTO file_texts (digest, text, bytes) VALUES (:digest, :text, :bytes) ON CONFLICT (digest) DO NOTHING',
        { digest: row.digest, text, bytes: row.bytes },
      );
      database.run(
        `INSERT INTO file_versions (path, digest, by, how, created_at)
         VALUES (:path, :digest, :by, :how, :created_at)`,
        { path: row.path, digest: row.digest, by: row.by, how: row.how, created_at: row.created_at },
      );
      const added = newest(row.path);
      if (!added) throw new Error('a version that was just added is not there');
      return added;
    },
    list: (path) =>
      database.all<FileVersionRow>(`SELECT ${COLUMNS} ${FROM} WHERE v.path = :path ORDER BY v.id DESC`, {
        path,
      }),
    get: (path, id) =>
      database.get<FileVersionRow & { text: string }>(
        `SELECT ${COLUMNS}, t.text ${FROM} WHERE v.path = :path AND v.id = :id`,
        { path, id },
      ),
    count: () =>
      new Map(
        database
          .all<{ path: string; versions: number }>(
            'SELECT path, COUNT(*) AS versions FROM file_versions GROUP BY path',
          )
          .map(({ path, versions }) => [path, versions]),
      ),
    prune(path, { perPath, bytes }) {
      database.run(
        `DELETE FROM file_versions WHERE path = :path AND id NOT IN
         (SELECT id FROM file_versions WHERE path = :path ORDER BY id DESC LIMIT :keep)`,
        { path, keep: perPath },
      );
      removeUnused();
      for (;;) {
        const held = database.get<{ bytes: number }>(
          'SELECT COALESCE(SUM(bytes), 0) AS bytes FROM file_texts',
        );
        if ((held?.bytes ?? 0) <= bytes) return;
        const removed = database.run(
          `DELETE FROM file_versions WHERE id = (SELECT MIN(id) FROM file_versions
           WHERE id NOT IN (SELECT MAX(id) FROM file_versions GROUP BY path))`,
        );
        // Only the newest of each file are left.
        if (removed === 0) return;
        removeUnused();
      }
    },
  };
}
