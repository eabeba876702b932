import { AppError } from '../core/index.ts';
import type { LoadedConfig } from '../config/index.ts';
import type { RekeyRequest, RekeyAnswer } from '../edge/cli/ports.ts';
import { requireGoodPassphrase, rekey, sealKey } from '../guard/secrets/index.ts';
import { keyText, newMasterKey, readKeyText } from '../guard/secrets/master-key.ts';
import { createPrivateFile } from '../host/files/index.ts';
import { openFoundation, type Foundation } from './foundation.ts';
import type { Parts } from './parts.ts';

const OPERATOR = { kind: 'operator' } as const;

/** Seals everything under a new key, in a workspace in which nothing runs (the instance lock is taken). */
export async function rekeyWorkspace(
  loaded: LoadedConfig,
  parts: Parts,
  request: RekeyRequest,
): Promise<RekeyAnswer> {
  if (request.newPassphrase !== undefined) requireGoodPassphrase(request.newPassphrase);
  const base = openFoundation(loaded, parts);
  try {
    if (base.seal.sealed()) {
      await base.seal.unlock(request.passphrase ?? '', { principal: OPERATOR, origin: 'cli' });
    }
    const next = await newKey(base, request);
    const counts = rekey({ ...base, by: OPERATOR }, next);
    return { ...counts, protection: next.protection };
  } finally {
    base.close();
  }
}

async function newKey(base: Foundation, { to, newPassphrase, newKeyFile }: RekeyRequest) {
  const outside = base.seal.protection === 'external';
  if (outside !== (newKeyFile !== undefined)) {
    throw new AppError({
      family: 'input',
      code: 'rekey_key_file',
      message: outside
        ? 'The master key of this workspace comes from outside (OPENPACT_MASTER_KEY_FILE), so the new one must too.'
        : 'The master key of this workspace stands in secure/data/master_key.',
      fix: outside
        ? 'Make one (openssl rand -base64 32 > FILE; chmod 600 FILE) and name it with --new-key-file FILE.'
        : 'Leave --new-key-file out.',
    });
  }
  if (newKeyFile !== undefined) {
    const text = createPrivateFile(newKeyFile).read();
    if (text === undefined) {
      throw new AppError({
        family: 'input',
        code: 'rekey_key_file',
        message: `There is no file ${newKeyFile}.`,
      });
    }
    return { master: readKeyText(text, newKeyFile), protection: 'external' } as const;
  }
  const master = newMasterKey();
  base.known.addBytes('NEW_MASTER_KEY', master);
  const files = base.keyFiles;
  if (to !== 'passphrase') {
    return { master, protection: 'key_file', stored: { text: keyText(master), files } } as const;
  }
  const text = await sealKey(master, newPassphrase ?? '');
  return { master, protection: 'passphrase', stored: { text, files } } as const;
}
