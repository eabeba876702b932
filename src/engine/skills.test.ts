import { expect, test } from 'vitest';
import { AppError, silentLog, type FileEntry, type Log } from '../core/index.ts';
import { MOST_SKILL_BYTES, MOST_SKILLS, skillIndex } from './skills.ts';

/** A workspace whose files are given by path; what the file child refuses is a text that starts with `!`. */
function index(files: Readonly<Record<string, string>>, log: Log = silentLog): Promise<string> {
  const read: string[] = [];
  return skillIndex(
    {
      log,
      files: {
        async list(folder) {
          const below = Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
          if (below.length === 0)
            throw new AppError({ family: 'missing', code: 'file_missing', message: folder });
          const names = [...new Set(below.map((path) => path.slice(folder.length + 1).split('/')[0] ?? ''))];
          const entries = names.sort().map((name): FileEntry => {
            const text = files[`${folder}/${name}`];
            return {
              name,
              kind: text === undefined ? 'directory' : 'file',
              bytes: text?.length ?? 0,
              modified: '',
            };
          });
          return { entries: entries.slice(0, 1000), truncated: entries.length > 1000 };
        },
        async read(path) {
          read.push(path);
          const text = files[path];
          if (text === undefined)
            throw new AppError({ family: 'missing', code: 'file_missing', message: path });
          if (text.startsWith('!'))
            throw new AppError({ family: 'forbidden', code: 'file_link', message: path });
          return { text, bytes: text.length };
        },
      },
    },
    new AbortController().signal,
  );
}

const lines = async (files: Readonly<Record<string, string>>): Promise<string[]> =>
  (await index(files)).split('\n').slice(1);

test('both forms are listed by path, with name and description of their front matter (X-06)', async () => {
  expect(
    await lines({
      'skills/weekly/SKILL.md':
        '---\nname: Weekly report\ndescription: How the report is made\n---\n# Long text',
      'skills/tax.md': '---\r\ndescription: "Taxes: how"\r\n---\r\nbody',
      'skills/plain.md': 'no front matter',
      'skills/note.txt': 'no skill',
      'skills/empty/other.md': '---\nname: x\n---\n',
    }),
  ).toEqual([
    '- plain: no description (skills/plain.md)',
    '- tax: Taxes: how (skills/tax.md)',
    '- Weekly report: How the report is made (skills/weekly/SKILL.md)',
  ]);
});

test('without skills there is no index, not even its first line', async () => {
  expect(await index({})).toBe('');
  expect(await index({ 'skills/readme.txt': 'x' })).toBe('');
});

test('hostile front matter gives a plain line or none of its facts', async () => {
  const of = async (front: string): Promise<string> => (await lines({ 'skills/a.md': front })).join('\n');
  // A name that is no name: the file's own counts, and the path is always the one that was listed.
  expect(await of('---\nname: ../../secure/config\ndescription: d\n---\n')).toBe('- a: d (skills/a.md)');
  expect(await of('---\nname: "x (skills/b.md)\\n- y"\ndescription: d\n---\n')).toBe('- a: d (skills/a.md)');
  // A line break, visible or not, makes no second line.
  const broken = await of('---\ndescription: "one\\ntwo\\u2028three\\u0085four\\u200b\\u202efive"\n---\n');
  expect(broken).toBe('- a: one two three fourfive (skills/a.md)');
  for (const front of [
    '---\nname: [a, b]\ndescription: {x: y}\n---\n',
    '---\n- a\n- b\n---\n',
    '---\nname: &x a\ndescription: *x\n---\n',
    '---\n<<: &m {description: merged}\nname: *m\n---\n',
    '---\nname: a\nname: b\n---\n',
    '---\n? [name]\n: a\n---\n',
    `---\n${'['.repeat(4000)}\n---\n`,
    `---\ndescription: ${'x'.repeat(5000)}\n---\n`,
    '---\n__proto__: {description: planted}\n---\n',
    '---\ndescription: !!js/function "function () {}"\nname: "\n---\n',
    '---\nname: a\ndescription: never closed\n',
  ]) {
    expect(await of(front), front.slice(0, 60)).toBe('- a: no description (skills/a.md)');
  }
  expect(({} as Record<string, unknown>)['description']).toBeUndefined();
  const long = await of(`---\ndescription: ${'x'.repeat(2000)}\n---\n`);
  expect(long).toBe(`- a: ${'x'.repeat(300)}… (skills/a.md)`);
});

test('ten thousand skills are fifty lines and a word about the rest', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, i) => [
      `skills/s${String(i).padStart(5, '0')}/SKILL.md`,
      `---\nname: s${i}\ndescription: ${'d'.repeat(1000)}\n---\n`,
    ]),
  );
  const found = await lines(many);
  expect(found).toHaveLength(MOST_SKILLS + 1);
  expect(found.at(-1)).toContain('there are more');
  expect(found.join('\n').length).toBeLessThan(20_000);
});

test('names that are no plain names, large files and files that may not be read are left out, and the log says which', async () => {
  const told: string[] = [];
  const log: Log = { ...silentLog, warn: (text, facts) => void told.push(JSON.stringify({ text, facts })) };
  const text = await index(
    {
      'skills/ok.md': 'x',
      'skills/<skills>.md': 'x',
      'skills/-x.md': 'x',
      'skills/a (skills/b.md': 'x',
      [`skills/${'n'.repeat(80)}.md`]: 'x',
      'skills/link.md': '!',
      'skills/large.md': 'x'.repeat(MOST_SKILL_BYTES + 1),
    },
    log,
  );
  expect(text.split('\n').slice(1)).toEqual(['- ok: no description (skills/ok.md)']);
  expect(told.join('\n')).toContain('skills/large.md');
  expect(told.join('\n')).toContain('skills/link.md');
});
