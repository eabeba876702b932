// Guarantees: says, before anything is changed, what an import would do with each thing that it found, and why not. What is
// there already wins. Nothing is planned that the stores would refuse. No note holds a value of a secret or a hash.
// Does not: change anything (`apply.ts`).
// An attacker may control: all of the original's data.
import { AppError } from '../../core/index.ts';
import { bcryptCost, HIGHEST_COST, requireUsername } from '../identity/index.ts';
import { keptKind } from '../kept-files/kept-path.ts';
import { hashOf, scriptName } from '../scripts/script-name.ts';
import { checkSource } from '../scripts/check-source.ts';
import type { Analyse } from '../scripts/ports.ts';
import { checkValue } from '../secrets/sealed-vault.ts';
import { isStrong, needsConfirmation } from '../secrets/strength.ts';
import type { OriginalApproval, OriginalSchedule, OriginalUser } from './original-shapes.ts';
import { cut, type Original } from './read-original.ts';

export interface ImportItem {
  readonly kind: 'user' | 'secret' | 'script' | 'schedule' | 'file';
  readonly name: string;
  /** `new`: it is imported. `present`: there is one already, which stays. */
  readonly state: 'new' | 'present' | 'left_out';
  readonly note: string;
}

export interface ImportPlan {
  readonly owner:
    | { readonly username: string; readonly hash: string; readonly createdAt: number }
    | undefined;
  readonly secrets: readonly { readonly name: string; readonly value: string; readonly weak: boolean }[];
  readonly scripts: readonly { readonly name: string; readonly source: string; readonly message: string }[];
  readonly schedules: readonly OriginalSchedule[];
  /** With their path in `ai-data`. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly items: readonly ImportItem[];
}

/** What the workspace holds. */
export interface Present {
  /** Name of the account, if there is one. */
  owner(): string | undefined;
  secret(name: string): 'environment' | 'vault' | 'config' | undefined;
  /** Hash of the newest version. */
  script(name: string): string | undefined;
  /** Hash of the file in the folder of scripts; `other` for what is there and can't be read. */
  scriptFile(name: string): string | undefined;
  schedule(id: string): boolean;
  /** A file in `ai-data`: `untouched` is one that only OpenPact's own seed has written. */
  file(path: string): 'untouched' | 'there' | undefined;
}

export interface PlanOptions {
  /** Who of several becomes the owner. */
  readonly user?: string | undefined;
  readonly acceptWeak: boolean;
  readonly now: number;
}

/** Errors: input `user_needed`, `user_not_found`. */
export function planImport(
  original: Original,
  present: Present,
  analyse: Analyse,
  options: PlanOptions,
): ImportPlan {
  const items: ImportItem[] = [];
  const owner = planOwner(original.users, present, options, items);
  const secrets = planSecrets(original, present, options, items);
  const scripts = planScripts(original, present, analyse, items);
  const schedules = original.schedules.filter(({ id, name, type }) => {
    const known = present.schedule(id);
    items.push({
      kind: 'schedule',
      name: cut(name),
      state: known ? 'present' : 'new',
      note: known ? 'kept already' : `kept as data (${type}); nothing runs it in this version`,
    });
    return !known;
  });
  const files = planFiles(original, present, items);
  return { owner, secrets, scripts, schedules, files, items };
}

function planFiles({ context }: Original, present: Present, items: ImportItem[]): ImportPlan['files'] {
  return context.flatMap(({ file: path, text, why }) => {
    const tell = (state: ImportItem['state'], note: string): void =>
      void items.push({ kind: 'file', name: path, state, note });
    if (text === undefined || keptKind(path) === undefined) {
      tell('left_out', text === undefined ? `the file ${why}` : 'it is no name of a note');
      return [];
    }
    if (present.file(path) === 'there') {
      tell('present', 'there is one in ai-data, which stays');
      return [];
    }
    tell('new', 'is copied to ai-data');
    return [{ path, text }];
  });
}

function planOwner(
  users: readonly OriginalUser[],
  present: Present,
  options: PlanOptions,
  items: ImportItem[],
): ImportPlan['owner'] {
  const tell = (name: string, state: ImportItem['state'], note: string): void =>
    void items.push({ kind: 'user', name: cut(name), state, note });
  const there = present.owner();
  if (there !== undefined) {
    for (const { username } of users) {
      const same = username.toLowerCase() === there.toLowerCase();
      tell(
        username,
        same ? 'present' : 'left_out',
        same ? 'the account is there; its password stays' : 'this workspace has its account already',
      );
    }
    return undefined;
  }
  const chosen = chooseUser(users, options.user);
  for (const user of users) {
    if (user !== chosen) tell(user.username, 'left_out', 'OpenPact has one account; another one was chosen');
  }
  if (chosen === undefined) return undefined;
  const { username, password_hash: hash, created_at } = chosen;
  try {
    requireUsername(username);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    tell(username, 'left_out', `${lower(error.message)} Make the account on the page.`);
    return undefined;
  }
  if (bcryptCost(hash) === undefined) {
    tell(
      username,
      'left_out',
      `its password hash is none of bcrypt with a cost of at most ${HIGHEST_COST}. Make the account on the page.`,
    );
    return undefined;
  }
  tell(username, 'new', 'becomes the owner, with the password of the original');
  return { username, hash, createdAt: timeOf(created_at, options.now) ?? options.now };
}

function chooseUser(users: readonly OriginalUser[], wanted: string | undefined): OriginalUser | undefined {
  const names = users.map(({ username }) => cut(username)).join(', ');
  if (wanted === undefined) {
    if (users.length <= 1) return users[0];
    throw new AppError({
      family: 'input',
      code: 'user_needed',
      message: `The original has ${users.length} users, and OpenPact has one account; nothing was changed.`,
      fix: `Say who becomes the owner with --user: ${names}.`,
    });
  }
  const found = users.find(({ username }) => username === wanted);
  if (found !== undefined) return found;
  throw new AppError({
    family: 'input',
    code: 'user_not_found',
    message: `The original has no user "${wanted}"; nothing was changed.`,
    fix: users.length === 0 ? 'Leave --user out.' : `It has: ${names}.`,
  });
}

function planSecrets(
  { secrets }: Original,
  present: Present,
  { acceptWeak }: PlanOptions,
  items: ImportItem[],
): ImportPlan['secrets'] {
  return secrets.flatMap(([name, { value: text }]) => {
    const tell = (state: ImportItem['state'], note: string): void =>
      void items.push({ kind: 'secret', name: cut(name), state, note });
    const there = present.secret(name);
    if (there !== undefined) {
      tell('present', `${WHERE[there]}; that one stays`);
      return [];
    }
    const value = text.trim();
    try {
      checkValue({ kind: 'script', name }, value);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      tell('left_out', lower(error.message));
      return [];
    }
    if (name.includes(value)) {
      tell('left_out', 'its name holds its value; give it another name');
      return [];
    }
    const weak = needsConfirmation(value);
    if (weak && !acceptWeak) {
      tell('left_out', 'its value is short, or a word that everybody tries; --accept-weak imports it');
      return [];
    }
    const trimmed = value === text ? [] : ['without the white space around it'];
    const unmatched = isStrong(value) ? [] : ['easily guessed, so it is not looked for in texts'];
    tell('new', [...trimmed, ...unmatched].join('; '));
    return [{ name, value, weak }];
  });
}

const WHERE = {
  environment: 'comes from the environment',
  vault: 'is in the vault',
  config: 'comes from the configuration',
} as const;

function planScripts(
  { scripts, approvals }: Original,
  present: Present,
  analyse: Analyse,
  items: ImportItem[],
): ImportPlan['scripts'] {
  return scripts.flatMap(({ file, text: source, why }) => {
    const name = scriptName(file);
    const tell = (state: ImportItem['state'], note: string): void =>
      void items.push({ kind: 'script', name: cut(name ?? file), state, note });
    if (name === undefined) {
      tell('left_out', 'a name of a script has 1 to 64 letters, digits, "_" and "-"');
      return [];
    }
    if (source === undefined) {
      tell('left_out', `the file ${why}`);
      return [];
    }
    try {
      checkSource({ source, mustParse: false }, analyse);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      tell('left_out', lower(error.message));
      return [];
    }
    const hash = hashOf(source);
    const [newest, onDisk] = [present.script(name), present.scriptFile(name)];
    if (newest !== undefined) {
      tell('present', newest === hash ? 'the same text is there' : 'another text is there, which stays');
      return [];
    }
    if (onDisk !== undefined && onDisk !== hash) {
      tell('present', 'another file of this name lies in ai-data/scripts, which stays');
      return [];
    }
    const past = pastOf(approvals.get(file), hash);
    const [problem] = analyse(source).problems;
    const broken = problem === undefined ? '' : `; it does not parse (line ${problem.line})`;
    tell('new', `waits for your approval; ${past}${broken}`);
    return [{ name, source, message: `Imported; ${past}.` }];
  });
}

/** What the original had decided, in words. It counts for nothing here. */
function pastOf(approval: OriginalApproval | undefined, hash: string): string {
  if (approval === undefined) return 'the original had no decision on it';
  const decided = (by: string | null | undefined, at: string | null | undefined): string =>
    `${dayText(at)}${nameText(by)}`;
  const text = approval.hash === hash ? 'this text' : 'another text';
  switch (approval.status) {
    case 'approved':
      return `the original had approved ${text}${decided(approval.approved_by, approval.approved_at)}${text === 'this text' ? '' : digestText(approval.hash)}`;
    case 'rejected':
      return `the original had rejected it${decided(approval.rejected_by, approval.rejected_at)}`;
    default:
      return 'the original had not decided on it';
  }
}

function dayText(at: string | null | undefined): string {
  const ms = timeOf(at, Number.POSITIVE_INFINITY);
  return ms === undefined ? '' : ` on ${new Date(ms).toISOString().slice(0, 10)}`;
}

function nameText(by: string | null | undefined): string {
  try {
    return by === undefined || by === null ? '' : ` (by ${requireUsername(by)})`;
  } catch {
    // A name that could be none is not repeated.
    return '';
  }
}

function digestText(hash: string): string {
  return /^sha256:[0-9a-f]{64}$/.test(hash) ? `, ${hash.slice(0, 19)}…` : '';
}

/** Milliseconds; undefined for what is no time since 2000 and before `latest`. Go writes the year 1 for none. */
function timeOf(text: string | null | undefined, latest: number): number | undefined {
  const ms = Date.parse(text ?? '');
  return ms >= Date.UTC(2000) && ms <= Math.min(latest, Date.UTC(2100)) ? ms : undefined;
}

function lower(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1).replace(/\.$/, '')}`;
}
