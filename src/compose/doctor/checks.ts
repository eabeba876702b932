import { accessChecks } from './access-checks.ts';
import { assistantChecks } from './assistant-checks.ts';
import type { CheckGroup } from './control.ts';
import { fenceChecks } from './fence-checks.ts';
import { fileChecks } from './file-checks.ts';
import { machineChecks } from './machine-checks.ts';
import { recordChecks } from './record-checks.ts';
import { scriptChecks } from './script-checks.ts';
import { secretChecks } from './secret-checks.ts';

/** What `doctor` tries beyond the rows of docs/security.md. */
export const BEYOND_ROWS: readonly string[] = [
  'isolation',
  'main-job',
  'jail',
  'refresh',
  'paths',
  'budget',
  'steps',
  'master-key',
];

/** In the order in which they run: the record at the end, so that it has something to tell. */
export const CHECKS: readonly CheckGroup[] = [
  fenceChecks,
  machineChecks,
  fileChecks,
  secretChecks,
  scriptChecks,
  assistantChecks,
  accessChecks,
  recordChecks,
];
