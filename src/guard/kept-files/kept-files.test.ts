import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError, silentLog, systemClock, type FilePowers } from '../../core/index.ts';
import { createAuditStore, openDatabase, type Database } from '../../host/storage/index.ts';
import { createFileVersionStore } from '../../host/storage/file-version-store.ts';
import { plainRedactor } from '../../../test/fakes/plain-redactor.ts';
import { createAudit } from '../audit/index.ts';
import { createKeptFiles } from './kept-files.ts';

const OWNER = { kind: 'user', id: 'usr_1', name: 'owner' } as const;
let directory = '';
let database: Database;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'openpact-kept-'));
  database = openDatabase({ path: join(directory, 'openpact.db') });
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

function kept(options: { perPath?: number; bytes?: number; auditFails?: boolean } = {}) {
  const texts = new Map<string, string>();
  const pause = () => new Promise((resolve) => setTimeout(resolve, 1));
  const files: FilePowers = {
    async read(path) {
      await pause();
      const text = texts.get(path);
      if (text === undefined) throw new AppError({ family: 'missing', code: 'file_missing', message: path });
      return { text, bytes: text.length };
    },
    async write(path, text) {
      await pause();
      texts.set(path, text);
      return { bytes: text.length };
    },
    async append(path, text) {
      await pause();
      texts.set(path, (texts.get(path) ?? '') + text);
      return { bytes: 0 };
    },
    list: async () => ({ entries: [], truncated: false }),
  };
  const audit = createAudit({
    store: createAuditStore(database),
    database,
    clock: systemClock,
    log: silentLog,
    redactor: plainRedactor,
    key: new Uint8Array(32),
    fresh: true,
  });
  const store = createFileVersionStore(database);
  const service = createKeptFiles({
    files,
    store,
    database,
    audit: options.auditFails
      ? {
          ...audit,
          append: () => {
            throw new Error('the disk is full');
          },
        }
      : audit,
    clock: systemClock,
    log: silentLog,
    limits: { perPath: options.perPath ?? 200, bytes: options.bytes ?? 1_000_000 },
  });
  return { service, texts, store };
}

const digestOf = async (service: ReturnType<typeof kept>['service'], path: string) =>
  (await service.read(path)).digest;

test('a tool and the owner who write at once come one after the other: the owner never writes over what they did not see', async () => {
  const { service, texts } = kept();
  await service.powers.write('MEMORY.md', 'one');
  const digest = await digestOf(service, 'MEMORY.md');
  const [tool, owner] = await Promise.allSettled([
    service.powers.append('MEMORY.md', ' two'),
    service.write('MEMORY.md', { text: 'mine', digest }, OWNER),
  ]);
  expect(tool.status).toBe('fulfilled');
  expect(owner).toMatchObject({ status: 'rejected', reason: { code: 'file_conflict' } });
  expect(texts.get('MEMORY.md')).toBe('one two');
});

test('the number of versions and their size are capped, the oldest go first, and a text is stored once', async () => {
  const { service } = kept({ perPath: 3, bytes: 100 });
  for (const text of ['a', 'b', 'a', 'b', 'c']) await service.powers.write('SOUL.md', text);
  expect((await service.read('SOUL.md')).versions.map(({ digest }) => digest)).toHaveLength(3);
  expect(database.all('SELECT digest FROM file_texts')).toHaveLength(3);
  for (const text of ['x'.repeat(60), 'y'.repeat(60), 'z'.repeat(60)])
    await service.powers.write('MEMORY.md', text);
  const held = database.get<{ bytes: number }>('SELECT SUM(bytes) AS bytes FROM file_texts');
  expect(held?.bytes).toBeLessThanOrEqual(100);
  // The newest of each file is never removed.
  expect((await service.read('SOUL.md')).versions).toHaveLength(1);
  expect((await service.read('MEMORY.md')).versions).toHaveLength(1);
});

test('writing the same once more makes no version, and other files are none of ours', async () => {
  const { service } = kept();
  await service.powers.write('USER.md', 'same');
  await service.powers.write('USER.md', 'same');
  await service.powers.write('notes/a.md', 'x');
  expect((await service.read('USER.md')).versions).toHaveLength(1);
  expect(database.all('SELECT DISTINCT path FROM file_versions')).toEqual([{ path: 'USER.md' }]);
  await expect(service.read('notes/a.md')).rejects.toMatchObject({ code: 'not_found' });
});

test('without its entry in the log the owner writes nothing', async () => {
  const { service, texts } = kept({ auditFails: true });
  await expect(service.write('SOUL.md', { text: 'x', digest: null }, OWNER)).rejects.toThrow('disk is full');
  expect(texts.has('SOUL.md')).toBe(false);
});
