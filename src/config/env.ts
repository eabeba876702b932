// Guarantees: the only reader of this process's environment. Where the starter handed the real one over a pipe, it is
// read once and the pipe closed; what stands in /proc/PID/environ then holds a few harmless names.
// Does not: clean anything when the program is started without the starter (from source, in tests): `handedOver` says so.
// An attacker may control: the values of variables, never the number of the pipe.
import { closeSync, readFileSync } from 'node:fs';
import type { Environment } from './types.ts';

const FLAG = '--environment-fd=';

export interface Surroundings {
  /** The arguments without the one that was meant for us. */
  readonly argv: readonly string[];
  readonly environment: Environment;
  /** False: this process's own environment is the real one, secrets included. */
  readonly handedOver: boolean;
  /** Whether the starter could wipe its own environment. */
  readonly wiped: boolean;
}

/** Reads the environment; call once, first of all. `argv` is `process.argv.slice(2)`. */
export function readSurroundings(argv: readonly string[]): Surroundings {
  const [first, ...rest] = argv;
  if (first === undefined || !first.startsWith(FLAG)) {
    return { argv, environment: { ...process.env }, handedOver: false, wiped: false };
  }
  const pipe = Number(first.slice(FLAG.length));
  const text = readFileSync(pipe, 'utf8');
  closeSync(pipe);
  const handed = JSON.parse(text) as { environment: Record<string, string>; wiped: boolean };
  return { argv: rest, environment: handed.environment, handedOver: true, wiped: handed.wiped };
}
