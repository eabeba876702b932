/** Two texts as a unified diff, line by line (Myers' greedy algorithm). */

const CONTEXT = 3;
/** Beyond so many changed lines the rest is shown as removed and added whole. */
const MOST_EDITS = 2_000;

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
    const first = edits.findIndex(({ kind }, index) => index >= at && kind !== ' ');
    if (first < 0) break;
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
    out.push(
      `@@ -${oldLine},${olds} +${newLine},${news} @@`,
      ...hunk.map(({ kind, line }) => `${kind}${line}`),
    );
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
  const trace: Map<number, number>[] = [];
  let ends = new Map<number, number>([[1, 0]]);
  for (let d = 0; d <= Math.min(MOST_EDITS, a.length + b.length); d += 1) {
    trace.push(new Map(ends));
    const next = new Map(ends);
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (next.get(k - 1) ?? -1) < (next.get(k + 1) ?? -1));
      let x = down ? (next.get(k + 1) ?? 0) : (next.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      next.set(k, x);
      if (x >= a.length && x - k >= b.length) return walkBack(a, b, trace, d);
    }
    ends = next;
  }
  return whole();
}

function walkBack(
  a: readonly string[],
  b: readonly string[],
  trace: readonly Map<number, number>[],
  edits: number,
): Edit[] {
  const out: Edit[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = edits; d >= 0; d -= 1) {
    const ends = trace[d] ?? new Map<number, number>();
    const k = x - y;
    const down = k === -d || (k !== d && (ends.get(k - 1) ?? -1) < (ends.get(k + 1) ?? -1));
    const from = down ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : (ends.get(from) ?? 0);
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
