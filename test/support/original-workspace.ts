/** A workspace as the original (Go) leaves it, for tests of the import. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { hashSync } from 'bcryptjs';
import type { Json } from '../../src/core/index.ts';

export const OLD_PASSWORD = 'violet otter kettle lamp';
export const OLD_TOKEN = 'ghp_8fJ2kQxW5tZp9LmNv3RsYb7Hd';
export const OLD_SCRIPT = '# @secrets: GITHUB_TOKEN\nresult = {"degrees": 21}\n';
const THEN = '2025-01-02T03:04:05.123456789Z';

export const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** By path. Undefined leaves a file out. */
export type OriginalFiles = Readonly<Record<string, Json | undefined>>;

export function originalFiles(): Record<string, Json> {
  return {
    'secure/config.yaml': 'admin:\n  bind: localhost:8888\n',
    'secure/data/jwt_secret': 'c2VjcmV0IG9mIHRoZSBvcmlnaW5hbA==',
    'secure/data/setup_state.json': { profile_complete: true },
    'secure/data/users.json': [
      {
        username: 'sam',
        password_hash: hashSync(OLD_PASSWORD, 10),
        created_at: THEN,
        last_login_at: '0001-01-01T00:00:00Z',
      },
    ],
    'secure/data/starlark_secrets.json': {
      secrets: { GITHUB_TOKEN: { value: OLD_TOKEN, created_at: THEN, updated_at: THEN } },
    },
    'secure/data/approvals.json': {
      'weather.star': {
        hash: digestOf(OLD_SCRIPT),
        status: 'approved',
        approved_at: THEN,
        approved_by: 'sam',
        created_at: THEN,
        modified_at: THEN,
      },
    },
    'secure/data/schedules.json': {
      schedules: {
        '0123456789abcdef': {
          id: '0123456789abcdef',
          name: 'Weather in the morning',
          cron_expr: '0 7 * * *',
          type: 'script',
          enabled: true,
          script_name: 'weather',
          created_at: THEN,
          updated_at: THEN,
        },
      },
    },
    'ai-data/scripts/weather.star': OLD_SCRIPT,
    'ai-data/SOUL.md': '# The soul of before\n',
    'ai-data/memory/2025-01-02.md': 'It rained.\n',
  };
}

/** Readable for every user: OpenPact does not read it as root. */
export function originalWorkspace(changes: OriginalFiles = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'openpact-original-'));
  chmodSync(root, 0o755);
  for (const [path, content] of Object.entries({ ...originalFiles(), ...changes })) {
    if (content === undefined) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true, mode: 0o755 });
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  }
  return root;
}
