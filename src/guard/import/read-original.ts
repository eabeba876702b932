// Guarantees: everything that is imported was read whole and checked before anything is changed; one broken JSON file
// refuses the import, with every problem by file and line or field. No problem quotes a value of a file. Scripts and texts
// that can't be read come along without their text, with the reason.
// Does not: say what of it is imported (`plan.ts`).
// An attacker may control: every name and byte in the folder.
import type { z } from 'zod';
import { AppError } from '../../core/index.ts';
import { jsonErrorOffset, lineOf } from './json-error.ts';
import {
  ORIGINAL_FILES,
  type OriginalApprovals,
  type OriginalSchedule,
  type OriginalSecret,
  type OriginalUser,
} from './original-shapes.ts';
import type { OriginalEntry, OriginalFolder } from './original-folder.ts';
import { readTexts, type OriginalText } from './read-texts.ts';

/** What the folder holds, checked. */
export interface Original {
  readonly path: string;
  /** The folder with the JSON files, from `path` on: empty where it is `path` itself. */
  readonly data: 'secure/data/' | '';
  readonly users: readonly OriginalUser[];
  readonly secrets: readonly OriginalSecret[];
  readonly approvals: OriginalApprovals;
  readonly schedules: readonly OriginalSchedule[];
  /** Of `ai-data/scripts`. */
  readonly scripts: readonly OriginalText[];
  /** SOUL.md, USER.md, MEMORY.md and `memory/NAME.md`, with their path in `ai-data`. */
  readonly context: readonly OriginalText[];
  /** Every name in the data folder, and those of `secure/` and `ai-data/` with their folder. */
  readonly names: ReadonlySet<string>;
}

export interface OriginalProblem {
  readonly file: string;
  /** `line 3`, a field such as `[2].username`, or empty. */
  readonly where: string;
  readonly message: string;
}

const MIB = 1024 * 1024;
const MOST_NAMES = 2000;
const SCRIPTS = { ending: '.star', each: 256 * 1024, most: 32 * MIB };
const NOTES = { ending: '.md', each: MIB, most: 64 * MIB };
const CONTEXT = ['SOUL.md', 'USER.md', 'MEMORY.md'];
const MOST_PROBLEMS = 50;

/** Errors: input `not_an_original`, `import_unreadable` with `problems`. */
export function readOriginal(folder: OriginalFolder): Original {
  const data = dataFolder(folder);
  const problems: OriginalProblem[] = [];
  const read = <T>({ file, shape, mostBytes }: FileShape<T>, nothing: T): T => {
    const path = `${data}${file}`;
    const found = folder.read(path, mostBytes);
    if (found.kind === 'missing') return nothing;
    if (found.kind === 'refused') {
      problems.push({ file: path, where: '', message: found.why });
      return nothing;
    }
    const checked = checkedJson(path, found.text, shape);
    problems.push(...checked.problems);
    return checked.value ?? nothing;
  };
  const names = new Set<string>();
  const listed = (path: string, prefix: string): readonly OriginalEntry[] => {
    const found = folder.list(path, MOST_NAMES);
    if (found.kind === 'missing') return [];
    if (found.kind === 'refused') {
      problems.push({ file: path, where: '', message: found.why });
      return [];
    }
    if (found.entries.length > MOST_NAMES) {
      problems.push({ file: path, where: '', message: `holds more than ${MOST_NAMES} files` });
      return [];
    }
    for (const { name } of found.entries) names.add(`${prefix}${name}`);
    return found.entries;
  };

  listed(data === '' ? '.' : 'secure/data', '');
  let scripts: readonly OriginalText[] = [];
  let context: readonly OriginalText[] = [];
  if (data !== '') {
    listed('secure', 'secure/');
    const top = listed('ai-data', 'ai-data/');
    const textsIn = (path: string, limits: typeof SCRIPTS): readonly OriginalText[] =>
      readTexts(folder, path, listed(path, `${path}/`), limits, () =>
        problems.push({ file: path, where: '', message: `holds more than ${limits.most / MIB} MiB` }),
      );
    scripts = textsIn('ai-data/scripts', SCRIPTS);
    const fixed = top.filter(({ name }) => CONTEXT.includes(name));
    context = [
      ...readTexts(folder, 'ai-data', fixed, NOTES, () => undefined),
      ...textsIn('ai-data/memory', NOTES).map((one) => ({ ...one, file: `memory/${one.file}` })),
    ];
  }
  const original: Original = {
    path: folder.path,
    data,
    users: read(ORIGINAL_FILES.users, []),
    secrets: read(ORIGINAL_FILES.secrets, []),
    approvals: read(ORIGINAL_FILES.approvals, new Map()),
    schedules: read(ORIGINAL_FILES.schedules, []),
    scripts,
    context,
    names,
  };
  if (problems.length > 0) throw unreadable(folder.path, problems);
  const wrote = Object.values(ORIGINAL_FILES).some(({ file }) => names.has(file));
  if (!wrote && (scripts.length === 0 || names.has('openpact.db'))) throw notAnOriginal(folder.path);
  return original;
}

interface FileShape<T> {
  readonly file: string;
  readonly shape: z.ZodType<T>;
  readonly mostBytes: number;
}

function dataFolder(folder: OriginalFolder): Original['data'] {
  const inside = folder.list('secure/data', MOST_NAMES);
  if (inside.kind === 'entries') return 'secure/data/';
  if (inside.kind === 'refused') {
    throw unreadable(folder.path, [{ file: 'secure/data', where: '', message: inside.why }]);
  }
  const here = folder.list('.', MOST_NAMES);
  const files: readonly string[] = Object.values(ORIGINAL_FILES).map(({ file }) => file);
  if (here.kind === 'entries' && here.entries.some(({ name }) => files.includes(name))) return '';
  throw notAnOriginal(folder.path);
}

function checkedJson<T>(
  file: string,
  text: string,
  shape: z.ZodType<T>,
): { readonly value?: T; readonly problems: readonly OriginalProblem[] } {
  const bare = text.replace(/^\ufeff/, '');
  const offset = jsonErrorOffset(bare);
  if (offset !== undefined) {
    const message = bare.trim() === '' ? 'is empty' : 'is no valid JSON from here on';
    return { problems: [{ file, where: `line ${lineOf(bare, offset)}`, message }] };
  }
  // An own property of that name would be passed over by whoever copies the object.
  let poisoned = false;
  const json: unknown = JSON.parse(bare, (key, value: unknown) => {
    if (key === '__proto__') poisoned = true;
    return value;
  });
  if (poisoned) return { problems: [{ file, where: '__proto__', message: 'is no name that can be used' }] };
  const checked = shape.safeParse(json);
  if (checked.success) return { value: checked.data, problems: [] };
  return {
    problems: checked.error.issues.map((issue) => ({
      file,
      where: fieldText(issue.path),
      message: issue.message,
    })),
  };
}

/** `[2].username`; names come from the file, so they are cut. */
function fieldText(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${cut(String(step))}`))
    .join('')
    .replace(/^\./, '');
}

/** A name of a file of somebody else's, for one line of words. */
export function cut(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?');
  return line.length > 64 ? `${line.slice(0, 64)}…` : line;
}

function unreadable(path: string, problems: readonly OriginalProblem[]): AppError {
  const shown = problems.slice(0, MOST_PROBLEMS);
  const more = problems.length - shown.length;
  return new AppError({
    family: 'input',
    code: 'import_unreadable',
    message: [
      `What lies in ${path} can't be imported as it is; nothing was changed:`,
      ...shown.map(({ file, where, message }) => `  ${file}${where === '' ? '' : `, ${where}`}: ${message}`),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ].join('\n'),
    fix: [
      'Put the named places right, or move those files out of the folder, then run it again: what is there is imported, the rest is not.',
      ...(problems.some(({ message }) => message.startsWith("can't be read"))
        ? ["What can't be read: give the folder to that user, with chown -R."]
        : []),
    ].join('\n'),
    details: { problems: shown },
  });
}

function notAnOriginal(path: string): AppError {
  return new AppError({
    family: 'input',
    code: 'not_an_original',
    message: `There is nothing in ${path} that the original OpenPact wrote.`,
    fix: 'Name its workspace (the folder with secure/ and ai-data/), or the folder secure/data in it.',
  });
}
