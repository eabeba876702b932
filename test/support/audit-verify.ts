import { spawnSync } from 'node:child_process';
import { PRODUCT } from './product.ts';

/** What `openpact audit verify` says of a workspace, beside the running program or without it. */
export function auditVerdict(workspace: string): { readonly ok: boolean; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [PRODUCT, 'audit', 'verify', '--json', '--workspace', workspace],
    { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '' } },
  );
  return { ok: status === 0, said: `${stdout}${stderr}` };
}
