import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../core/index.ts';
import { createUnfencedLauncher } from '../../../test/seams/unfenced-launcher.ts';
import { createLauncher, type LaunchOrder } from '../process/index.ts';
import { createFileChild, type FileChild, type FileChildDeps } from './index.ts';

const sources = resolve(import.meta.dirname, '../../..');
const ENTRY = join(import.meta.dirname, 'child/main.ts');
let folder: string;
let root: string;
let running: FileChild[] = [];

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'openpact-child-')));
  root = join(folder, 'ai-data');
  mkdirSync(join(root, 'memory'), { recursive: true });
});

afterEach(async () => {
  for (const child of running) await child.stop();
  running = [];
  rmSync(folder, { recursive: true });
});

function make(deps: Partial<FileChildDeps> = {}): FileChild {
  const child = createFileChild({
    launcher: createLauncher(),
    entry: ENTRY,
    read: [join(sources, 'src'), join(sources, 'package.json')],
    root,
    ...deps,
  });
  running.push(child);
  return child;
}

/** A child of another make: `code` sees `say(value)` and, per request, `on(request)`. */
function impostor(code: string): Pick<FileChildDeps, 'entry'> {
  const entry = join(folder, 'impostor.mjs');
  writeFileSync(
    entry,
    `import { readSync, writeSync } from 'node:fs';
     const say = (value) => writeSync(4, (typeof value === 'string' ? value : JSON.stringify(value)) + '\\n');
     const on = (request) => { ${code} };
     const chunk = Buffer.alloc(65536);
     for (;;) { const n = readSync(3, chunk); if (n === 0) break;
       for (const line of chunk.toString('utf8', 0, n).trim().split('\\n')) on(JSON.parse(line)); }`,
  );
  return { entry };
}

async function failure(act: Promise<unknown>): Promise<AppError> {
  try {
    await act;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const mode = (path: string): string => (statSync(join(root, path)).mode & 0o777).toString(8);

describe('files below the root', () => {
  it('are written, read, appended to and listed', async () => {
    const files = make();
    expect(await files.write('notes/2026/ä.md', 'eins\n')).toEqual({ bytes: 5 });
    expect(await files.append('notes/2026/ä.md', 'zwei €\n')).toEqual({ bytes: 14 });
    expect(await files.read('notes/2026/ä.md')).toEqual({ text: 'eins\nzwei €\n', bytes: 14 });
    expect(await files.append('notes/b.md', 'new')).toEqual({ bytes: 3 });
    const { entries, truncated } = await files.list('notes');
    expect(entries.map(({ name, kind, bytes }) => [name, kind, bytes])).toEqual([
      ['2026', 'directory', 0],
      ['b.md', 'file', 3],
    ]);
    expect(truncated).toBe(false);
    expect(Date.parse(entries[1]?.modified ?? '')).not.toBeNaN();
  });

  it('keep every text as it is: control characters, line ends, a byte order mark, the empty text', async () => {
    const files = make();
    for (const text of ['', '\r\n\t\u0001\u001f', '\ufeffx', '😀\u2028', '"\\"\n{}']) {
      await files.write('a.md', text);
      expect((await files.read('a.md')).text).toBe(text);
    }
  });

  it('take a MiB and not a byte more', async () => {
    const files = make();
    expect(await files.write('big.md', '\u0001'.repeat(1024 * 1024))).toEqual({ bytes: 1024 * 1024 });
    expect((await files.read('big.md')).text).toBe('\u0001'.repeat(1024 * 1024));
    expect(await failure(files.write('big.md', 'é'.repeat(512 * 1024 + 1)))).toMatchObject({
      code: 'file_too_large',
      family: 'limit',
    });
    expect((await files.read('big.md')).bytes).toBe(1024 * 1024);
  });

  it('get the modes of the workspace, and keep the ones that they have', async () => {
    const files = make();
    await files.write('MEMORY.md', 'x');
    await files.write('memory/2026-01-01.md', 'x');
    await files.write('notes/a.md', 'x');
    expect([mode('MEMORY.md'), mode('memory/2026-01-01.md'), mode('notes/a.md'), mode('notes')]).toEqual([
      '660',
      '660',
      '640',
      '750',
    ]);
    chmodSync(join(root, 'notes/a.md'), 0o600);
    await files.write('notes/a.md', 'y');
    expect(mode('notes/a.md')).toBe('600');
  });

  it('are listed to the thousandth by name, without hidden and unnameable ones', async () => {
    mkdirSync(join(root, 'many'));
    for (let index = 1_500; index > 0; index -= 1) writeFileSync(join(root, `many/f${10_000 + index}`), '');
    for (const odd of ['.hidden', 'a\nb', 'a\u200bb', 'a\\b']) writeFileSync(join(root, 'many', odd), '');
    const { entries, truncated } = await make().list('many');
    expect(truncated).toBe(true);
    expect(entries).toHaveLength(1_000);
    expect(entries[0]?.name).toBe('f10001');
    expect(entries[999]?.name).toBe('f11000');
  });

  it('are refused with a sentence that names the path', async () => {
    expect(await failure(make().read('no/such.md'))).toMatchObject({
      family: 'missing',
      code: 'file_missing',
      message: '"no/such.md" does not exist.',
    });
    expect(await failure(make().write('a.md', '\ud83d'))).toMatchObject({ code: 'file_not_text' });
  });
});

describe('a write', () => {
  it('leaves no temporary file, and removes what a killed one left', async () => {
    writeFileSync(join(root, 'memory/.openpact-write-0'), 'half of a te');
    const files = make();
    await files.write('memory/a.md', 'whole');
    expect(await failure(files.write('memory', 'x'))).toMatchObject({ code: 'file_is_folder' });
    expect(readdirSync(join(root, 'memory'))).toEqual(['a.md']);
    expect(readdirSync(root)).toEqual(['memory']);
  });

  it('on a full disk is refused, keeps the old content and leaves nothing behind', async () => {
    const mount = 'mount -t tmpfs -o size=256k none "$0" && exec "$@"';
    const files = make({ launcher: createUnfencedLauncher(['unshare', '-rm', 'sh', '-c', mount, root]) });
    await files.write('a.md', 'old');
    const error = await failure(files.write('a.md', 'x'.repeat(900_000)));
    expect(error).toMatchObject({ family: 'limit', code: 'disk_full' });
    expect((await files.read('a.md')).text).toBe('old');
    // Seen from inside its mount namespace.
    expect(readdirSync(`/proc/${files.pid}/root${root}`)).toEqual(['a.md']);
    expect(await files.write('a.md', 'x'.repeat(200_000))).toEqual({ bytes: 200_000 });
  });

  it('that is killed at any moment leaves the old content or the new one', async () => {
    const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(400_000));
    for (let round = 0; round < 12; round += 1) {
      const files = make();
      await files.write('a.md', texts[0] ?? '');
      const { pid } = files;
      const writing = failure(
        files.write('a.md', texts[1 + (round % 3)] ?? '').then(() => files.read('none')),
      );
      await new Promise((done) => setTimeout(done, round));
      if (pid !== null) process.kill(pid, 'SIGKILL');
      await writing;
      expect(texts).toContain(readFileSync(join(root, 'a.md'), 'utf8'));
      await files.stop();
    }
  });
});

describe('the process', () => {
  it('starts with the first request, behind a fence that opens the root alone, without network', async () => {
    const orders: LaunchOrder[] = [];
    const real = createLauncher();
    const files = make({
      launcher: {
        launch: (order) => {
          orders.push(order);
          return real.launch(order);
        },
      },
    });
    expect(files.pid).toBeNull();
    await Promise.all([files.list(''), files.list('memory'), files.list('')]);
    expect(orders).toHaveLength(1);
    const [order] = orders;
    expect(order?.fences.network).toBe('none');
    expect(
      order?.fences.files.filter((rule) => rule.access.startsWith('rw') && rule.path !== '/dev/null'),
    ).toEqual([{ path: root, access: 'rw' }]);
    expect(order?.fences.allowUnfenced).toBeUndefined();
    expect(order?.umask).toBe(0o007);
  });

  it('is started anew after it was killed', async () => {
    const files = make();
    await files.write('a.md', 'x');
    const first = files.pid ?? 0;
    process.kill(first, 'SIGKILL');
    expect((await files.read('a.md')).text).toBe('x');
    expect(files.pid).not.toBe(first);
  });

  it('answers many at once, each with its own answer', async () => {
    const files = make();
    const names = Array.from({ length: 40 }, (_, index) => `f${index}.md`);
    await Promise.all(names.map((name) => files.write(name, name)));
    const texts = await Promise.all(names.map(async (name) => (await files.read(name)).text));
    expect(texts).toEqual(names);
  });

  it('ends when nobody needs it, and comes back', async () => {
    const files = make({ idleMs: 50 });
    await files.list('');
    const { pid } = files;
    for (let waited = 0; files.pid !== null && waited < 200; waited += 1) {
      await new Promise((done) => setTimeout(done, 20));
    }
    expect(files.pid).toBeNull();
    // The kernel takes a moment to put it away.
    await expect.poll(() => existsSync(`/proc/${pid}/fd/3`), { timeout: 5_000 }).toBe(false);
    expect((await files.list('')).entries).toHaveLength(1);
  });

  it('that hangs is killed at the deadline, and a write is then said to be unknown', async () => {
    const files = make({ ...impostor('for (;;);'), deadlineMs: 200 });
    const read = failure(files.read('a.md'));
    const write = failure(files.write('a.md', 'x'));
    expect(await read).toMatchObject({ code: 'deadline', details: { outcome_unknown: false } });
    expect(await write).toMatchObject({ code: 'deadline', details: { outcome_unknown: true } });
    expect(files.pid).toBeNull();
  });

  it('that dies in a request is asked once more to read, and never to write', async () => {
    const log = join(root, 'log');
    const code = `import('node:fs').then(({ appendFileSync }) => undefined);
      writeSync(openSync(${JSON.stringify(log)}, 'a'), request.op + ' '); process.exit(1);`;
    const { entry } = impostor(code);
    writeFileSync(entry, readFileSync(entry, 'utf8').replace('{ readSync,', '{ openSync, readSync,'));
    const files = make({ entry });
    expect(await failure(files.read('a.md'))).toMatchObject({
      code: 'file_child_failed',
      details: { outcome_unknown: false },
    });
    expect(await failure(files.write('a.md', 'x'))).toMatchObject({
      code: 'file_child_failed',
      details: { outcome_unknown: true },
    });
    expect(readFileSync(log, 'utf8')).toBe('read read write ');
  });

  it.each([
    ['no JSON', `say('hello')`],
    ['another request', 'say({ id: request.id + 1, answer: {} })'],
    ['an answer of another shape', `say({ id: request.id, answer: { text: 5, bytes: -1 } })`],
    [
      'entries of another shape',
      `say({ id: request.id, answer: { entries: [{ name: 1 }], truncated: false } })`,
    ],
    ['a line without end', `const piece = 'x'.repeat(65536); for (;;) writeSync(4, piece);`],
  ])('that says %s is not believed', async (_what, code) => {
    const files = make(impostor(code));
    expect(await failure(files.read('a.md'))).toMatchObject({ code: 'file_child_failed' });
  });

  it('that sends an unknown refusal or a very long one gives a plain error', async () => {
    const files = make(impostor(`say({ id: request.id, refusal: '<b>' + 'x'.repeat(9999), errno: 'EIO' })`));
    expect((await failure(files.read('a.md'))).message).toBe('"a.md" could not be accessed (EIO).');
  });
});

describe('a stop', () => {
  it('ends the waiting at once, and what was not begun is not done', async () => {
    const files = make();
    await files.list('');
    const controller = new AbortController();
    const jobs = ['a', 'b', 'c'].map((name) => failure(files.write(`${name}.md`, 'x', controller.signal)));
    controller.abort();
    for (const job of jobs) expect(await job).toMatchObject({ code: 'stopped' });
    expect((await files.list('')).entries.map((entry) => entry.name)).not.toContain('c.md');
  });

  it('before the start refuses without a process', async () => {
    const files = make();
    expect(await failure(files.read('a.md', AbortSignal.abort()))).toMatchObject({ code: 'stopped' });
    expect(files.pid).toBeNull();
  });

  it('does not wait for a child that hangs', async () => {
    const files = make({ ...impostor('for (;;);'), deadlineMs: 20_000 });
    const controller = new AbortController();
    const job = failure(files.read('a.md', controller.signal));
    setTimeout(() => controller.abort(), 300);
    expect(await job).toMatchObject({ code: 'stopped' });
  });
});
