import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { assemble } from './bpf.ts';
import { canFence, plainNode, temporaryFolder } from './launch.test-support.ts';
import { answers } from './seccomp.ts';
import { findTools } from './tools.ts';

const index = path.join(import.meta.dirname, 'index.ts');

describe.skipIf(!canFence('a kernel without Landlock'))('a kernel that refuses Landlock', () => {
  /** As under an old container profile: landlock_create_ruleset gives EPERM. */
  function withoutLandlock(folder: string): string[] {
    const filter = assemble([
      { op: 'load', offset: 0 },
      { op: 'if-equal', value: 444, no: 'other' },
      { op: 'return', value: answers.EPERM },
      { op: 'label', name: 'other' },
      { op: 'return', value: answers.allow },
    ]);
    const script = path.join(folder, 'without-landlock.pl');
    const [prctl, seccomp] = process.arch === 'arm64' ? [167, 277] : [157, 317];
    writeFileSync(
      script,
      `my $filter = pack('H*', '${filter.toString('hex')}'); my $program = pack('Sx6p', ${filter.length / 8}, $filter);
       syscall(${prctl}, 38, 1, 0, 0, 0) == 0 && syscall(${seccomp}, 1, 0, $program) == 0 or die; exec @ARGV or die;`,
    );
    return [findTools()!.perl, script];
  }

  async function tryLaunch(allowUnfenced: boolean): Promise<string> {
    const parent = await plainNode(
      `
      const { createLauncher, nodeFences } = await import(${JSON.stringify(index)});
      try {
        const child = await createLauncher().launch({ program: process.execPath, args: ['-e', '1'], env: {},
          fences: { ...nodeFences({}), allowUnfenced: ${allowUnfenced} } });
        await child.exited;
        console.log(JSON.stringify(child.fence));
      } catch (error) { console.log(error.code, error.message, error.fix); }`,
      withoutLandlock(temporaryFolder()),
    );
    await parent.ended;
    return parent.output() + parent.errors();
  }

  it('starts nothing and says why', async () => {
    const said = await tryLaunch(false);
    expect(said).toMatch(
      /^fence_failed .*Landlock is not available: Operation not permitted.*kernel with Landlock/,
    );
  });

  it('still puts up seccomp around what may run unfenced, and says so', async () => {
    expect(JSON.parse(await tryLaunch(true))).toEqual({
      fenced: false,
      landlockAbi: 0,
      notes: ['Landlock is not available: Operation not permitted'],
    });
  });
});
