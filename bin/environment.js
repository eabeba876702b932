// The environment of this process: taken out, wiped, and what little of it a child may have.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

const HARMLESS = new Set(['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'USER', 'TERM', 'NO_COLOR']);

/** A copy of the environment, which is gone from this process afterwards. `wiped` is false where that can't be done. */
export function takeEnvironment() {
  const environment = { ...process.env };
  for (const name of Object.keys(process.env)) delete process.env[name];
  return { environment, wiped: wipe() };
}

/** What may stand in a child's /proc/PID/environ. */
export function cleanEnvironment(environment) {
  const names = Object.keys(environment).filter((name) => HARMLESS.has(name) || /^LC_[A-Z]+$/.test(name));
  return Object.fromEntries(names.map((name) => [name, environment[name]]));
}

// Deleting from process.env leaves the texts where the kernel put them at exec: proc(5), fields env_start and env_end.
function wipe() {
  if (process.platform !== 'linux') return false;
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    // The program's name, in parentheses, may itself hold blanks and parentheses. After it comes field 3.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const start = Number(fields[50 - 3]);
    const end = Number(fields[51 - 3]);
    if (!(start > 0 && end >= start)) return false;
    const memory = openSync('/proc/self/mem', 'r+');
    try {
      const zeros = Buffer.alloc(end - start);
      let done = 0;
      while (done < zeros.length) done += writeSync(memory, zeros, done, zeros.length - done, start + done);
    } finally {
      closeSync(memory);
    }
    return readFileSync('/proc/self/environ').every((byte) => byte === 0);
  } catch {
    // A kernel that refuses the write: the product is told, and says so.
    return false;
  }
}
