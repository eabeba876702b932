// Guarantees: a master key under a passphrase opens only with that passphrase: argon2id (RFC 9106) makes the key of an
// AES-256-GCM box, and everything that stands in the file is bound to it. A wrong passphrase and a damaged box take the
// same time and give the same answer.
// Does not: limit who may try (`seal.ts` does), nor help against a passphrase that is easily guessed and a stolen file.
// An attacker may control: the passphrase; an operator may restore a damaged file.
import { argon2, createCipheriv, createDecipheriv, randomBytes, type Argon2Parameters } from 'node:crypto';
import { z } from 'zod';
import { AppError, canonicalJson } from '../../core/index.ts';
import { guessBits } from './strength.ts';

export interface PassphraseCost {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
}

/** 128 MiB and three passes: more than a login costs, because who has the file can try at home. */
const DEFAULT_COST: PassphraseCost = { memory: 131_072, passes: 3 };
const FORMAT = 'openpact-passphrase-key/1';
const NONCE_BYTES = 12;
const SALT_BYTES = 16;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const LEAST_CHARS = 12;
const MOST_CHARS = 1024;
const LEAST_BITS = 28;

const base64 = (bytes: number) =>
  z.base64().refine((text) => Buffer.from(text, 'base64').length === bytes, `is not ${bytes} bytes`);

/** What stands in `master_key` instead of the key. The bounds keep a damaged file from taking the machine. */
const boxSchema = z.strictObject({
  format: z.literal(FORMAT),
  kdf: z.literal('argon2id'),
  memory: z.int().min(8).max(1_048_576),
  passes: z.int().min(1).max(20),
  salt: base64(SALT_BYTES),
  nonce: base64(NONCE_BYTES),
  box: base64(KEY_BYTES + TAG_BYTES),
});

export type PassphraseBox = z.infer<typeof boxSchema>;

/** Undefined for a text that is a plain key. Error: config `master_key_damaged`. */
export function parsePassphraseBox(text: string): PassphraseBox | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return boxSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new AppError({
      family: 'config',
      code: 'master_key_damaged',
      message: 'The master key in secure/data/master_key is under a passphrase, but the file is damaged.',
      fix: 'Restore it from a backup. Nothing was changed.',
      cause: error,
    });
  }
}

/** Errors: input `passphrase_weak`. */
export function requireGoodPassphrase(passphrase: string): void {
  const length = Array.from(passphrase).length;
  const plain = passphrase.isWellFormed() && length >= LEAST_CHARS && length <= MOST_CHARS;
  if (plain && guessBits(passphrase) >= LEAST_BITS) return;
  throw new AppError({
    family: 'input',
    code: 'passphrase_weak',
    message: `A passphrase has ${LEAST_CHARS} to ${MOST_CHARS} characters and is not easily guessed.`,
    fix: 'Take five or more words that do not belong together.',
  });
}

/** The text for the file. */
export async function sealKey(
  master: Uint8Array,
  passphrase: string,
  { memory, passes }: PassphraseCost = DEFAULT_COST,
): Promise<string> {
  const nonce = randomBytes(NONCE_BYTES);
  const header = {
    format: FORMAT,
    kdf: 'argon2id',
    memory,
    passes,
    salt: randomBytes(SALT_BYTES).toString('base64'),
    nonce: nonce.toString('base64'),
  } as const;
  const cipher = createCipheriv('aes-256-gcm', await stretch(passphrase, header), nonce);
  cipher.setAAD(Buffer.from(canonicalJson(header)));
  const box = Buffer.concat([cipher.update(master), cipher.final(), cipher.getAuthTag()]);
  return `${JSON.stringify({ ...header, box: box.toString('base64') })}\n`;
}

/** The master key, or undefined when the passphrase is another one. */
export async function openKey(box: PassphraseBox, passphrase: string): Promise<Uint8Array | undefined> {
  const { box: sealed, ...header } = box;
  const key = await stretch(passphrase, header);
  const bytes = Buffer.from(sealed, 'base64');
  const nonce = Buffer.from(header.nonce, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(canonicalJson(header)));
  decipher.setAuthTag(bytes.subarray(KEY_BYTES));
  try {
    return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(0, KEY_BYTES)), decipher.final()]));
  } catch {
    // Node says only that authentication failed, which is all that there is to say.
    return undefined;
  }
}

function stretch(passphrase: string, header: Omit<PassphraseBox, 'box'>): Promise<Buffer> {
  const parameters: Argon2Parameters = {
    // One text can be typed in two ways that look the same.
    message: passphrase.normalize('NFC'),
    nonce: Buffer.from(header.salt, 'base64'),
    parallelism: 1,
    tagLength: KEY_BYTES,
    memory: header.memory,
    passes: header.passes,
  };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}
