/**
 * How a process that was started as root becomes `openpact-system`, keeping only what the launcher needs.
 *
 * Guarantees: `becomeSystem` never returns: this very process (its pid, its place as PID 1) goes on as `openpact-system`
 * with SETUID, SETGID and KILL alone, a bounding set of these three where it could be lowered, no supplementary group and
 * no_new_privs. It refuses where one of the three is missing, so that nothing ever goes on as root by accident.
 *
 * Does not: keep the three from the programs that `openpact-system` starts. A user that is not root carries
 * capabilities through exec as ambient ones alone, and these pass through a plain change of user (spawn with uid, gosu):
 * whoever got such a child would be root. So children start through the launcher only, which empties every set twice
 * (setpriv, fence.pl) and looks at all of them in /proc before the child's first instruction.
 *
 * An attacker may control: nothing here.
 */
import { AppError, errorText } from '../../core/index.ts';
import { findTool } from './tools.ts';
import { heldCapabilities, launcherCapabilities } from './users.ts';
import type { UserIds } from './types.ts';

export interface BecomeSystem {
  readonly user: UserIds;
  /** An absolute program and its arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Errors (config): `capabilities_missing`, `setpriv_missing`, `drop_failed`. */
export function becomeSystem(order: BecomeSystem): never {
  const [file, ...args] = systemCommand(order);
  let cause: unknown = 'this Node can not replace its process';
  try {
    process.execve?.(file, [file, ...args], { ...order.env });
  } catch (error) {
    cause = error;
  }
  throw new AppError({
    family: 'config',
    code: 'drop_failed',
    message: `OpenPact could not become the user ${order.user.uid}: ${errorText(cause)}`,
    fix: 'Start it as a user that is not root.',
    cause,
  });
}

/** setpriv with everything in front of the command. */
export function systemCommand({ user, command }: BecomeSystem): [string, ...string[]] {
  const lacking = launcherCapabilities.filter(
    (name) => !heldCapabilities(launcherCapabilities).includes(name),
  );
  if (lacking.length > 0) {
    const names = lacking.map((name) => name.toUpperCase());
    throw new AppError({
      family: 'config',
      code: 'capabilities_missing',
      message: `OpenPact was started as root without ${names.join(', ')}, so it can not become another user.`,
      fix: 'In a container, drop all capabilities and add SETUID, SETGID and KILL (cap_add), or start it as user 41001:41000, which gives isolation level 2.',
      details: { missing: names },
    });
  }
  const setpriv = findTool('setpriv');
  if (setpriv === undefined) {
    throw new AppError({
      family: 'config',
      code: 'setpriv_missing',
      message: 'OpenPact was started as root, and setpriv, which makes it another user, is not installed.',
      fix: 'Install util-linux, or start OpenPact as a user that is not root.',
    });
  }
  const kept = launcherCapabilities.map((name) => `,+${name}`).join('');
  return [
    setpriv,
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    '--clear-groups',
    '--no-new-privs',
    `--inh-caps=-all${kept}`,
    `--ambient-caps=-all${kept}`,
    `--bounding-set=-all${kept}`,
    '--',
    // As the first process of a container somebody must wait for orphans.
    ...(process.pid === 1 ? init() : []),
    ...command,
  ];
}

function init(): string[] {
  const tini = findTool('tini');
  return tini === undefined ? [] : [tini, '--'];
}
