// Guarantees: the master key is not taken from a file that others than its owner can read or write: in a container the
// users of the agent and of scripts are such others, and would have nothing but Landlock before them.
// Does not: look at the folders above it, nor at an access list (where there is one, the group's bits are its bounds).
// An attacker may control: nothing; an operator, or an engine of containers, may hand over a file with the wrong mode.
import type { Stats } from 'node:fs';

/**
 * Why the file can't hold the master key, with what to do about it; undefined where it can. `us`: the user who reads it,
 * undefined where there are no users. The group of root counts as root: systemd hands credentials over so.
 */
export function keyFileProblem(
  path: string,
  { mode, uid, gid }: Pick<Stats, 'mode' | 'uid' | 'gid'>,
  us: number | undefined,
): string | undefined {
  if (us === undefined) return undefined;
  const open = (mode & 0o007) !== 0 || ((mode & 0o070) !== 0 && gid !== 0);
  // Root becomes another user before it opens anything, and that one asks again.
  const foreign = us !== 0 && uid !== us && uid !== 0;
  if (!open && !foreign) return undefined;
  const bits = (mode & 0o777).toString(8).padStart(4, '0');
  const what = open ? 'others than its owner can read or change' : 'that belongs to another user';
  return `${path} is a file ${what} (mode ${bits}, owner ${uid}, group ${gid}); ${repair(path, uid, us)}`;
}

/** For a file that can't be opened at all. */
export function repair(path: string, uid: number | undefined, us: number | undefined): string {
  const own = us === undefined || us === 0 || uid === us;
  const file = /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
  const command = own ? `chmod 600 ${file}` : `chown ${us} ${file} && chmod 400 ${file}`;
  // What an engine of containers mounts can't be changed from inside.
  return path.startsWith('/run/secrets/')
    ? `on the host, for the file behind it: ${command}; in a swarm give the secret uid: "${us ?? 0}" and mode: 0400`
    : command;
}
