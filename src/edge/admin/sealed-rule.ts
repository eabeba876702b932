// Guarantees: while the vault is sealed only what is listed here is served; a route that is new is not.
// Does not: say who may call (the route table does).
// An attacker may control: which route is called.
import { vaultSealed } from '../../guard/secrets/index.ts';
import type { AnyRoute } from './route.ts';
import type { VaultPort } from './ports.ts';

/** Who one is, and the way to the key. Nothing of it reads or writes a stored secret. */
const OPEN: ReadonlySet<string> = new Set([
  'GET /healthz',
  'GET /health',
  'GET /ready',
  'GET /readyz',
  'GET /api/version',
  'GET /api/setup/status',
  'POST /api/auth/login',
  'GET /api/session',
  'DELETE /api/session',
  'POST /api/auth/logout',
  'GET /api/auth/me',
  'POST /api/auth/password',
  'GET /api/auth/sessions',
  'DELETE /api/auth/sessions/:id',
  'DELETE /api/auth/sessions',
  'GET /api/vault',
  'POST /api/vault/unlock',
]);

/** Throws `vault_sealed` (503) for everything else. */
export function requireOpenVault(row: Pick<AnyRoute, 'method' | 'path'>, vault: VaultPort): void {
  if (vault.sealed() && !OPEN.has(`${row.method} ${row.path}`)) throw vaultSealed();
}
