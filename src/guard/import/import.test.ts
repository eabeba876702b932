import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { AppError, type Json } from '../../core/index.ts';
import { hashOf } from '../scripts/script-name.ts';
import { jsonErrorOffset, lineOf } from './json-error.ts';
import { planImport, type Present } from './plan.ts';
import type { OriginalFolder } from './original-folder.ts';
import { readOriginal } from './read-original.ts';

const HASH = '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
const VALUE = 'Zq8vR2mX7pLw4TnBc91K';

/** Plays a folder; every text is JSON or as it is. */
function folderOf(files: Readonly<Record<string, Json>>): OriginalFolder {
  const texts = new Map(
    Object.entries(files).map(([path, content]) => [
      path,
      typeof content === 'string' ? content : JSON.stringify(content),
    ]),
  );
  return {
    path: '/old',
    read(path, most) {
      const text = texts.get(path);
      if (text === undefined) return { kind: 'missing' };
      return text.length > most ? { kind: 'refused', why: 'is larger' } : { kind: 'text', text };
    },
    list(path) {
      const prefix = path === '.' ? '' : `${path}/`;
      const names = new Set(
        [...texts.keys()].flatMap((file) =>
          file.startsWith(prefix) ? [file.slice(prefix.length).split('/')[0] ?? ''] : [],
        ),
      );
      if (names.size === 0) return { kind: 'missing' };
      return { kind: 'entries', entries: [...names].toSorted().map((name) => ({ name, kind: 'file' })) };
    },
  };
}

const EMPTY: Present = {
  owner: () => undefined,
  secret: () => undefined,
  script: () => undefined,
  scriptFile: () => undefined,
  schedule: () => false,
  file: () => undefined,
};
const NOTHING = {
  problems: [],
  secrets: [],
  hosts: [],
  methods: [],
  undecided: [],
  functions: [],
};

function planOf(files: Readonly<Record<string, Json>>, present: Partial<Present> = {}, more: object = {}) {
  return planImport(readOriginal(folderOf(files)), { ...EMPTY, ...present }, () => NOTHING, {
    acceptWeak: false,
    now: Date.UTC(2026),
    ...more,
  });
}

function refusalOf(files: Readonly<Record<string, Json>>): AppError {
  try {
    readOriginal(folderOf(files));
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

const WHOLE: Readonly<Record<string, Json>> = {
  'secure/data/users.json': [{ username: 'sam', password_hash: HASH, created_at: '2025-01-02T03:04:05Z' }],
  'secure/data/starlark_secrets.json': { secrets: { TOKEN: { value: VALUE } } },
  'secure/data/approvals.json': { 'weather.star': { hash: 'sha256:00', status: 'pending' } },
  'secure/data/schedules.json': {
    schedules: { a1: { id: 'a1', name: 'One', cron_expr: '* * * * *', type: 'agent', enabled: false } },
  },
};

describe('where a text stops being JSON', () => {
  test('agrees with JSON.parse on whether there is such a place', () => {
    const piece = fc.constantFrom(
      ...'{}[],:" \n\\"',
      '"a"',
      '1',
      '-0',
      '01',
      '1e5',
      '1.',
      'true',
      'nul',
      'null',
      '"\\u00e4"',
      '"\\x"',
      '\u00a0',
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.json(),
      fc
        .tuple(fc.json(), fc.nat(), piece)
        .map(
          ([json, at, what]) =>
            json.slice(0, at % (json.length + 1)) + what + json.slice(at % (json.length + 1)),
        ),
    );
    fc.assert(
      fc.property(text, (one) => {
        let valid = true;
        try {
          JSON.parse(one);
        } catch {
          valid = false;
        }
        expect(jsonErrorOffset(one) === undefined).toBe(valid);
      }),
      { numRuns: 3000 },
    );
  });

  test('is the line of it, and deep nesting is no trouble', () => {
    const line = (text: string) => lineOf(text, jsonErrorOffset(text) ?? -1);
    expect(line('{\n "a": 1,\n}')).toBe(3);
    expect(line('{\n "a": 1')).toBe(2);
    expect(line('{"a": "x\ny"}')).toBe(1);
    expect(jsonErrorOffset('['.repeat(1_000_000))).toBe(1_000_000);
    expect(jsonErrorOffset(`"${'x'.repeat(4_000_000)}`)).toBe(4_000_001);
  });
});

describe('reading', () => {
  test('takes the workspace, its data folder alone, and what Go writes for nothing', () => {
    expect(planOf(WHOLE).items.map(({ state }) => state)).toEqual(['new', 'new', 'new']);
    const alone = Object.fromEntries(
      Object.entries(WHOLE).map(([path, json]) => [path.replace('secure/data/', ''), json]),
    );
    expect(planOf(alone).items.map(({ state }) => state)).toEqual(['new', 'new', 'new']);
    expect(
      planOf({
        'users.json': 'null',
        'starlark_secrets.json': { secrets: null },
        'approvals.json': 'null',
        'schedules.json': { schedules: null },
      }).items,
    ).toEqual([]);
    expect(planOf({ 'users.json': '\ufeff[]' }).items).toEqual([]);
  });

  test('says what is wrong where, in every file at once', () => {
    const { code, message } = refusalOf({
      'secure/data/users.json': [
        { username: 'sam', password_hash: HASH },
        { username: 'SAM', password_hash: 7 },
      ],
      'secure/data/starlark_secrets.json': { secrets: { A: { value: ['x'] } } },
      'secure/data/approvals.json': '',
      'secure/data/schedules.json': { schedules: { a: { id: 'a' } } },
    });
    expect(code).toBe('import_unreadable');
    for (const place of [
      'users.json, [1].password_hash: Invalid input: expected string, received number',
      'starlark_secrets.json, secrets.A.value: Invalid input: expected string, received array',
      'approvals.json, line 1: is empty',
      'schedules.json, schedules.a.name',
    ])
      expect(message).toContain(place);
  });

  test('refuses one user name twice, a schedule under another id, and a name that nobody can hold', () => {
    const user = { username: 'sam', password_hash: HASH };
    expect(refusalOf({ 'users.json': [user, { ...user, username: 'Sam' }] }).message).toContain(
      '[1].username: is the user name of [0] once more',
    );
    const one = { id: 'b', name: 'One', cron_expr: '* * * * *', type: 'agent', enabled: false };
    expect(refusalOf({ 'schedules.json': { schedules: { a: one } } }).message).toContain('another id');
    expect(
      refusalOf({ 'starlark_secrets.json': `{"secrets":{"__proto__":{"value":"${VALUE}"}}}` }).message,
    ).toContain('__proto__');
  });

  test('a folder of something else, or of this version, is none', () => {
    expect(refusalOf({ 'secure/data/other.json': {} }).code).toBe('not_an_original');
    expect(refusalOf({ 'readme.txt': 'x' }).code).toBe('not_an_original');
    expect(refusalOf({ 'secure/data/openpact.db': 'x', 'ai-data/scripts/a.star': 'x = 1' }).code).toBe(
      'not_an_original',
    );
  });

  test('whatever is broken in a file, it is a refusal with words or a plan, and shows no value', () => {
    const files = Object.keys(WHOLE);
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.nat(),
        fc.nat({ max: 40 }),
        fc.string({ unit: 'binary', maxLength: 20 }),
        (file, at, gone, put) => {
          const text = JSON.stringify(WHOLE[file]);
          const from = at % text.length;
          const broken = text.slice(0, from) + put + text.slice(from + gone);
          let words: string;
          try {
            const { items } = planOf({ ...WHOLE, [file]: broken });
            words = JSON.stringify(items);
          } catch (error) {
            if (!(error instanceof AppError)) throw error;
            words = `${error.message}${JSON.stringify(error.details)}`;
          }
          expect(words).not.toContain(VALUE);
          expect(words).not.toContain(HASH);
          expect(words.length).toBeLessThan(4000);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('planning', () => {
  test('what is there wins, from wherever it comes', () => {
    const { items, secrets, schedules, owner } = planOf(WHOLE, {
      owner: () => 'Sam',
      secret: () => 'environment',
      schedule: () => true,
    });
    expect(items.map(({ state }) => state)).toEqual(['present', 'present', 'present']);
    expect([secrets, schedules, owner]).toEqual([[], [], undefined]);
  });

  test('what the original had decided is a remark, and only with names and times that can be ones', () => {
    const scripts = { 'ai-data/scripts/weather.star': 'x = 1' };
    const noteOf = (approval: Json) =>
      planOf({ ...scripts, 'secure/data/approvals.json': { 'weather.star': approval } }).scripts[0]?.message;
    const approved = { hash: 'sha256:00', status: 'approved', approved_at: '2025-03-04T00:00:00Z' };
    expect(noteOf({ ...approved, approved_by: 'sam' })).toBe(
      'Imported; the original had approved another text on 2025-03-04 (by sam).',
    );
    expect(noteOf({ ...approved, approved_at: '0001-01-01T00:00:00Z', approved_by: 'a\u001b[2J b' })).toBe(
      'Imported; the original had approved another text.',
    );
    expect(noteOf({ hash: 'x', status: 'rejected', rejected_by: 'kim' })).toBe(
      'Imported; the original had rejected it (by kim).',
    );
  });

  test('a name that holds its own value is left out', () => {
    const { items } = planOf({
      'starlark_secrets.json': { secrets: { KEY_QZ8VR2MX7PLW4TNB: { value: 'QZ8VR2MX7PLW4TNB' } } },
    });
    expect(items).toMatchObject([{ state: 'left_out' }]);
  });

  test('a file of the same name in the folder stays, the same text is taken over', () => {
    const files = { 'secure/data/users.json': [], 'ai-data/scripts/a.star': 'x = 1' };
    expect(planOf(files, { scriptFile: () => 'other' }).items).toMatchObject([{ state: 'present' }]);
    expect(planOf(files, { scriptFile: () => hashOf('x = 2') }).items).toMatchObject([{ state: 'present' }]);
    expect(planOf(files, { scriptFile: () => hashOf('x = 1') }).items).toMatchObject([{ state: 'new' }]);
    expect(planOf(files).items).toMatchObject([{ state: 'new' }]);
  });

  test('a seed that nobody wrote into is replaced by the owner’s own file', () => {
    const files = { 'secure/data/users.json': [], 'ai-data/SOUL.md': 'me' };
    expect(planOf(files, { file: () => 'untouched' }).files).toEqual([{ path: 'SOUL.md', text: 'me' }]);
    expect(planOf(files, { file: () => 'there' }).files).toEqual([]);
  });
});
