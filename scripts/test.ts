/**
 * Runs every suite and says plainly how it went. `npm test [filter...]` runs the files whose path contains a filter.
 * With OPENPACT_CI=1 a skipped test counts as a failure (but those of the container image, which not every machine can
 * run: they say so loudly), and every suite has to stay within its time budget by and large.
 */
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { startVitest, type Reporter, type TestModule } from 'vitest/node';
import { build } from './build.ts';
import { leftRunning } from './left-running.ts';
import { buildSeams } from './test-bundle.ts';

const ROOT = join(import.meta.dirname, '..');
const CI = process.env['OPENPACT_CI'] === '1';

/**
 * Seconds that the files of a suite may take on two quiet cores, each file counted by itself, three at once. A suite
 * that is over is named, so that somebody mends it. All together have to end within 15 minutes.
 */
const SUITES: readonly { readonly name: string; readonly folder: string; readonly budget: number }[] = [
  { name: 'attacks', folder: 'test/attacks/', budget: 900 },
  { name: 'end to end', folder: 'test/e2e/', budget: 750 },
  { name: 'image', folder: 'test/image/', budget: 80 },
  { name: 'conformance', folder: 'test/conformance/', budget: 20 },
  { name: 'house rules', folder: 'test/', budget: 25 },
  { name: 'language', folder: 'src/sandbox/', budget: 80 },
  { name: 'units', folder: 'src/', budget: 220 },
];

const WHOLE_BUDGET = 15 * 60;

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  ms: number;
}

const tallies = new Map<string, Tally>();
const skipped: string[] = [];
/** Which machines can run them is not ours to choose. */
const MAY_SKIP = 'test/image/';
let unhandled = 0;

const counter: Reporter = {
  onTestRunEnd(modules: readonly TestModule[], errors) {
    unhandled = errors.length;
    for (const module of modules) {
      const path = module.moduleId.slice(ROOT.length + 1);
      const suite = SUITES.find(({ folder }) => path.startsWith(folder))?.name ?? 'units';
      const tally = tallies.get(suite) ?? { passed: 0, failed: 0, skipped: 0, ms: 0 };
      const facts = module.diagnostic();
      tally.ms += facts.duration + facts.collectDuration + facts.setupDuration;
      let tests = 0;
      for (const test of module.children.allTests()) {
        tests += 1;
        const state = test.result().state;
        if (state === 'passed') tally.passed += 1;
        else if (state === 'failed') tally.failed += 1;
        else {
          tally.skipped += 1;
          skipped.push(`${path}: ${test.fullName}`);
        }
      }
      // A file that could not be loaded has no tests; it has failed all the same.
      if (module.state() === 'failed' && (tests === 0 || module.errors().length > 0)) tally.failed += 1;
      tallies.set(suite, tally);
    }
  },
};

if (!process.stdout.isTTY) process.env['NO_COLOR'] = '1';
const filters = process.argv.slice(2);
const began = Date.now();
await build({ quiet: true });
await buildSeams();
process.env['OPENPACT_TEST_BUNDLE'] = '1';
// The same programs are started a thousand times, by root and by the user that OpenPact becomes.
const compiled = join(ROOT, 'test-results', 'compile-cache');
mkdirSync(compiled, { recursive: true });
chmodSync(compiled, 0o777);
process.env['NODE_COMPILE_CACHE'] = compiled;

const vitest = await startVitest('test', filters, {
  root: ROOT,
  watch: false,
  reporters: ['default', counter],
});
await vitest?.close();
// A process takes a moment to end.
await setTimeout(2_000);
const left = leftRunning(ROOT, began);

/** Seconds of the processor that this run has taken, with all processes that it has waited for; elsewhere than on Linux 0. */
function secondsOfWork(): number {
  try {
    // proc_pid_stat(5): utime, stime, cutime and cstime, in hundredths of a second.
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
  } catch {
    return 0;
  }
}

const total = { passed: 0, failed: unhandled + left.length, skipped: 0 };
console.log('\nsuite           tests    seconds  budget');
for (const { name, budget } of SUITES) {
  const tally = tallies.get(name);
  if (!tally) continue;
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
  const seconds = tally.ms / 1000;
  const tests = tally.passed + tally.failed + tally.skipped;
  console.log(
    `${name.padEnd(15)} ${String(tests).padStart(5)} ${seconds.toFixed(1).padStart(10)} ${String(budget).padStart(7)}${seconds > budget ? '  over its budget' : ''}`,
  );
}
const whole = performance.now() / 1000;
console.log(
  `\nthe whole run took ${Math.round(whole)} s, with ${Math.round(secondsOfWork())} s of work for the processor${whole > WHOLE_BUDGET ? `; it may take ${WHOLE_BUDGET}` : ''}`,
);
for (const line of skipped) console.log(`skipped: ${line}`);
for (const line of left) console.log(`left running by a test, which counts as a failure: ${line}`);
if (unhandled > 0) console.log(`${unhandled} errors outside of tests count as failures`);
const optional = skipped.filter((line) => line.startsWith(MAY_SKIP)).length;
if (optional > 0) console.log('NOT TESTED: the container image. The reason stands above.');
if (CI && total.skipped > optional) {
  console.log('OPENPACT_CI=1: a skipped test is a failure');
  total.failed += total.skipped - optional;
}
if (total.passed + total.failed === 0) {
  console.log('no test was found');
  total.failed = 1;
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);
