import { AppError } from '../core/index.ts';
import type { Config } from '../config/index.ts';
import { describeIsolation, type IsolationReport } from '../host/process/index.ts';

/** Refuses to start below the level that the owner asked for. Error (config): `isolation_too_low`. */
export function requireIsolation(report: IsolationReport, config: Config): void {
  const wanted = config.security.minIsolation;
  if (report.level >= wanted) return;
  const [summary = '', ...missing] = describeIsolation(report);
  throw new AppError({
    family: 'config',
    code: 'isolation_too_low',
    message: `${summary} security.min_isolation asks for level ${wanted}.`,
    fix: missing.join(' ') || 'Lower security.min_isolation.',
  });
}
