import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createWorkbench, type Workbench } from '../../../test/fakes/workbench.ts';
import { canonicalJson } from '../../core/index.ts';
import { exportAudit, type AuditExportFormat } from './audit-export.ts';

let bench: Workbench;
beforeEach(() => (bench = createWorkbench()));
afterEach(async () => {
  await bench.close();
  bench.remove();
});

const HOSTILE = [
  '=HYPERLINK("http://x.example","a")',
  '+1+cmd|calc',
  '-2+3',
  '@SUM(A1)',
  '\t=1+1',
  '  =1+1',
  '＝1+1',
  '<img src=x onerror=alert(1)>',
  '\u001b[2J\u001b]0;owned\u0007',
  'a\r\nb,"c"',
  '\u202egnp.exe',
  'zero\u200bwidth',
  'x'.repeat(50_000),
];

function write(target: string): void {
  bench.audit.append({
    event: 'test.row',
    principal: { kind: 'system' },
    origin: 'system',
    target,
    outcome: 'ok',
    details: { target },
  });
}

async function whole(format: AuditExportFormat, filter = {}): Promise<string> {
  const signal = new AbortController().signal;
  let text = '';
  for await (const piece of exportAudit(bench.auditStore, filter, { format, through: 1e9, signal }))
    text += piece;
  return text;
}

/** RFC 4180. */
function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,"]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}

test('no cell of a CSV file is a formula, moves a cursor or turns the direction of text', async () => {
  for (const text of HOSTILE) write(text);
  const lines = (await whole('csv')).split('\r\n');
  expect(lines).toHaveLength(HOSTILE.length + 2);
  expect(lines[0]).toBe('seq,at,event,actor,origin,target,outcome,details,prev_hash,hash');
  for (const [number, line] of lines.slice(1, -1).entries()) {
    const cells = cellsOf(line);
    expect(cells).toHaveLength(10);
    expect(cells[0]).toBe(String(number + 1));
    for (const cell of cells) expect(cell).not.toMatch(/^\s*[=+\-@＝＋－＠]/u);
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
  expect(cellsOf(lines[1] ?? '')[5]).toBe(`'${HOSTILE[0]}`);
  expect(cellsOf(lines[9] ?? '')[5]).toBe(String.raw`\u{1b}[2J\u{1b}]0;owned\u{7}`);
  expect(cellsOf(lines[11] ?? '')[5]).toBe(String.raw`\u{202e}gnp.exe`);
});

test('JSON Lines hold every character, so that the chain can be computed again', async () => {
  for (const text of HOSTILE) write(text);
  const lines = (await whole('jsonl')).trimEnd().split('\n');
  expect(lines).toHaveLength(HOSTILE.length);
  let previous = '0'.repeat(64);
  for (const [index, line] of lines.entries()) {
    const row = JSON.parse(line) as Record<string, string | number>;
    expect(row['target']).toBe(HOSTILE[index]);
    const content = [
      row['seq'],
      Date.parse(String(row['at'])),
      ...['event', 'actor', 'origin', 'target', 'outcome'].map((name) => row[name]),
      canonicalJson(row['details']),
      previous,
    ];
    previous = createHash('sha256').update(canonicalJson(content)).digest('hex');
    expect(row['hash']).toBe(previous);
  }
});

test('filters apply, and details that somebody damaged are told as they are', async () => {
  for (const text of ['a', 'b', 'a', 'c']) write(text);
  bench.database.run("UPDATE audit SET details = '{broken' WHERE seq = 3");
  const rows = (await whole('jsonl', { target: 'a' }))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows).toMatchObject([
    { seq: 1, details: { target: 'a' } },
    { seq: 3, details: '{broken' },
  ]);
});

test('twenty times as many entries take no more memory, to export or to check', async () => {
  const fill = (count: number): void =>
    bench.database.tx(() => {
      for (let i = 0; i < count; i += 1) write('y'.repeat(300));
    });
  const most = async (through: number): Promise<number> => {
    let peak = 0;
    const signal = new AbortController().signal;
    const look = (): void => void (peak = Math.max(peak, process.memoryUsage().rss));
    for await (const piece of exportAudit(bench.auditStore, {}, { format: 'jsonl', through, signal })) {
      expect(piece.length).toBeLessThan(1_000_000);
      look();
    }
    return peak;
  };
  for (let i = 0; i < 20; i += 1) fill(1_500);
  await most(1_500);
  const small = await most(1_500);
  const large = await most(30_000);
  let checked = 0;
  expect(
    await bench.audit.verify({ onProgress: () => (checked = Math.max(checked, process.memoryUsage().rss)) }),
  ).toMatchObject({ ok: true, rows: 30_000 });
  expect(large / small).toBeLessThan(1.4);
  expect(checked / small).toBeLessThan(1.4);
});

test('an export ends when it is told to, and when nobody reads on', async () => {
  for (let i = 0; i < 1_000; i += 1) write('z');
  const ending = new AbortController();
  const pieces = exportAudit(bench.auditStore, {}, { format: 'csv', through: 1e9, signal: ending.signal });
  await pieces.next();
  await pieces.next();
  ending.abort(new Error('over'));
  await expect(pieces.next()).rejects.toThrow('over');
  const left = exportAudit(
    bench.auditStore,
    {},
    { format: 'csv', through: 1e9, signal: new AbortController().signal },
  );
  await left.next();
  expect(await left.return(undefined)).toMatchObject({ done: true });
});
