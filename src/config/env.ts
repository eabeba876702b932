// Guarantees: the only reader of this process's environment. Where the starter handed the real one over a pipe, it is
// read once and the pipe closed; what stands in /proc/PID/environ then holds a few harmless names.
// Does not: clean anything when the program is started without the starter (from source, in tests): `handedOver` says so.
// An attacker may control: the values of variables, never the number of the pipe.
import { closeSync, readFileSync } from 'node:fs';
import { takeEnvironment } from '../../bin/environment.js';
import type { Environment } from './types.ts';

const PIPE = '--environment-fd=';
/** Given by ourselves, started again as another user: take it out of this process, as the starter does. */
const WIPE = '--wipe-environment';
/** Given by a starter that was started as root: what to start as another user. */
const STARTER = '--starter=';

export interface Surroundings {
  /** The arguments without the one that was meant for us. */
  readonly argv: readonly string[];
  readonly environment: Environment;
  /** False: this process's own environment is the real one, secrets included. */
  readonly handedOver: boolean;
  /** Whether the starter could wipe its own environment. */
  readonly wiped: boolean;
  /** The starter, where it left it to us to become another user. */
  readonly starter: string | undefined;
}

/** Reads the environment; call once, first of all. `argv` is `process.argv.slice(2)`. */
export function readSurroundings(argv: readonly string[]): Surroundings {
  const [first = '', ...rest] = argv;
  if (first === WIPE) return { argv: rest, ...takeEnvironment(), handedOver: true, starter: undefined };
  if (first.startsWith(PIPE)) return { argv: rest, ...readPipe(Number(first.slice(PIPE.length))) };
  if (first.startsWith(STARTER)) {
    return { argv: rest, ...takeEnvironment(), handedOver: true, starter: first.slice(STARTER.length) };
  }
  return { argv, environment: { ...process.env }, handedOver: false, wiped: false, starter: undefined };
}

function readPipe(pipe: number): Omit<Surroundings, 'argv'> {
  const text = readFileSync(pipe, 'utf8');
  closeSync(pipe);
  const handed = JSON.parse(text) as { environment: Record<string, string>; wiped: boolean };
  return { environment: handed.environment, handedOver: true, wiped: handed.wiped, starter: undefined };
}
