import type { Database } from './database.ts';

export type ScriptRunKind = 'run' | 'exec' | 'test';
/** `unknown`: the program ended while it ran. `killed`: its approval was taken back, or somebody stopped it. */
export type ScriptRunOutcome = 'running' | 'ok' | 'error' | 'killed' | 'unknown';

export interface ScriptRunRow {
  readonly id: string;
  /** Empty for code without a name. */
  readonly name: string;
  readonly hash: string;
  readonly kind: ScriptRunKind;
  readonly caller: string;
  readonly origin: string;
  readonly conversation_id: string | null;
  readonly function: string | null;
  /** Keyed digest of the arguments. */
  readonly arguments: string;
  /** JSON; null without one. */
  readonly granted: string | null;
  readonly started_at: number;
  readonly duration_ms: number | null;
  readonly queued_ms: number | null;
  readonly steps: number | null;
  readonly outcome: ScriptRunOutcome;
  readonly code: string | null;
  readonly message: string | null;
  /** JSON: a list of `RunRequest`. */
  readonly requests: string;
  readonly request_count: number;
  /** Of all answers. */
  readonly bytes: number;
  /** JSON: names. */
  readonly secrets: string;
  /** JSON: what redaction hid, by name. */
  readonly hidden: string;
}

export interface ScriptRunPick {
  /** The id of the last one seen. */
  readonly before?: string | undefined;
  readonly outcome?: ScriptRunOutcome | undefined;
}

export interface ScriptRunCount {
  /** The beginning of the stretch. */
  readonly at: number;
  readonly outcome: ScriptRunOutcome;
  readonly runs: number;
}

export interface ScriptRunStore {
  insert(row: ScriptRunRow): void;
  end(row: ScriptRunRow): void;
  /** Newest first. */
  list(name: string, limit: number, only?: ScriptRunPick): ScriptRunRow[];
  /** How many runs began in each stretch of `stepMs` since then, by outcome; live tests among them. */
  counts(name: string, since: number, stepMs: number): ScriptRunCount[];
  /** All of a name that are kept. */
  kept(name: string): number;
  get(id: string): ScriptRunRow | undefined;
  /** Live tests among them: they are runs with the grant. */
  last(name: string): ScriptRunRow | undefined;
  /** Runs of a name since then, tests with canned answers left out. */
  used(name: string, since: number): { runs: number; requests: number; bytes: number };
  /** When the oldest of those began. */
  oldest(name: string, since: number): number | undefined;
  /** Code without a name that began since then: how often, and when the `nth` newest of it did. */
  execs(since: number, nth: number): { readonly runs: number; readonly at: number | undefined };
  /** Those that a former process left behind; returns them. */
  closeRunning(): ScriptRunRow[];
  /** Removes the oldest of a name beyond `keep` that are older than `before`. */
  prune(name: string, keep: number, before: number): void;
}

export function createScriptRunStore(database: Database): ScriptRunStore {
  return {
    insert(row) {
      database.run(
        `INSERT INTO script_runs (id, name, hash, kind, caller, origin, conversation_id, function, arguments, granted,
           started_at, duration_ms, queued_ms, steps, outcome, code, message, requests, request_count, bytes, secrets,
           hidden)
         VALUES (:id, :name, :hash, :kind, :caller, :origin, :conversation_id, :function, :arguments, :granted,
           :started_at, :duration_ms, :queued_ms, :steps, :outcome, :code, :message, :requests, :request_count, :bytes,
           :secrets, :hidden)`,
        { ...row },
      );
    },
    end(row) {
      database.run(
        `UPDATE script_runs SET duration_ms = :duration_ms, queued_ms = :queued_ms, steps = :steps, outcome = :outcome,
           code = :code, message = :message, requests = :requests, request_count = :request_count, bytes = :bytes,
           secrets = :secrets, hidden = :hidden
         WHERE id = :id`,
        {
          id: row.id,
          duration_ms: row.duration_ms,
          queued_ms: row.queued_ms,
          steps: row.steps,
          outcome: row.outcome,
          code: row.code,
          message: row.message,
          requests: row.requests,
          request_count: row.request_count,
          bytes: row.bytes,
          secrets: row.secrets,
          hidden: row.hidden,
        },
      );
    },
    list: (name, limit, { before, outcome } = {}) =>
      database.all<ScriptRunRow>(
        `SELECT * FROM script_runs WHERE name = :name AND (:before IS NULL OR id < :before)
           AND (:outcome IS NULL OR outcome = :outcome) ORDER BY id DESC LIMIT :limit`,
        { name, limit, before: before ?? null, outcome: outcome ?? null },
      ),
    counts: (name, since, stepMs) =>
      database.all<ScriptRunCount>(
        `SELECT started_at - started_at % :stepMs AS at, outcome, count(*) AS runs FROM script_runs
         WHERE name = :name AND started_at >= :since GROUP BY 1, 2 ORDER BY 1`,
        { name, since, stepMs },
      ),
    kept: (name) =>
      database.get<{ runs: number }>('SELECT count(*) AS runs FROM script_runs WHERE name = :name', { name })
        ?.runs ?? 0,
    get: (id) => database.get<ScriptRunRow>('SELECT * FROM script_runs WHERE id = :id', { id }),
    last: (name) =>
      database.get<ScriptRunRow>('SELECT * FROM script_runs WHERE name = :name ORDER BY id DESC LIMIT 1', {
        name,
      }),
    used: (name, since) =>
      database.get<{ runs: number; requests: number; bytes: number }>(
        `SELECT count(*) AS runs, coalesce(sum(request_count), 0) AS requests, coalesce(sum(bytes), 0) AS bytes
         FROM script_runs WHERE name = :name AND started_at > :since AND kind = 'run'`,
        { name, since },
      ) ?? { runs: 0, requests: 0, bytes: 0 },
    oldest: (name, since) =>
      database.get<{ at: number | null }>(
        `SELECT min(started_at) AS at FROM script_runs
         WHERE name = :name AND started_at > :since AND kind = 'run'`,
        { name, since },
      )?.at ?? undefined,
    execs(since, nth) {
      const which = "FROM script_runs WHERE name = '' AND started_at > :since AND kind = 'exec'";
      return {
        runs: database.get<{ runs: number }>(`SELECT count(*) AS runs ${which}`, { since })?.runs ?? 0,
        at: database.get<{ at: number }>(
          `SELECT started_at AS at ${which} ORDER BY started_at DESC LIMIT 1 OFFSET :before`,
          { since, before: nth - 1 },
        )?.at,
      };
    },
    closeRunning() {
      const rows = database.all<ScriptRunRow>("SELECT * FROM script_runs WHERE outcome = 'running'");
      database.run("UPDATE script_runs SET outcome = 'unknown' WHERE outcome = 'running'");
      return rows;
    },
    prune(name, keep, before) {
      database.run(
        `DELETE FROM script_runs WHERE name = :name AND started_at < :before AND outcome <> 'running' AND id NOT IN
         (SELECT id FROM script_runs WHERE name = :name ORDER BY id DESC LIMIT :keep)`,
        { name, keep, before },
      );
    },
  };
}
