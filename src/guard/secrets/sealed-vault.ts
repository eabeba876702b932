// Guarantees: a stored value is encrypted with AES-256-GCM under a key that only the orchestrator derives; the box is
// bound to its record's id, kind and name, so a box moved to another record does not open. Values stand in no error.
// Does not: hide names, sizes and times; protect against a rollback of the whole database to older values.
// An attacker may control: values and, with the database file, every byte of a box.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AppError, canonicalJson, newId, type Clock } from '../../core/index.ts';
import type { RetiredRow, SealedRow, SealedStore } from '../../host/storage/sealed-store.ts';
import { lendOpener } from './reveal.ts';
import type { KnownSecret, KnownSecrets, SealedInfo, SealedVault, SecretKind, SecretRef } from './types.ts';

export interface SealedVaultDeps {
  readonly store: SealedStore;
  readonly clock: Clock;
  /** 32 bytes: `deriveKey(master, 'seal')`. As a function, it throws `vault_sealed` while there is none. */
  readonly key: Uint8Array | (() => Uint8Array);
  readonly known: KnownSecrets;
  /** What came with the start, for kind `script`: `first` wins over a stored value, `last` stands in where there is none. */
  readonly given?: {
    readonly first: (name: string) => string | undefined;
    readonly last: (name: string) => string | undefined;
  };
  /** How long a value that was replaced or removed goes on being hidden in texts, in ms. Default 24 h. */
  readonly keepMs?: number | undefined;
  /** Runs when the caller's transaction is stored; default: at once. */
  readonly afterCommit?: ((act: () => void) => void) | undefined;
}

const DAMAGED = 'secret_damaged';
/** Older ones are not looked for in answers: each costs time for every answer. */
const MOST_FORMER = 16;
const DAY_MS = 24 * 60 * 60 * 1000;
/** First byte of a box and part of what it is bound to. */
const FORMAT = 1;
/** 96 random bits (NIST SP 800-38D 8.2.2): safe up to 2^32 seals under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A service account file has 2 to 3 KiB; each byte costs about 25 automaton states. */
const MAX_VALUE_BYTES = 8 * 1024;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** Of secrets for scripts (K-21, K-25): a shorter value would be found everywhere, and each counts as 4,096 bytes. */
const SCRIPT_NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
const SCRIPT_MIN_BYTES = 4;
const SCRIPT_MAX_BYTES = 4_096;
/** A key file has lines; nothing that is sent has any of these. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

const MARKER_NAMES: Readonly<Record<SecretKind, (name: string) => string>> = {
  llm_key: (name) => `${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_API_KEY`,
  script: (name) => name,
};

export function createSealedVault(deps: SealedVaultDeps): SealedVault {
  const { store, clock, known, given, keepMs = DAY_MS, afterCommit = (act) => act() } = deps;
  const key = typeof deps.key === 'function' ? deps.key : () => deps.key as Uint8Array;
  const registered = new Map<string, KnownSecret>();

  /** Hidden from now on; the former value is given up only when the change is stored. */
  function register(ref: SecretRef, value: string): KnownSecret {
    const secret = known.add(MARKER_NAMES[ref.kind](ref.name), value, { keepMs });
    afterCommit(() => {
      registered.get(slotOf(ref))?.retire();
      registered.set(slotOf(ref), secret);
    });
    return secret;
  }

  /** Over a restart too. */
  function keepOld(row: SealedRow): void {
    store.forgetRetired(clock.now());
    if (keepMs > 0) store.retire(row, clock.now() + keepMs);
  }

  const vault: SealedVault = {
    put(ref, value) {
      checkValue(ref, value);
      const now = clock.now();
      const old = store.get(ref.kind, ref.name);
      const id = old?.id ?? newId('sec', now);
      const { nonce, box } = seal(key(), { ...ref, id }, value);
      if (old !== undefined) keepOld(old);
      store.put({ ...ref, id, nonce, box, created_at: old?.created_at ?? now, updated_at: now });
      return { strong: register(ref, value).strong };
    },
    has: (ref) => store.get(ref.kind, ref.name) !== undefined,
    remove(ref) {
      const old = store.get(ref.kind, ref.name);
      if (old === undefined) return false;
      keepOld(old);
      afterCommit(() => {
        registered.get(slotOf(ref))?.retire();
        registered.delete(slotOf(ref));
      });
      return store.remove(ref.kind, ref.name);
    },
    list: () => store.list().map(infoOf),
    loadKnown() {
      const damaged: SealedInfo[] = [];
      for (const row of store.list()) {
        const info = infoOf(row);
        try {
          if (!Object.hasOwn(MARKER_NAMES, row.kind)) throw damage(row);
          register(info, open(key(), row));
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== DAMAGED) throw error;
          damaged.push(info);
        }
      }
      for (const row of store.retired()) hideRetired(row);
      return { damaged };
    },
    reseal(next) {
      const old = key();
      let left = 0;
      const again = <T extends RecordIdentity & Box>(row: T, put: (row: T) => void): void => {
        try {
          put({ ...row, ...seal(next, row, open(old, row)) });
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== DAMAGED) throw error;
          left += 1;
        }
      };
      const rows = store.list();
      for (const row of rows) again(row, (one) => store.put(one));
      for (const row of store.retired()) again(row, (one) => store.putRetired(one));
      return { resealed: rows.length, damaged: left };
    },
  };

  function hideRetired(row: RetiredRow): void {
    const left = row.until - clock.now();
    if (left <= 0 || !Object.hasOwn(MARKER_NAMES, row.kind)) return;
    for (const value of opened(row)) {
      known.add(MARKER_NAMES[row.kind as SecretKind](row.name), value, { keepMs: left }).retire();
    }
  }

  /** What can't be opened is left out: nothing tells what would have to be looked for. */
  function opened(row: RetiredRow): readonly string[] {
    try {
      return [open(key(), row)];
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== DAMAGED) throw error;
      return [];
    }
  }

  lendOpener(vault, {
    value(ref) {
      const forScripts = ref.kind === 'script' ? given : undefined;
      const first = forScripts?.first(ref.name);
      if (first !== undefined) return first;
      const row = store.get(ref.kind, ref.name);
      return row === undefined ? forScripts?.last(ref.name) : open(key(), row);
    },
    former: (ref) =>
      store
        .retired()
        .filter((row) => row.kind === ref.kind && row.name === ref.name && row.until > clock.now())
        .toReversed()
        .slice(0, MOST_FORMER)
        .flatMap(opened),
  });
  return Object.freeze(vault);
}

function infoOf(row: SealedRow): SealedInfo {
  return {
    kind: row.kind as SecretKind,
    name: row.name,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function slotOf(ref: SecretRef): string {
  return `${ref.kind}/${ref.name}`;
}

/** Errors: input `secret_name_invalid`, `secret_empty`, `secret_not_text`, `secret_too_long`, `secret_too_short`. */
export function checkValue(ref: SecretRef, value: string): void {
  const refuse = (code: string, message: string): AppError =>
    new AppError({ family: 'input', code, message });
  if (!NAME.test(ref.name)) {
    throw refuse(
      'secret_name_invalid',
      'The name of a secret has 1 to 64 letters, digits, "_", "." or "-" and starts with a letter or digit.',
    );
  }
  if (ref.kind === 'script' && !SCRIPT_NAME.test(ref.name)) {
    throw refuse(
      'secret_name_invalid',
      'The name of a secret for scripts has 1 to 64 of A-Z, 0-9 and "_" and starts with a letter.',
    );
  }
  if (value.trim() === '') throw refuse('secret_empty', `The value of ${ref.name} is empty.`);
  if (!value.isWellFormed()) {
    throw refuse('secret_not_text', `The value of ${ref.name} is not well-formed Unicode text.`);
  }
  const most = ref.kind === 'script' ? SCRIPT_MAX_BYTES : MAX_VALUE_BYTES;
  if (Buffer.byteLength(value) > most) {
    throw refuse('secret_too_long', `The value of ${ref.name} is longer than ${most} bytes.`);
  }
  if (ref.kind === 'script' && Buffer.byteLength(value.trim()) < SCRIPT_MIN_BYTES) {
    throw refuse('secret_too_short', `The value of ${ref.name} has fewer than ${SCRIPT_MIN_BYTES} bytes.`);
  }
  if (ref.kind === 'script' && CONTROL.test(value)) {
    throw refuse(
      'secret_not_text',
      `The value of ${ref.name} holds a control character that is no line break or tab.`,
    );
  }
}

type RecordIdentity = Pick<SealedRow, 'id' | 'kind' | 'name'>;
type Box = Pick<SealedRow, 'nonce' | 'box'>;

function boundTo(record: RecordIdentity): Buffer {
  return Buffer.from(canonicalJson([FORMAT, record.id, record.kind, record.name]));
}

function seal(key: Uint8Array, record: RecordIdentity, value: string): { nonce: Buffer; box: Buffer } {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(record));
  const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return { nonce, box: Buffer.concat([Buffer.of(FORMAT), text, cipher.getAuthTag()]) };
}

function open(key: Uint8Array, row: RecordIdentity & Box): string {
  const { nonce, box } = row;
  if (nonce.length !== NONCE_BYTES || box.length < 1 + TAG_BYTES || box[0] !== FORMAT) throw damage(row);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(row));
  decipher.setAuthTag(box.subarray(box.length - TAG_BYTES));
  try {
    const text = decipher.update(box.subarray(1, box.length - TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    // Node's own error says only that authentication failed; ours names the record.
    throw damage(row);
  }
}

function damage(row: RecordIdentity): AppError {
  return new AppError({
    family: 'config',
    code: DAMAGED,
    message: `The sealed ${row.kind} "${row.name}" (record ${row.id}) can't be opened: it was changed, or sealed with another master key.`,
    fix: 'Enter the value again, or restore the database together with its master key from one backup.',
  });
}
