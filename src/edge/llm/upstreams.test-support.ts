/** The upstreams on a real database and a fake provider, new for each test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { startFakeModel, type FakeModel } from '../../../test/fakes/openai-server.ts';
import { silentLog, type Principal } from '../../core/index.ts';
import { createAudit, type Audit } from '../../guard/audit/index.ts';
import {
  createKnownSecrets,
  createRedactor,
  createSealedVault,
  revealSecret,
} from '../../guard/secrets/index.ts';
import { createHttpClient, type HttpClient } from '../../host/net/index.ts';
import {
  createAuditStore,
  createSettingsStore,
  openDatabase,
  type Database,
} from '../../host/storage/index.ts';
import { createSealedStore } from '../../host/storage/sealed-store.ts';
import { createUpstreamsStore } from '../../host/storage/upstreams-store.ts';
import { createUpstreams, type Upstreams, type UpstreamsDeps } from './index.ts';
import { createHealthBoard } from './upstream-health.ts';

export const owner: Principal = { kind: 'user', id: 'user_1', name: 'owner' };
export const KEY = 'sk-live-4f9a8c7b6d5e4f3a2b1c0d9e8f7a6b5c';

export function codeOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return 'no error';
}

export const viewOf = (upstreams: Upstreams, name: string) =>
  upstreams.list().find((view) => view.name === name);

export function upstreamsBench() {
  let folder: string;
  let database: Database;
  let audit: Audit;
  let http: HttpClient;
  let fake: FakeModel;
  let now: number;
  let known: ReturnType<typeof createKnownSecrets>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'upstreams-'));
    database = openDatabase({ path: join(folder, 'test.db') });
    http = createHttpClient();
    fake = await startFakeModel({
      models: ['b-model', 'a-model', 'text-embedding-3', 'bad name', { id: 7 }],
    });
    now = 1_000;
    known = createKnownSecrets({ clock: clock() });
  });

  afterEach(async () => {
    await http.close();
    await fake.close();
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function clock(): { now(): number; monotonic(): number } {
    return { now: () => now, monotonic: () => now };
  }

  function make(more: Partial<UpstreamsDeps> = {}): Upstreams {
    const redactor = createRedactor(known);
    audit = createAudit({
      store: createAuditStore(database),
      database,
      clock: clock(),
      log: silentLog,
      redactor,
      key: new Uint8Array(32),
      fresh: true,
    });
    const vault = createSealedVault({
      store: createSealedStore(database),
      clock: clock(),
      key: new Uint8Array(32).fill(7),
      known,
    });
    const ref = (name: string) => ({ kind: 'llm_key', name }) as const;
    return createUpstreams({
      store: createUpstreamsStore(database),
      settings: createSettingsStore(database),
      database,
      audit,
      clock: clock(),
      redactor,
      http,
      health: createHealthBoard(clock()),
      untilLocked: () => new AbortController().signal,
      known,
      keys: {
        put: (name, value) => void vault.put(ref(name), value),
        has: (name) => vault.has(ref(name)),
        remove: (name) => void vault.remove(ref(name)),
        use: (name) => revealSecret(vault, ref(name), 'llm_call') ?? null,
      },
      demoDelayMs: 0,
      ...more,
    });
  }

  return {
    make,
    get fake() {
      return fake;
    },
    get audit() {
      return audit;
    },
    get database() {
      return database;
    },
    get known() {
      return known;
    },
    /** Milliseconds that pass. */
    pass(ms: number) {
      now += ms;
    },
  };
}
