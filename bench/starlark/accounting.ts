/** What the budgets cost: the same programs with a meter that counts and with one that does not. */
import { readFileSync } from 'node:fs';
import { compileProgram, standardModules, Thread } from '../../src/sandbox/starlark/index.ts';

const LIMITS = { steps: 1_000_000_000, memory: 2 ** 40 };

/** Counts nothing but what compiled code counts in line. */
class FreeThread extends Thread {
  override charge(): void {
    // Nothing is charged here.
  }
  override allocate(): void {
    // Nothing is charged here.
  }
  override allocateString(): void {
    // Nothing is charged here.
  }
  override allocateList(): void {
    // Nothing is charged here.
  }
}

function time(text: string, make: () => Thread): number {
  const program = compileProgram(text, { predeclared: standardModules(0) });
  const begin = process.cpuUsage();
  program.run(make());
  const { user, system } = process.cpuUsage(begin);
  return user + system;
}

/** The share of the time that charging takes, over all programs, best of three. */
export function accountingShare(files: readonly string[]): number {
  let counted = 0;
  let free = 0;
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    const times = { counted: [] as number[], free: [] as number[] };
    for (let round = 0; round < 3; round += 1) {
      times.counted.push(time(text, () => new Thread({ limits: LIMITS })));
      times.free.push(time(text, () => new FreeThread({ limits: LIMITS })));
    }
    counted += Math.min(...times.counted);
    free += Math.min(...times.free);
  }
  return Math.max(0, 1 - free / counted);
}
