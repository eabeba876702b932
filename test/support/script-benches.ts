import { afterEach } from 'vitest';
import { openScriptBench, type ScriptBench, type ScriptBenchOptions } from './script-bench.ts';

/** Opens benches that are closed after each test. */
export function scriptBenches(): (options?: ScriptBenchOptions) => ScriptBench {
  const open: ScriptBench[] = [];
  afterEach(() => {
    for (const bench of open.splice(0)) bench.close();
  });
  return (options = {}) => {
    const bench = openScriptBench(options);
    open.push(bench);
    return bench;
  };
}
