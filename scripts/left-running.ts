/** Processes that tests have started and not ended. Linux only; elsewhere none is found. */
import { readdirSync, readFileSync, statSync } from 'node:fs';

/**
 * Those that run a program from below `root` and began after `since` (ms), but for this one, what started it and what it
 * started to run the tests.
 */
export function leftRunning(root: string, since: number): string[] {
  const mine = `${process.pid}`;
  return pids().flatMap((pid) => {
    try {
      if (pid === mine || pid === `${process.ppid}`) return [];
      // The folder of a process is as old as the process.
      if (statSync(`/proc/${pid}`).ctimeMs < since) return [];
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const program = words.find((word) => word.startsWith(`${root}/`) && !word.includes('/node_modules/'));
      return program === undefined ? [] : [`${pid} ${words.join(' ').trim()}`];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
}

function pids(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}
