// Guarantees: of the key that is in force and the one that a rekey prepared, the one that the database was last
// committed with is taken; neither file is replaced or removed before it is known which one that is.
// Does not: make keys (`master-key.ts` does, on a first start).
// An attacker may control: nothing here; a crash may have left both files in any step of a rekey.
import { fitsMasterKey, readKeyText, wrongMasterKey, type KeyCheckSettings } from './master-key.ts';
import { openKey, parsePassphraseBox, type PassphraseBox } from './passphrase.ts';

/** The part of a private file that is needed here. */
export interface KeyFile {
  read(): string | undefined;
  replace(text: string): void;
  remove(): boolean;
}

export interface KeyFiles {
  /** `secure/data/master_key`. */
  readonly current: KeyFile;
  /** `secure/data/master_key.next`: only between the two phases of a rekey. */
  readonly next: KeyFile;
}

export interface SealedKeys {
  /** The key that belongs to this database, or undefined when the passphrase opens none. Error: `master_key_wrong`. */
  open(passphrase: string): Promise<Uint8Array | undefined>;
}

/** Undefined: there is nothing to decide, `current` holds a key or is missing. */
export function sealedKeys(files: KeyFiles, settings: KeyCheckSettings): SealedKeys | undefined {
  const [current, next] = [files.current.read(), files.next.read()];
  const candidates = [current, next].filter((text) => text !== undefined);
  const boxes: { readonly text: string; readonly box: PassphraseBox }[] = [];
  for (const text of candidates) {
    const box = parsePassphraseBox(text);
    if (box !== undefined) {
      boxes.push({ text, box });
    } else if (fitsMasterKey(readKeyText(text), settings)) {
      settle(files, text);
      return undefined;
    }
  }
  if (boxes.length === 0) {
    // No key fits: the check that follows says so. What a rekey left stays for the operator to look at.
    return undefined;
  }
  return {
    async open(passphrase) {
      let opened = 0;
      for (const { text, box } of boxes) {
        const master = await openKey(box, passphrase);
        if (master === undefined) continue;
        opened += 1;
        if (!fitsMasterKey(master, settings)) continue;
        settle(files, text);
        return master;
      }
      // Where another box stayed shut, it may be the right one under another passphrase.
      if (opened === boxes.length) throw wrongMasterKey();
      return undefined;
    },
  };
}

/** Makes the file of the key that counts the only one. May be cut off and done again. */
export function settle({ current, next }: KeyFiles, text: string): void {
  if (current.read() !== text) current.replace(text);
  if (next.read() !== undefined) next.remove();
}
