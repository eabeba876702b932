import type { Database } from './database.ts';

/** The door by which a text came. */
export type ScriptHow = 'tool' | 'page' | 'folder' | 'restored' | 'import';
export type ScriptDecision = 'approved' | 'rejected' | 'passed_over';
/** How a version stopped waiting. `kept`: it never waited, its text was decided on before. */
export type ScriptVersionEnd = 'approved' | 'denied' | 'superseded' | 'cancelled' | 'kept';

export interface ScriptVersionRow {
  readonly id: number;
  readonly name: string;
  /** `sha256:` and 64 hex digits of the text. */
  readonly hash: string;
  /** The hash before it. */
  readonly parent: string | null;
  readonly author: string;
  readonly by_assistant: number;
  readonly how: ScriptHow;
  readonly message: string;
  readonly created_at: number;
  /** Null while nobody decided. `passed_over`: a later version was decided on. */
  readonly decision: ScriptDecision | null;
  readonly decided_at: number | null;
  readonly decided_by: string | null;
  readonly reason: string | null;
  /** Null while it waits for the owner. */
  readonly ended_how: ScriptVersionEnd | null;
  readonly ended_at: number | null;
  readonly ended_by: string | null;
}

/** Of a row whose approval is gone. */
export const NOT_APPROVED = { approved: null, granted: null, approved_at: null, approved_by: null } as const;

export interface ScriptRow {
  readonly name: string;
  /** The newest version. */
  readonly version: number;
  /** The hash that was last seen in the folder; null: there is no file; empty: it is still to be written. */
  readonly on_disk: string | null;
  /** Counts every change of the script and of what was decided. */
  readonly revision: number;
  /** The one approval: a hash and its grant as JSON. */
  readonly approved: string | null;
  readonly granted: string | null;
  readonly approved_at: number | null;
  readonly approved_by: string | null;
  readonly disabled_at: number | null;
  readonly disabled_by: string | null;
  readonly created_at: number;
  readonly modified_at: number;
}

export interface ScriptOfferRow {
  readonly name: string;
  readonly kind: 'host' | 'method' | 'secret';
  readonly what: string;
  readonly times: number;
  readonly last_at: number;
  /** Of the text that was refused it. */
  readonly hash: string;
}

export interface ScriptStore {
  get(name: string): ScriptRow | undefined;
  all(): ScriptRow[];
  /** Makes or replaces the row. */
  put(row: ScriptRow): void;
  /** The row alone: versions and runs stay. */
  remove(name: string): void;
  addVersion(row: Omit<ScriptVersionRow, 'id'> & { readonly source: string }): ScriptVersionRow;
  version(id: number): ScriptVersionRow | undefined;
  /** The newest version of a name with this hash. */
  versionOf(name: string, hash: string): ScriptVersionRow | undefined;
  /** Whether this text is approved under another name, or was ever rejected, under any name. */
  isSpent(name: string, hash: string): boolean;
  /** Newest first. */
  versions(name: string, limit: number): ScriptVersionRow[];
  decide(
    id: number,
    decision: { decision: 'approved' | 'rejected'; at: number; by: string; reason: string | null },
  ): void;
  /** As if nobody had decided on it. */
  reopen(id: number): void;
  /** Marks the undecided ones before `id`. */
  passOver(name: string, id: number, at: number): void;
  /** Versions before `id` that wait do so no more: one of `by` took their place. */
  supersede(name: string, id: number, at: number, by: string): void;
  /** The script was deleted: nothing of it waits any more, nor counts as pending. */
  withdraw(name: string, at: number, by: string): void;
  source(hash: string): string | undefined;
  /** Versions of the assistant that nobody decided on. */
  countPending(): number;
  /** Decisions on what the assistant wrote, newest first. */
  decidedSince(at: number, limit: number): ScriptVersionRow[];
  /** Does nothing where this was dismissed for this text. */
  offer(offer: Omit<ScriptOfferRow, 'times' | 'last_at'>, now: number): void;
  offers(name: string): ScriptOfferRow[];
  clearOffers(name: string): void;
  clearOffer(offer: Pick<ScriptOfferRow, 'name' | 'kind' | 'what'>): void;
  /** Removes the offer, and lets none like it be made for the same text. */
  dismissOffer(
    offer: Pick<ScriptOfferRow, 'name' | 'hash' | 'kind' | 'what'>,
    when: { readonly at: number; readonly by: string },
  ): void;
  isDismissed(offer: Pick<ScriptOfferRow, 'name' | 'hash' | 'kind' | 'what'>): boolean;
  /** Of a script that is deleted. */
  forgetDismissed(name: string): void;
}

/** Offers of one script; what is refused beyond them is in the audit log only. */
const MOST_OFFERS = 50;

export function createScriptStore(database: Database): ScriptStore {
  const version = (id: number): ScriptVersionRow | undefined =>
    database.get<ScriptVersionRow>('SELECT * FROM script_versions WHERE id = :id', { id });
  return {
    get: (name) => database.get<ScriptRow>('SELECT * FROM scripts WHERE name = :name', { name }),
    all: () => database.all<ScriptRow>('SELECT * FROM scripts ORDER BY name'),
    put(row) {
      database.run(
        `INSERT INTO scripts (name, version, on_disk, revision, approved, granted, approved_at, approved_by,
           disabled_at, disabled_by, created_at, modified_at)
         VALUES (:name, :version, :on_disk, :revision, :approved, :granted, :approved_at, :approved_by,
           :disabled_at, :disabled_by, :created_at, :modified_at)
         ON CONFLICT (name) DO UPDATE SET version = excluded.version, on_disk = excluded.on_disk,
           revision = excluded.revision, approved = excluded.approved, granted = excluded.granted,
           approved_at = excluded.approved_at, approved_by = excluded.approved_by,
           disabled_at = excluded.disabled_at, disabled_by = excluded.disabled_by,
           modified_at = excluded.modified_at`,
        { ...row },
      );
    },
    remove(name) {
      database.run('DELETE FROM scripts WHERE name = :name', { name });
    },
    addVersion({ source, ...row }) {
      database.run(
        `INSERT INTO script_texts (hash, source, bytes) VALUES (:hash, :source, :bytes)
         ON CONFLICT (hash) DO NOTHING`,
        { hash: row.hash, source, bytes: Buffer.byteLength(source) },
      );
      database.run(
        `INSERT INTO script_versions (name, hash, parent, author, by_assistant, how, message, created_at, decision,
           decided_at, decided_by, reason, ended_how, ended_at, ended_by)
         VALUES (:name, :hash, :parent, :author, :by_assistant, :how, :message, :created_at, :decision,
           :decided_at, :decided_by, :reason, :ended_how, :ended_at, :ended_by)`,
        { ...row },
      );
      const added = database.get<ScriptVersionRow>(
        'SELECT * FROM script_versions WHERE name = :name ORDER BY id DESC LIMIT 1',
        { name: row.name },
      );
      if (!added) throw new Error('a version that was just added is not there');
      return added;
    },
    version,
    versionOf: (name, hash) =>
      database.get<ScriptVersionRow>(
        'SELECT * FROM script_versions WHERE name = :name AND hash = :hash ORDER BY id DESC LIMIT 1',
        { name, hash },
      ),
    isSpent: (name, hash) =>
      database.get(
        `SELECT 1 FROM scripts WHERE approved = :hash AND name <> :name
         UNION ALL SELECT 1 FROM script_versions WHERE hash = :hash AND decision = 'rejected' LIMIT 1`,
        { name, hash },
      ) !== undefined,
    versions: (name, limit) =>
      database.all<ScriptVersionRow>(
        'SELECT * FROM script_versions WHERE name = :name ORDER BY id DESC LIMIT :limit',
        { name, limit },
      ),
    decide(id, { decision, at, by, reason }) {
      database.run(
        `UPDATE script_versions SET decision = :decision, decided_at = :at, decided_by = :by, reason = :reason,
           ended_how = :how, ended_at = :at, ended_by = :by
         WHERE id = :id`,
        { id, decision, at, by, reason, how: decision === 'approved' ? 'approved' : 'denied' },
      );
    },
    reopen(id) {
      database.run(
        `UPDATE script_versions SET decision = NULL, decided_at = NULL, decided_by = NULL, reason = NULL,
           ended_how = NULL, ended_at = NULL, ended_by = NULL
         WHERE id = :id`,
        { id },
      );
    },
    supersede(name, id, at, by) {
      database.run(
        `UPDATE script_versions SET ended_how = 'superseded', ended_at = :at, ended_by = :by
         WHERE name = :name AND id < :id AND ended_how IS NULL`,
        { name, id, at, by },
      );
    },
    withdraw(name, at, by) {
      database.run(
        `UPDATE script_versions SET ended_how = 'cancelled', ended_at = :at, ended_by = :by
         WHERE name = :name AND ended_how IS NULL`,
        { name, at, by },
      );
      database.run(
        `UPDATE script_versions SET decision = 'passed_over', decided_at = :at
         WHERE name = :name AND decision IS NULL`,
        { name, at },
      );
    },
    passOver(name, id, at) {
      database.run(
        `UPDATE script_versions SET decision = 'passed_over', decided_at = :at
         WHERE name = :name AND id < :id AND decision IS NULL`,
        { name, id, at },
      );
    },
    source: (hash) =>
      database.get<{ source: string }>('SELECT source FROM script_texts WHERE hash = :hash', { hash })
        ?.source,
    countPending: () =>
      database.get<{ n: number }>(
        'SELECT count(*) AS n FROM script_versions WHERE by_assistant = 1 AND decision IS NULL',
      )?.n ?? 0,
    decidedSince: (at, limit) =>
      database.all<ScriptVersionRow>(
        `SELECT * FROM script_versions WHERE by_assistant = 1 AND decision IN ('approved', 'rejected')
         AND decided_at >= :at ORDER BY decided_at DESC, id DESC LIMIT :limit`,
        { at, limit },
      ),
    offer({ name, kind, what, hash }, now) {
      database.run(
        `INSERT INTO script_offers (name, kind, what, times, last_at, hash)
         SELECT :name, :kind, :what, 1, :now, :hash WHERE
           NOT EXISTS (SELECT 1 FROM script_offers_dismissed
             WHERE name = :name AND hash = :hash AND kind = :kind AND what = :what) AND
           ((SELECT count(*) FROM script_offers WHERE name = :name) < :most OR
           EXISTS (SELECT 1 FROM script_offers WHERE name = :name AND kind = :kind AND what = :what))
         ON CONFLICT (name, kind, what) DO UPDATE
           SET times = times + 1, last_at = excluded.last_at, hash = excluded.hash`,
        { name, kind, what, hash, now, most: MOST_OFFERS },
      );
    },
    offers: (name) =>
      database.all<ScriptOfferRow>('SELECT * FROM script_offers WHERE name = :name ORDER BY last_at DESC', {
        name,
      }),
    clearOffer({ name, kind, what }) {
      database.run('DELETE FROM script_offers WHERE name = :name AND kind = :kind AND what = :what', {
        name,
        kind,
        what,
      });
    },
    dismissOffer({ name, hash, kind, what }, { at, by }) {
      database.run(
        `INSERT INTO script_offers_dismissed (name, hash, kind, what, dismissed_at, dismissed_by)
         VALUES (:name, :hash, :kind, :what, :at, :by)`,
        { name, hash, kind, what, at, by },
      );
      database.run(
        `DELETE FROM script_offers WHERE name = :name AND hash = :hash AND kind = :kind AND what = :what`,
        { name, hash, kind, what },
      );
    },
    isDismissed: ({ name, hash, kind, what }) =>
      database.get(
        `SELECT 1 FROM script_offers_dismissed
         WHERE name = :name AND hash = :hash AND kind = :kind AND what = :what`,
        { name, hash, kind, what },
      ) !== undefined,
    forgetDismissed(name) {
      database.run('DELETE FROM script_offers_dismissed WHERE name = :name', { name });
    },
    clearOffers(name) {
      database.run('DELETE FROM script_offers WHERE name = :name', { name });
    },
  };
}
