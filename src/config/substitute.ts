import type { Environment } from './types.ts';

/**
 * Fills in `${VAR}` and `${VAR:-default}` (C-06); `$${` stands for `${` itself. The default also stands for an empty
 * variable, as in a shell. What was filled in is not looked at again. The result must never be logged.
 */
export function substitute(
  text: string,
  environment: Environment,
): { readonly text: string; readonly changed: boolean; readonly problems: readonly string[] } {
  const problems: string[] = [];
  let changed = false;
  const filled = text.replaceAll(/\$\$\{|\$\{([^}]*)(\}?)/g, (whole, inner?: string, end?: string) => {
    changed = true;
    if (inner === undefined) return '${';
    const found = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner);
    if (!found || end === '') {
      problems.push('has a "${" that is not "${NAME}" or "${NAME:-default}"; write "$${" for the two signs');
      return whole;
    }
    const [, name = '', otherwise] = found;
    const value = environment[name];
    if (value !== undefined && (value !== '' || otherwise === undefined)) return value;
    if (otherwise === undefined) problems.push(`uses the variable ${name}, which is not set`);
    return otherwise ?? '';
  });
  return { text: filled, changed, problems };
}
