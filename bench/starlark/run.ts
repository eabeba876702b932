/**
 * Starlark against CPython: the same programs, CPU time of whole processes (start-up included), rounds interleaved.
 * `node bench/starlark/run.ts [FOLDER] [ROUNDS]`. Prints a table, the cost of compiling, of accounting and of
 * the checks for opaque strings.
 * Exit status 1 when a goal is missed: median ratio 2.0, worst 4, 1,000 lines in 20 ms, accounting 20 %,
 * checks for opaque strings 20 %.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accountingShare } from './accounting.ts';
import { compileTime } from './compile-time.ts';
import { opaqueCost } from './opaque-cost.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
// First, while this process has done nothing else.
const compile = compileTime();
const folder = process.argv[2] ?? fileURLToPath(new URL('../../../shared/starlark/bench', import.meta.url));
const rounds = Number(process.argv[3] ?? 5);

interface Result {
  readonly output: string;
  readonly cpu: number;
}

/** Holds the modules without their types, as a built package has them; filled by the first run. */
const cache = mkdtempSync(join(tmpdir(), 'starlark-bench-'));

function ours(file: string): Result {
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  return JSON.parse(
    execFileSync(process.execPath, [join(here, 'child.ts'), file], { encoding: 'utf8', env }),
  ) as Result;
}

const shim = readFileSync(join(here, 'python-shim.py'), 'utf8');
const report =
  '\nimport resource as _r, sys as _s\n_u = _r.getrusage(_r.RUSAGE_SELF)\n_s.stderr.write("%.6f" % (_u.ru_utime + _u.ru_stime))\n';

function python(file: string): Result {
  const program = `${shim}\n${readFileSync(file, 'utf8')}${report}`;
  const script = `import subprocess, sys, json\np = subprocess.run([sys.executable, "-c", sys.stdin.read()], capture_output=True, text=True)\nprint(json.dumps({"output": p.stdout.strip(), "cpu": float(p.stderr)}))`;
  return JSON.parse(execFileSync('python3', ['-c', script], { input: program, encoding: 'utf8' })) as Result;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

const files = readdirSync(folder)
  .filter((name) => name.endsWith('.star'))
  .sort();
ours(join(folder, files[0] ?? ''));
const times = new Map(files.map((file) => [file, { ours: [] as number[], python: [] as number[] }]));
for (let round = 0; round < rounds; round += 1) {
  for (const file of files) {
    const path = join(folder, file);
    const a = ours(path);
    const b = python(path);
    if (a.output.replaceAll(' ', '') !== b.output.replaceAll(' ', ''))
      throw new Error(`${file}: ${a.output} is not ${b.output}`);
    times.get(file)?.ours.push(a.cpu);
    times.get(file)?.python.push(b.cpu);
  }
}

rmSync(cache, { recursive: true });
const rows = files.map((file) => {
  const a = median(times.get(file)?.ours ?? []);
  const b = median(times.get(file)?.python ?? []);
  return {
    program: file,
    'ours, s': Number(a.toFixed(3)),
    'python3, s': Number(b.toFixed(3)),
    ratio: Number((a / b).toFixed(2)),
  };
});
console.table(rows);
const ratios = rows.map((row) => row.ratio);
const middle = median(ratios);
const worst = Math.max(...ratios);
const accounting = accountingShare(files.map((file) => join(folder, file)));
const opaque = opaqueCost(
  files.map((file) => join(folder, file)),
  rounds,
);
console.log(`median ratio ${middle.toFixed(2)} (at most 2.0), worst ${worst.toFixed(2)} (at most 4)`);
console.log(
  `compiling 1,000 lines: ${compile.first.toFixed(1)} ms the first time, ${compile.later.toFixed(1)} ms later (at most 20)`,
);
console.log(`accounting: ${(100 * accounting).toFixed(0)} % of the time (at most 20)`);
console.log(
  `checks for opaque strings: ${(100 * (opaque.ratio - 1)).toFixed(0)} % more time on public data (at most 20; ${opaque.removed} checks)`,
);
if (opaque.ratio > 1.2 || middle > 2 || worst > 4 || compile.later > 20 || accounting > 0.2)
  process.exitCode = 1;
