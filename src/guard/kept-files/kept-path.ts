/** What a kept file is for: who the assistant is, what it remembers, the notes of a day. */
export type KeptKind = 'identity' | 'memory' | 'notes';

/** The files whose versions are kept: SOUL.md, USER.md, MEMORY.md and the `.md` files directly in `memory/`. */
export function keptKind(path: string): KeptKind | undefined {
  if (path === 'SOUL.md' || path === 'USER.md') return 'identity';
  if (path === 'MEMORY.md') return 'memory';
  return /^memory\/[^/.][^/]*\.md$/.test(path) ? 'notes' : undefined;
}
