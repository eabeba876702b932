import { configDefaults, defineConfig } from 'vitest/config';

/** They hold a duration against a bound, or take all of the machine for a moment: nothing runs beside them. */
const ALONE = [
  'src/engine/fallback.test.ts',
  'src/guard/secrets/redactor.test.ts',
  'src/host/process/launch*.test.ts',
  'src/host/storage/has-words.test.ts',
  'test/attacks/fallback.test.ts',
  'test/attacks/hanging.test.ts',
  'test/attacks/launcher-bombs.test.ts',
  'test/attacks/login-enumeration.test.ts',
  'test/attacks/many-conversations.test.ts',
  'test/image/*.test.ts',
];

/**
 * They start no program and leave nothing behind in their process, so one process runs many of them: a process for each
 * file costs more than most of these files do. Whatever measures what its process holds is none of them.
 */
const UNITS = [
  'src/{agent,core,engine,observe,tools}/**/*.test.ts',
  'src/edge/{admin,llm,mcp}/**/*.test.ts',
  'src/guard/!(audit)/**/*.test.ts',
  'src/guard/audit/!(audit-export).test.ts',
];

/** All that are run. */
export const TESTS = ['src/**/*.test.ts', 'test/**/*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    // Nothing is asserted by these: they end a test that hangs, on a machine with other work too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // By default what is polled has to come within a second, which is a bound that nobody chose.
    expect: { poll: { timeout: 30_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: UNITS,
          exclude: [...configDefaults.exclude, ...ALONE],
          isolate: false,
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'together',
          include: TESTS,
          exclude: [...configDefaults.exclude, ...ALONE, ...UNITS],
          // Most tests wait for programs that they have started; by default two cores would run one file at a time.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
