import { afterEach } from 'vitest';
import { createWorkbench, type Workbench, type WorkbenchOptions } from './workbench.ts';

/** Workbenches that are closed and removed after each test, as the program would be. */
export function workbenches(always: WorkbenchOptions = {}): (options?: WorkbenchOptions) => Workbench {
  const open: Workbench[] = [];
  afterEach(async () => {
    for (const bench of open) await bench.close();
    for (const bench of open.splice(0)) bench.remove();
  });
  return (options = {}) => {
    const bench = createWorkbench({ ...always, ...options });
    open.push(bench);
    return bench;
  };
}
