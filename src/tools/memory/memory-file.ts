export type MemoryFileCheck =
  | { readonly ok: true; readonly file: string }
  | { readonly ok: false; readonly problem: string };

const WHOLE_FILES = ['MEMORY.md', 'SOUL.md', 'USER.md'];
/** The classes of targets that these files have: all that the memory tools can reach. */
export const MEMORY_RESOURCES = ['memory', 'identity'] as const;
const DAILY = /^(?:memory\/)?(\d{4})-(\d{2})-(\d{2})\.md$/;

/** MEMORY.md, SOUL.md, USER.md or the file of a day that exists in the calendar (§6.3). Nothing else is memory. */
export function checkMemoryFile(raw: string): MemoryFileCheck {
  const plain = raw.replace(/^(?:\.\/)+/, '');
  if (WHOLE_FILES.includes(plain)) return { ok: true, file: plain };
  const match = DAILY.exec(plain);
  if (match !== null && isDay(Number(match[1]), Number(match[2]), Number(match[3]))) {
    return { ok: true, file: `memory/${match[1]}-${match[2]}-${match[3]}.md` };
  }
  return {
    ok: false,
    problem: 'file: must be MEMORY.md, SOUL.md, USER.md or the file of a day as memory/2026-01-31.md',
  };
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  // Years below 100 mean 19xx to Date; they are no days of a diary either.
  return date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
