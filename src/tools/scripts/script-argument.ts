/** The name of a script as an argument: with or without its ending, and nothing that leads anywhere (T-05). */
import { z } from 'zod';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}(\.star)?$/;

export const nameInput = z
  .string()
  .regex(NAME, 'want 1 to 64 letters, digits, "_" and "-", and perhaps ".star"')
  .describe('Name of the script, such as weather or weather.star');

export function bareName(name: string): string {
  return name.endsWith('.star') ? name.slice(0, -'.star'.length) : name;
}

/** The class of looking at scripts and proposing them, and that of running them. */
export const SCRIPTS = 'scripts';
export const RUNS = 'script_runs';
