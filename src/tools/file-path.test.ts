import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPath, resourceOf } from './file-path.ts';

const plain = (raw: string): string | null => {
  const checked = checkPath(raw);
  return checked.ok ? checked.path : null;
};

describe('a path', () => {
  it.each([
    ['notes/todo.md', 'notes/todo.md'],
    ['./notes//a.md', 'notes/a.md'],
    ['notes/', 'notes'],
    ['././', ''],
    ['', ''],
    ['memory//x.md', 'memory/x.md'],
    ['a/./b', 'a/b'],
    ['Zeitung – März.md', 'Zeitung – März.md'],
    ['%2e%2e%2fsecure', '%2e%2e%2fsecure'],
  ])('%j has the plain form %j', (raw, path) => {
    expect(plain(raw)).toBe(path);
  });

  it.each([
    '/etc/passwd',
    '../secure/config.yaml',
    'notes/../../secure/config.yaml',
    'notes/../SOUL.md',
    '..',
    'a/..',
    '..\\secure',
    'a\0b',
    'a\nb',
    'a\u200bb.md',
    'SOUL\u200d.md',
    '\u202egpj.exe',
    '.git/config',
    'notes/.env',
    '...',
    '\uff0e\uff0e/secure',
    '\u2025/secure',
    '..\uff0fsecure',
    'SOUL.md.',
    'SOUL.md ',
    ' SOUL.md',
    'a/ b',
    '\ud83d.md',
    'x'.repeat(256),
    'é'.repeat(128),
    `${'x/'.repeat(600)}y`,
    'Memory/2026-01-01.md',
    'MEMORY.MD',
    'memory.md',
    'ｍemory/x.md',
    'SCRIPTS/a.star',
  ])('%j is refused with a sentence', (raw) => {
    const checked = checkPath(raw);
    expect(checked.ok).toBe(false);
    if (!checked.ok) expect(checked.problem).toMatch(/^path: /);
  });

  it('keeps its plain form when it is checked again', () => {
    const part = fc.oneof(
      fc.constantFrom('SOUL.md', 'memory', '.', '..', '', '.git', 'MEMORY.md', 'ſoul.md', 'a'),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const path = plain(parts.join('/'));
        if (path === null) return;
        expect(plain(path)).toBe(path);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the class of a path', () => {
  it.each([
    ['SOUL.md', 'identity'],
    ['soul.md', 'identity'],
    ['Soul.MD', 'identity'],
    ['\u017foul.md', 'identity'],
    ['ＳＯＵＬ.md', 'identity'],
    ['SOUL.md:stream', 'identity'],
    ['SOUL.md/x', 'identity'],
    ['uſer.md', 'identity'],
    ['MEMORY.md', 'memory'],
    ['memory/2026-01-01.md', 'memory'],
    ['memory/x.txt', 'workspace'],
    ['memory/sub/x.md', 'workspace'],
    ['memory', 'workspace'],
    ['scripts/a.star', 'scripts'],
    ['scripts', 'scripts'],
    ['notes/SOUL.md', 'workspace'],
    ['notes/MEMORY.md', 'workspace'],
    ['', 'workspace'],
  ])('of %j is %s', (raw, resource) => {
    expect(resourceOf(plain(raw) ?? 'refused')).toBe(resource);
  });

  it('is never memory for two different spellings of one name', () => {
    const spellings = [
      'MEMORY.md',
      'memory.md',
      'Memory.md',
      'MEMORY.MD',
      'memory/a.md',
      'MEMORY/a.md',
      'Memory/a.md',
    ];
    const free = spellings.filter((raw) => plain(raw) !== null && resourceOf(raw) === 'memory');
    expect(free).toEqual(['MEMORY.md', 'memory/a.md']);
  });
});
