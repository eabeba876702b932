// Guarantees: two texts as a unified diff, line by line (Myers' greedy algorithm), in bounded time and memory: it is made
// where everything else waits for it.
// An attacker may control: both texts.

const CONTEXT = 3;
/** Beyond so many changed lines, or comparisons, the rest is shown as removed and added whole. */
const MOST_EDITS = 2_000;
const MOST_COMPARED = 10_000_000;

type Edit = { readonly kind: ' ' | '-' | '+'; readonly line: string };

export function unifiedDiff(
  before: { readonly label: string; readonly text: string },
  after: { readonly label: string; readonly text: string },
): string {
  if (before.text === after.text) return '';
  const edits = editsOf(before.text.split('\n'), after.text.split('\n'));
  const out = [`--- ${before.label}`, `+++ ${after.label}`];
  let oldLine = 1;
  let newLine = 1;
  for (let at = 0; at < edits.length;) {
    let first = at;
    while (first < edits.length && edits[first]?.kind === ' ') first += 1;
    if (first === edits.length) break;
    const from = Math.max(at, first - CONTEXT);
    oldLine += from - at;
    newLine += from - at;
    let last = first;
    for (let i = first; i < edits.length && i <= last + 2 * CONTEXT; i += 1)
      if (edits[i]?.kind !== ' ') last = i;
    const to = Math.min(edits.length, last + 1 + CONTEXT);
    const hunk = edits.slice(from, to);
    const olds = hunk.filter(({ kind }) => kind !== '+').length;
    const news = hunk.filter(({ kind }) => kind !== '-').length;
    out.push(`@@ -${oldLine},${olds} +${newLine},${news} @@`);
    // One by one: a hunk may have more lines than a call can have arguments.
    for (const { kind, line } of hunk) out.push(`${kind}${line}`);
    oldLine += olds;
    newLine += news;
    at = to;
  }
  return `${out.join('\n')}\n`;
}

function editsOf(a: readonly string[], b: readonly string[]): Edit[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end])
    end += 1;
  const same = (lines: readonly string[]): Edit[] => lines.map((line) => ({ kind: ' ', line }));
  return [
    ...same(a.slice(0, start)),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...same(a.slice(a.length - end)),
  ];
}

function middle(a: readonly string[], b: readonly string[]): Edit[] {
  const whole = (): Edit[] => [
    ...a.map((line): Edit => ({ kind: '-', line })),
    ...b.map((line): Edit => ({ kind: '+', line })),
  ];
  if (a.length === 0 || b.length === 0) return whole();
  const most = Math.min(MOST_EDITS, a.length + b.length);
  /** How far each diagonal got; diagonal k stands at k + most + 1. */
  const ends = new Int32Array(2 * most + 3);
  /** Before each round, what that round can look at: diagonals -d-1 to d+1. */
  const trace: Int32Array[] = [];
  let compared = 0;
  for (let d = 0; d <= most && compared < MOST_COMPARED; d += 1) {
    trace.push(ends.slice(most - d, most + d + 3));
    for (let k = -d; k <= d; k += 2) {
      const left = ends[k + most] ?? 0;
      const right = ends[k + most + 2] ?? 0;
      let x = k === -d || (k !== d && left < right) ? right : left + 1;
      const from = x;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      compared += x - from + 1;
      ends[k + most + 1] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(a, b, trace, d);
    }
  }
  return whole();
}

function walkBack(
  a: readonly string[],
  b: readonly string[],
  trace: readonly Int32Array[],
  edits: number,
): Edit[] {
  const out: Edit[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = edits; d >= 0; d -= 1) {
    const endOf = (diagonal: number): number => trace[d]?.[diagonal + d + 1] ?? 0;
    const k = x - y;
    const down = k === -d || (k !== d && endOf(k - 1) < endOf(k + 1));
    const from = down ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : endOf(from);
    const fromY = d === 0 ? 0 : fromX - from;
    while (x > fromX && y > fromY && a[x - 1] === b[y - 1]) {
      out.push({ kind: ' ', line: a[x - 1] ?? '' });
      x -= 1;
      y -= 1;
    }
    if (d === 0) break;
    if (down) out.push({ kind: '+', line: b[y - 1] ?? '' });
    else out.push({ kind: '-', line: a[x - 1] ?? '' });
    x = fromX;
    y = fromY;
  }
  return out.toReversed();
}
