/**
 * What the checks for opaque strings cost where there are none: the programs of the bench, against a copy of the
 * interpreter without these checks. CPU time of whole processes, rounds interleaved.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const CHECK = /(?:\([^()]*\)|[\w.]+(?:\[[^\]]*\])?) instanceof OpaqueString/g;

export interface OpaqueCost {
  /** Time with the checks by time without them, summed over all programs: 1.05 is 5 % more. */
  readonly ratio: number;
  /** How many checks the copy lacks. */
  readonly removed: number;
}

export function opaqueCost(files: readonly string[], rounds: number): OpaqueCost {
  const copy = mkdtempSync(join(tmpdir(), 'starlark-plain-'));
  try {
    const removed = copyWithoutChecks(copy);
    const children = [
      join(ROOT, 'bench', 'starlark', 'child.ts'),
      join(copy, 'bench', 'starlark', 'child.ts'),
    ];
    const best = files.map(() => [Infinity, Infinity]);
    for (let round = 0; round <= rounds; round += 1) {
      files.forEach((file, i) => {
        children.forEach((child, which) => {
          const cpu = cpuOf(child, file, join(copy, `cache-${which}`));
          // The first round fills the caches.
          if (round > 0) (best[i] as number[])[which] = Math.min(cpu, best[i]?.[which] ?? Infinity);
        });
      });
    }
    const sum = (which: number): number => best.reduce((all, times) => all + (times[which] ?? 0), 0);
    return { ratio: sum(0) / sum(1), removed };
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function copyWithoutChecks(copy: string): number {
  let removed = 0;
  for (const file of globSync('src/sandbox/starlark/**/*.ts', { cwd: ROOT })) {
    const text = readFileSync(join(ROOT, file), 'utf8').replaceAll(CHECK, () => {
      removed += 1;
      return 'false';
    });
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), text);
  }
  mkdirSync(join(copy, 'bench', 'starlark'), { recursive: true });
  cpSync(join(ROOT, 'bench', 'starlark', 'child.ts'), join(copy, 'bench', 'starlark', 'child.ts'));
  writeFileSync(join(copy, 'package.json'), '{"type":"module"}');
  return removed;
}

function cpuOf(child: string, file: string, cache: string): number {
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  const { cpu } = JSON.parse(execFileSync(process.execPath, [child, file], { encoding: 'utf8', env })) as {
    cpu: number;
  };
  return cpu;
}
