import { first } from './0001-first.ts';
import { conversations } from './0002-conversations.ts';
import { fileVersions } from './0003-file-versions.ts';
import { budgets } from './0004-budgets.ts';
import { auditFilters } from './0005-audit-filters.ts';
import { fallbackModels } from './0006-fallback-models.ts';
import { secrets } from './0007-secrets.ts';
import { scripts } from './0008-scripts.ts';
import { keptSchedules } from './0009-kept-schedules.ts';
import { inbox } from './0010-inbox.ts';
import { offerDismissals } from './0011-offer-dismissals.ts';
import { approvedRuns } from './0012-approved-runs.ts';

/** In order; never change one that has been released: add another. */
export const migrations: readonly string[] = [
  first,
  conversations,
  fileVersions,
  budgets,
  auditFilters,
  fallbackModels,
  secrets,
  scripts,
  keptSchedules,
  inbox,
  offerDismissals,
  approvedRuns,
];
