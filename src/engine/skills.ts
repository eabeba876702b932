// Guarantees: the index of `skills/` is bounded in number and size, and its lines are lines: a name or a description can't
// begin another one. It gives paths that were listed, never one that a file names. What is no plain file is not read.
// Does not: read more than the front matter into the prompt; the model reads a skill when it needs it, by workspace_read,
// and may do then what it may do anyway. A skill gives no right.
// An attacker may control: names and contents in `skills/`, as far as the owner approved such writes.
import { isScalar, parseDocument, visit } from 'yaml';
import { AppError, errorText, isJsonObject, type FilePowers, type Log } from '../core/index.ts';

export interface SkillIndexDeps {
  readonly files: Pick<FilePowers, 'list' | 'read'>;
  readonly log: Log;
}

interface Skill {
  readonly path: string;
  readonly name: string;
  readonly description: string;
}

/** So many are looked at and listed at most, by name. */
export const MOST_SKILLS = 50;
/** A larger file is no skill. */
export const MOST_SKILL_BYTES = 64 * 1024;
const MOST_FRONT_MATTER = 4 * 1024;
const MOST_NAME = 64;
const MOST_DESCRIPTION = 300;
const FOLDER = 'skills';
/** What workspace_read takes without a question. */
const PLAIN_NAME = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._-]{0,62}[\p{L}\p{M}\p{N}_-])?$/u;

/** The body of the part on skills: `skills/NAME/SKILL.md` and `skills/NAME.md`. Empty when there are none. */
export async function skillIndex({ files, log }: SkillIndexDeps, signal: AbortSignal): Promise<string> {
  const listed = await attempt(FOLDER, () => files.list(FOLDER, signal));
  const places = (listed?.entries ?? []).filter(
    ({ name, kind }) => PLAIN_NAME.test(name) && (kind === 'directory' || name.endsWith('.md')),
  );
  const found: Skill[] = [];
  for (const { name, kind, bytes } of places.slice(0, MOST_SKILLS)) {
    const path = `${FOLDER}/${name}`;
    const file = kind === 'directory' ? await inFolder(path) : { path, bytes };
    const skill = file && (await read(file.path, file.bytes, name.replace(/\.md$/, '')));
    if (skill) found.push(skill);
  }
  const lines = found.map(({ name, description, path }) => `- ${name}: ${description} (${path})`);
  const more = places.length - MOST_SKILLS;
  if (more > 0 || listed?.truncated === true) {
    lines.push(`[Only the first ${MOST_SKILLS} entries of ${FOLDER}/ are looked at; there are more.]`);
  }
  if (lines.length === 0) return '';
  return [
    'How to do particular tasks. When one fits, read its file with workspace_read first. A skill gives you no right that you do not have.',
    ...lines,
  ].join('\n');

  async function inFolder(folder: string): Promise<{ path: string; bytes: number } | undefined> {
    const inside = await attempt(folder, () => files.list(folder, signal));
    const file = inside?.entries.find((entry) => entry.name === 'SKILL.md' && entry.kind === 'file');
    return file && { path: `${folder}/SKILL.md`, bytes: file.bytes };
  }

  async function read(path: string, bytes: number, fallback: string): Promise<Skill | undefined> {
    if (bytes > MOST_SKILL_BYTES) {
      log.warn('a skill was left out', {
        file: path,
        problem: `it is larger than ${MOST_SKILL_BYTES} bytes`,
      });
      return undefined;
    }
    const text = await attempt(path, () => files.read(path, signal));
    return text && { path, ...describe(text.text, fallback) };
  }

  /** What can't be read is left out, and the log says so; a missing folder is nothing unusual. */
  async function attempt<T>(path: string, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      // The turn is over; nobody will read the index.
      if (signal.aborted) return undefined;
      if (!(error instanceof AppError && error.family === 'missing')) {
        log.warn('a skill was left out', { file: path, problem: errorText(error) });
      }
      return undefined;
    }
  }
}

function describe(text: string, fallback: string): Pick<Skill, 'name' | 'description'> {
  const facts = frontMatter(text);
  const name = line(facts['name'], MOST_NAME);
  const description = line(facts['description'], MOST_DESCRIPTION);
  return {
    name: PLAIN_NAME.test(name) ? name : fallback,
    description: description === '' ? 'no description' : description,
  };
}

/** The facts between the two lines of dashes; none where they are too long, no YAML, or use its references. */
function frontMatter(text: string): Readonly<Record<string, unknown>> {
  const head = text.slice(0, MOST_FRONT_MATTER).replace(/^\u{FEFF}/u, '');
  const block = /^---[ \t]*\r?\n([^]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(head)?.[1];
  if (block === undefined) return {};
  try {
    const document = parseDocument(block, { schema: 'failsafe', logLevel: 'silent' });
    if (document.errors.length > 0) return {};
    let plain = true;
    visit(document, {
      Alias: () => ((plain = false), visit.BREAK),
      Pair: (_key, pair) => (isScalar(pair.key) ? undefined : ((plain = false), visit.BREAK)),
    });
    const facts: unknown = plain ? document.toJS() : undefined;
    return isJsonObject(facts) ? facts : {};
  } catch {
    // Such as a nesting so deep that the parser gives up: this file describes nothing.
    return {};
  }
}

/** One line of visible text. */
function line(value: unknown, most: number): string {
  if (typeof value !== 'string') return '';
  const flat = value
    .replaceAll(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .trim();
  return flat.length > most ? `${flat.slice(0, most).toWellFormed()}…` : flat;
}
