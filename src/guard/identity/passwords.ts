// Guarantees: passwords are hashed as argon2id (RFC 9106) with a salt of their own; a bcrypt hash that was imported is only
// checked, and to be replaced; an unknown user costs the same work as a known one; at most `parallel` hashes run at once
// and `waiting` wait, so that a flood can't take the machine.
// Does not: limit who may try (login.ts does).
// An attacker may control: the password, how many ask at once.
import { argon2, randomBytes, timingSafeEqual, type Argon2Parameters } from 'node:crypto';
import { AppError } from '../../core/index.ts';
import { bcryptMatches, isBcrypt } from './bcrypt-hash.ts';

export interface Argon2Cost {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

export interface PasswordHasherOptions {
  readonly cost?: Argon2Cost | undefined;
  /** Hashes at once. Default 2. */
  readonly parallel?: number | undefined;
  /** Hashes that may wait for their turn. Default 32. */
  readonly waiting?: number | undefined;
}

export interface PasswordHasher {
  /** A PHC string. Error: `busy` (limit). */
  hash(password: string): Promise<string>;
  /**
   * Without a hash (no such user) it works as long and says no. `rehash`: the hash is to be replaced, because it was made
   * with another cost or is one of bcrypt. `imported`: a bcrypt hash of whatever account, while there is one; it is worked
   * on too, so that its account is not told by the time.
   * Error: `busy` (limit).
   */
  verify(
    password: string,
    stored: string | undefined,
    imported?: string,
  ): Promise<{ readonly ok: boolean; readonly rehash: boolean }>;
}

/** 64 MiB and three passes: the second choice of RFC 9106 §4 with one lane, about 270 ms here. */
export const DEFAULT_COST: Argon2Cost = { memory: 65_536, passes: 3, parallelism: 1 };
const SALT_BYTES = 16;
const TAG_BYTES = 32;

export function createPasswordHasher(options: PasswordHasherOptions = {}): PasswordHasher {
  const { cost = DEFAULT_COST, parallel = 2, waiting = 32 } = options;
  const queue: (() => void)[] = [];
  let running = 0;

  async function slot<T>(work: () => Promise<T>): Promise<T> {
    if (running >= parallel) {
      if (queue.length >= waiting) {
        throw new AppError({
          family: 'limit',
          code: 'busy',
          message: 'Too many passwords are being checked at once.',
          fix: 'Try again in a few seconds.',
          details: { retry_after_s: 5 },
        });
      }
      // The one that ends hands its place over, so that nobody slips in between.
      await new Promise<void>((resolve) => queue.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running -= 1;
    }
  }

  // No password gives this tag: it is random.
  const nobody: Phc = { cost, salt: randomBytes(SALT_BYTES), tag: randomBytes(TAG_BYTES) };

  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES);
      const tag = await slot(() => derive(password, salt, cost, TAG_BYTES));
      return phcText({ cost, salt, tag });
    },
    async verify(password, stored, imported) {
      const bcrypt = stored !== undefined && isBcrypt(stored) ? stored : undefined;
      const known = stored === undefined || bcrypt !== undefined ? undefined : parsePhc(stored);
      const against = known ?? nobody;
      const besides = bcrypt ?? imported;
      const { tag, matches } = await slot(async () => ({
        tag: await derive(password, against.salt, against.cost, against.tag.length),
        matches: besides !== undefined && (await bcryptMatches(password, besides)),
      }));
      const same = timingSafeEqual(tag, against.tag);
      if (bcrypt !== undefined) return { ok: matches, rehash: true };
      return {
        ok: same && known !== undefined,
        rehash: known !== undefined && !sameCost(known.cost, cost),
      };
    },
  };
}

interface Phc {
  readonly cost: Argon2Cost;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

function derive(password: string, salt: Uint8Array, cost: Argon2Cost, tagLength: number): Promise<Buffer> {
  const parameters: Argon2Parameters = {
    message: password,
    nonce: salt,
    parallelism: cost.parallelism,
    tagLength,
    memory: cost.memory,
    passes: cost.passes,
  };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, tag) => {
      if (error) reject(error);
      else resolve(tag);
    });
  });
}

function phcText({ cost, salt, tag }: Phc): string {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replaceAll('=', '');
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${text(salt)}$${text(tag)}`;
}

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

function parsePhc(text: string): Phc {
  const match = PHC.exec(text);
  if (!match) {
    throw new AppError({
      family: 'config',
      code: 'password_hash_unreadable',
      message: 'The stored password hash of this account can not be read.',
      fix: 'Set a new password: openpact user reset-password.',
    });
  }
  const [, memory, passes, parallelism, salt = '', tag = ''] = match;
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

function sameCost(left: Argon2Cost, right: Argon2Cost): boolean {
  return (
    left.memory === right.memory && left.passes === right.passes && left.parallelism === right.parallelism
  );
}
