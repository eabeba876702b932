// Guarantees: every change of a secret for scripts and its audit row are one transaction; a view never holds a value, and
// no name, note or host does either; a change that was made meanwhile by somebody else is not overwritten unseen.
// Does not: give values out (`reveal.ts` does); ask for a password (the composition does).
// An attacker may control: everything that a person pastes into a field.
import { AppError, type Clock, type Origin, type Principal, type Redactor } from '../../core/index.ts';
import type { SecretRow, SecretsStore } from '../../host/storage/secrets-store.ts';
import type { Transactions } from '../../host/storage/index.ts';
import type { Audit } from '../audit/index.ts';
import { parseHosts } from './bound-hosts.ts';
import { isStrong, needsConfirmation } from './strength.ts';
import type { SealedVault } from './types.ts';

/** From where the value comes that scripts get; the first that has one wins. */
export type SecretSource = 'environment' | 'vault' | 'config';

/** What may be told of a secret for scripts. Times in ms. */
export interface SecretView {
  readonly name: string;
  readonly source: SecretSource;
  /** Whether a value is stored in the vault: only then it can be changed here. */
  readonly stored: boolean;
  /** `host` or `host:port`. Empty: an approval alone says where it may be sent. */
  readonly hosts: readonly string[];
  readonly note: string;
  /** A day, YYYY-MM-DD. */
  readonly rotateBy: string | null;
  readonly due: 'no' | 'soon' | 'due';
  /** Whether it is looked for in texts. Easily guessed values are not: that would tell a guesser when he is right. */
  readonly matched: boolean;
  readonly createdAt: number | null;
  readonly updatedAt: number | null;
  /** When the value was set. */
  readonly rotatedAt: number | null;
  readonly lastUsed: { readonly at: number; readonly by: string } | null;
}

export interface SecretFields {
  readonly hosts?: readonly string[] | undefined;
  readonly note?: string | undefined;
  readonly rotateBy?: string | null | undefined;
}

export interface NewValue {
  readonly value: string;
  /** Store it although it is short or a word that everybody tries. */
  readonly confirmWeak?: boolean | undefined;
}

export interface SecretVault {
  /** By name. */
  list(): readonly SecretView[];
  get(name: string): SecretView | undefined;
  /**
   * Errors: conflict `secret_exists`; input `secret_weak` (confirm it), `secret_host_invalid`, `secret_note_invalid`,
   * `secret_date_invalid`, and those of the sealed vault; config `vault_sealed`.
   */
  create(name: string, fields: SecretFields & NewValue, by: Principal): SecretView;
  /**
   * With a value: rotation, effective with the next request. `ifUpdatedAt`: refuse when it was changed since.
   * Errors: those of `create`, missing `not_found`, conflict `secret_changed`, `secret_not_stored`.
   */
  change(
    name: string,
    change: SecretFields & {
      readonly value?: string | undefined;
      readonly confirmWeak?: boolean | undefined;
      readonly ifUpdatedAt?: number | undefined;
    },
    by: Principal,
  ): SecretView;
  /** Errors: `not_found`, `secret_not_stored`. */
  remove(name: string, by: Principal): void;
  /** Whether a change would let it be sent to more hosts. */
  wouldWiden(name: string, hosts: readonly string[] | undefined): boolean;
  /** Notes who used it last, such as `script weather.star`; at most once a minute for the same one. */
  used(name: string, by: string): void;
  /** Whether it may be sent there, as far as its bound hosts say: `host` with the port where it is not 443. */
  mayReach(name: string, host: string): boolean;
}

export interface SecretVaultDeps {
  readonly vault: SealedVault;
  readonly store: SecretsStore;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly redactor: Redactor;
  readonly clock: Clock;
  /** Names that come from variables and from the configuration, with whether they are looked for in texts. */
  readonly environment: ReadonlyMap<string, boolean>;
  readonly config: ReadonlyMap<string, boolean>;
}

const KIND = 'script';
const MAX_NOTE = 500;
/** A shorter value may be a word that stands in many a name. */
const LEAST_FOLDED = 8;
const SOON_DAYS = 14;
const DAY_MS = 86_400_000;
const USED_EVERY_MS = 60_000;

export function createSecretVault(deps: SecretVaultDeps): SecretVault {
  const { vault, store, database, audit, redactor, clock, environment, config } = deps;

  function viewOf(name: string, row: SecretRow | undefined): SecretView | undefined {
    const fromOutside = environment.get(name) ?? (row === undefined ? config.get(name) : undefined);
    if (row === undefined && fromOutside === undefined) return undefined;
    return {
      name,
      source: environment.has(name) ? 'environment' : row === undefined ? 'config' : 'vault',
      stored: row !== undefined,
      hosts: row === undefined ? [] : (JSON.parse(row.hosts) as string[]),
      note: row?.note ?? '',
      rotateBy: row?.rotate_by ?? null,
      due: dueOf(row?.rotate_by ?? null, clock.now()),
      matched: fromOutside ?? row?.matched === 1,
      createdAt: row?.created_at ?? null,
      updatedAt: row?.updated_at ?? null,
      rotatedAt: row?.rotated_at ?? null,
      lastUsed: row === undefined || row.used_at === null ? null : { at: row.used_at, by: row.used_by ?? '' },
    };
  }

  function view(name: string): SecretView {
    return viewOf(name, store.get(name)) as SecretView;
  }

  /** A key that was pasted into the wrong field would be stored, shown and logged. */
  function noSecretIn(text: string, value: string | undefined, what: string): void {
    const bare = value?.trim() ?? '';
    const hidden = Object.keys(redactor.text(text).hidden).length > 0;
    // Hosts are kept in small letters, names in capitals: neither makes a value another one.
    const same = bare.length >= LEAST_FOLDED ? fold(text).includes(fold(bare)) : text.includes(bare);
    if (!hidden && (bare === '' || !same)) return;
    throw input(
      'secret_in_field',
      `The ${what} holds a secret itself.`,
      'Write the value into its own field only.',
    );
  }

  function checkedFields(fields: SecretFields, value: string | undefined) {
    const hosts = fields.hosts === undefined ? undefined : parseHosts(fields.hosts);
    const note = fields.note?.trim();
    if (note !== undefined && (note.length > MAX_NOTE || !note.isWellFormed() || /\p{Cc}/u.test(note))) {
      throw input('secret_note_invalid', `A note is one line of at most ${MAX_NOTE} characters.`);
    }
    const { rotateBy } = fields;
    if (rotateBy !== undefined && rotateBy !== null && !isDay(rotateBy)) {
      throw input('secret_date_invalid', 'The day to rotate is written as 2026-03-31.');
    }
    // As they were written: in small letters a value of another secret would not be known.
    for (const host of fields.hosts ?? []) noSecretIn(host, value, 'host');
    noSecretIn(note ?? '', value, 'note');
    return { hosts, note, rotateBy };
  }

  function requireStrongOrConfirmed(name: string, { value, confirmWeak }: NewValue): void {
    if (confirmWeak === true || !needsConfirmation(value)) return;
    throw new AppError({
      family: 'input',
      code: 'secret_weak',
      message: `The value of ${name} is short, or a word that everybody tries.`,
      fix: 'Confirm it to store it all the same: scripts can use it, but it is not looked for in texts.',
      details: { confirm: 'confirm_weak' },
    });
  }

  function stored(name: string): SecretRow {
    const row = store.get(name);
    if (row !== undefined) return row;
    if (!environment.has(name) && !config.has(name)) {
      throw new AppError({
        family: 'missing',
        code: 'not_found',
        message: 'There is no such secret.',
        fix: 'Look at the list of secrets: it was deleted, or has another name.',
      });
    }
    throw new AppError({
      family: 'conflict',
      code: 'secret_not_stored',
      message: `${name} does not come from the vault, so it can't be changed here.`,
      fix: environment.has(name)
        ? `Change OPENPACT_SECRET_${name} where OpenPact is started, then start it again.`
        : `Change starlark.secrets.${name} in secure/config.yaml, then start OpenPact again.`,
    });
  }

  return {
    list() {
      const rows = new Map(store.list().map((row) => [row.name, row]));
      const names = [...new Set([...rows.keys(), ...environment.keys(), ...config.keys()])].toSorted();
      return names.map((name) => viewOf(name, rows.get(name)) as SecretView);
    },
    get: (name) => viewOf(name, store.get(name)),
    create(name, fields, by) {
      const bare = fields.value.trim();
      if (bare !== '') noSecretIn(name, bare, 'name');
      const { hosts = [], note = '', rotateBy = null } = checkedFields(fields, bare);
      return database.tx(() => {
        if (store.get(name) !== undefined) {
          throw new AppError({
            family: 'conflict',
            code: 'secret_exists',
            message: `There is a secret ${name} already.`,
            fix: 'Rotate it, or take another name.',
          });
        }
        const now = clock.now();
        const { strong } = vault.put({ kind: KIND, name }, bare);
        requireStrongOrConfirmed(name, { ...fields, value: bare });
        store.put({
          name,
          hosts: JSON.stringify(hosts),
          note,
          rotate_by: rotateBy,
          matched: strong ? 1 : 0,
          created_at: now,
          updated_at: now,
          rotated_at: now,
          used_at: null,
          used_by: null,
        });
        audit.append({
          event: 'secret.created',
          principal: by,
          origin: originOf(by),
          target: name,
          outcome: 'ok',
          details: { hosts, matched: strong, rotate_by: rotateBy },
        });
        return view(name);
      });
    },
    change(name, change, by) {
      const value = change.value?.trim();
      const { hosts, note, rotateBy } = checkedFields(change, value);
      return database.tx(() => {
        const row = stored(name);
        if (change.ifUpdatedAt !== undefined && change.ifUpdatedAt !== row.updated_at) {
          throw new AppError({
            family: 'conflict',
            code: 'secret_changed',
            message: `${name} was changed meanwhile, perhaps in another tab.`,
            fix: 'Look at it again, then repeat the change.',
          });
        }
        // Never the same twice, so that a change within one millisecond is seen too.
        const now = Math.max(clock.now(), row.updated_at + 1);
        let { matched, rotated_at } = row;
        if (value !== undefined) {
          matched = vault.put({ kind: KIND, name }, value).strong ? 1 : 0;
          requireStrongOrConfirmed(name, { value, confirmWeak: change.confirmWeak });
          rotated_at = now;
        }
        const before = JSON.parse(row.hosts) as string[];
        const next: SecretRow = {
          ...row,
          hosts: JSON.stringify(hosts ?? before),
          note: note ?? row.note,
          rotate_by: rotateBy === undefined ? stillToCome(row, value !== undefined, now) : rotateBy,
          matched,
          rotated_at,
          updated_at: now,
        };
        store.put(next);
        audit.append({
          event: value === undefined ? 'secret.changed' : 'secret.rotated',
          principal: by,
          origin: originOf(by),
          target: name,
          outcome: 'ok',
          details: {
            ...(hosts === undefined ? {} : { hosts, hosts_before: before }),
            ...(value === undefined ? {} : { matched: matched === 1 }),
            ...(next.rotate_by === row.rotate_by ? {} : { rotate_by: next.rotate_by }),
          },
        });
        return view(name);
      });
    },
    remove(name, by) {
      database.tx(() => {
        stored(name);
        store.remove(name);
        vault.remove({ kind: KIND, name });
        audit.append({
          event: 'secret.deleted',
          principal: by,
          origin: originOf(by),
          target: name,
          outcome: 'ok',
        });
      });
    },
    wouldWiden(name, hosts) {
      const row = store.get(name);
      if (row === undefined || hosts === undefined) return false;
      const before = JSON.parse(row.hosts) as string[];
      if (before.length === 0) return false;
      const after = parseHosts(hosts);
      return after.length === 0 || after.some((host) => !before.includes(host));
    },
    used(name, by) {
      const row = store.get(name);
      const now = clock.now();
      if (row === undefined) return;
      if (row.used_by === by && now - (row.used_at ?? 0) < USED_EVERY_MS) return;
      store.setUsed(name, now, by.slice(0, 200));
    },
    mayReach(name, host) {
      const hosts = JSON.parse(store.get(name)?.hosts ?? '[]') as string[];
      return hosts.length === 0 || hosts.includes(host.toLowerCase().replace(/:443$/, ''));
    },
  };
}

/** The values that come from outside, with whether they are looked for in texts. */
export function matchedNames(values: Iterable<readonly [string, string]>): ReadonlyMap<string, boolean> {
  return new Map([...values].map(([name, value]) => [name, isStrong(value.trim())]));
}

function fold(text: string): string {
  return text.toLowerCase();
}

function dueOf(day: string | null, now: number): SecretView['due'] {
  if (day === null) return 'no';
  const left = Date.parse(`${day}T00:00:00Z`) - now;
  if (left <= 0) return 'due';
  return left <= SOON_DAYS * DAY_MS ? 'soon' : 'no';
}

/** A rotation does what a day that was near or past reminded of. */
function stillToCome(row: SecretRow, rotated: boolean, now: number): string | null {
  return rotated && dueOf(row.rotate_by, now) !== 'no' ? null : row.rotate_by;
}

/** A person acts on the page, the operator at the command line. */
function originOf(by: Principal): Origin {
  return by.kind === 'operator' ? 'cli' : 'page';
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

function input(code: string, message: string, fix?: string): AppError {
  return new AppError({ family: 'input', code, message, fix });
}
