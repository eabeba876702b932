import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { describeIsolation, isolationChecks, probeIsolation } from './isolation.ts';
import { canFence } from './launch.test-support.ts';

const refusing = (names: readonly string[]): string =>
  JSON.stringify(Object.fromEntries(names.map((name) => [name, 'refused'])));

describe.skipIf(!canFence('the isolation probe'))('the isolation probe', () => {
  it('finds level 2 in a moment', async () => {
    const began = performance.now();
    for (let at = 0; at < 3; at += 1) spawnSync(process.execPath, ['-e', '0']);
    const start = (performance.now() - began) / 3;
    const report = await probeIsolation();
    expect(report.level).toBe(2);
    expect(report.fences.landlock.abi).toBeGreaterThan(0);
    expect(report.tookMs / start, 'against the start of one process').toBeLessThan(40);
    expect(describeIsolation(report)[0]).toContain('level 2');
  });

  it('counts a missing answer as allowed', async () => {
    for (const name of isolationChecks.filter((check) => !check.startsWith('user_'))) {
      const others = isolationChecks.filter((other) => other !== name);
      const start = () => Promise.resolve({ line: refusing(others), landlockAbi: 7 });
      const report = await probeIsolation({ start });
      expect([name, report.checks[name], report.level]).toEqual([name, 'allowed', 0]);
    }
  });

  it('does not throw on an answer that is none', async () => {
    const report = await probeIsolation({ start: () => Promise.resolve({ line: '{"fork', landlockAbi: 7 }) });
    expect(report.level).toBe(0);
    expect(Object.values(report.checks)).not.toContain('refused');
  });

  it('finds level 0 without its files, and says why once', async () => {
    const report = await probeIsolation({ assets: '/nowhere' });
    expect(report.level).toBe(0);
    expect(report.missing).toHaveLength(2);
    expect(describeIsolation(report)[1]).toContain('/nowhere/fence.pl');
  });
});

it('finds level 0 on a machine without the means', async () => {
  const report = await probeIsolation({ tools: null });
  expect(report.level).toBe(0);
  expect(Object.keys(report.checks)).toEqual(isolationChecks);
  expect(describeIsolation(report)[0]).toContain('level 0');
});
