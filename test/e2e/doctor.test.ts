/** `openpact doctor`: every row that is in force has a check, and a control that is off is seen. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, type TestContext } from 'vitest';
import { accessChecks } from '../../src/compose/doctor/access-checks.ts';
import { assistantChecks } from '../../src/compose/doctor/assistant-checks.ts';
import { BEYOND_ROWS, CHECKS } from '../../src/compose/doctor/checks.ts';
import type { CheckGroup } from '../../src/compose/doctor/control.ts';
import { doctorAnswer, examine, type DoctorAnswer } from '../../src/compose/doctor/doctor.ts';
import { fenceChecks } from '../../src/compose/doctor/fence-checks.ts';
import { fileChecks } from '../../src/compose/doctor/file-checks.ts';
import { machineChecks } from '../../src/compose/doctor/machine-checks.ts';
import { scriptChecks } from '../../src/compose/doctor/script-checks.ts';
import { doctorScreen } from '../../src/compose/doctor/screen.ts';
import { secretChecks } from '../../src/compose/doctor/secret-checks.ts';
import { layoutOf } from '../../src/compose/layout.ts';
import { loadConfig } from '../../src/config/index.ts';
import { probeIsolation } from '../../src/host/process/index.ts';
import { weakened, type Seam } from '../seams/weakened.ts';
import { PRODUCT, QUICK_PASSWORDS, ROOT, SEAMS } from '../support/product.ts';
// Its trial logs in twenty times; the first of the tests below pays for it.
import '../seams/quick-passwords.mjs';
import { PASSWORD, startProgram } from '../support/running-program.ts';

const DOCUMENT = readFileSync(join(ROOT, 'docs', 'security.md'), 'utf8');
const canFence = (await probeIsolation()).level >= 2;
if (!canFence) console.warn('The fences are not tried by the tests of doctor here: this machine has none.');

/** A folder for one test: others run beside it. */
function ownFolder({ onTestFinished }: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'openpact-doctor-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const child = spawn(process.execPath, args, {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (err += part.toString()));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, out, err };
}

const doctor = (folder: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  run([...QUICK_PASSWORDS, PRODUCT, 'doctor', '--workspace', folder, '--json'], env);

/** In this process, so that controls can be left out. */
async function examined(
  workspace: string,
  groups: readonly CheckGroup[],
  off: readonly Seam[],
): Promise<ReadonlyMap<string, string>> {
  const loaded = loadConfig({
    flags: { workspace },
    environment: {},
    folder: workspace,
    workspaceDefault: workspace,
  });
  const result = await examine(
    { loaded, parts: weakened(off, undefined), layout: layoutOf(dirname(PRODUCT), '0.0.0-doctor') },
    groups,
  );
  const answer = doctorAnswer(result);
  expect(answer.ok).toBe(!answer.controls.some(({ state }) => state === 'failed'));
  return new Map(answer.controls.map(({ id, state }) => [id, state]));
}

/** One check of a group. */
const checkOf = (group: CheckGroup, id: string): CheckGroup => ({
  ...group,
  checks: group.checks.filter(({ ids }) => ids.includes(id)),
});

const failedOf = (states: ReadonlyMap<string, string>): readonly string[] =>
  [...states].filter(([, state]) => state === 'failed').map(([id]) => id);

test('every row that is in force has one check, and no check names a row that is not', () => {
  const inForce = DOCUMENT.split('\n')
    .filter((line) => /^\| S-\d+a? \|/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter((cells) => cells[3] === 'in force')
    .map((cells) => cells[1] ?? '');
  const checked = CHECKS.flatMap(({ checks }) => checks.flatMap(({ ids }) => ids));
  expect(checked.filter((id) => !BEYOND_ROWS.includes(id)).toSorted()).toEqual(inForce.toSorted());
  expect(checked.filter((id) => BEYOND_ROWS.includes(id)).toSorted()).toEqual(BEYOND_ROWS.toSorted());
  for (const id of BEYOND_ROWS) expect(DOCUMENT).toContain(`\`${id}\``);
});

// It waits for ten seconds each time: the tests of the whole program do so together.
describe.concurrent('doctor as a program', { timeout: 180_000 }, () => {
  test('works on an empty folder, says what it tried, and leaves the folder as it was', async (context) => {
    const workspace = ownFolder(context);
    const { code, out, err } = await run([PRODUCT, 'doctor', '--workspace', workspace, '--json']);
    expect(err).toBe('');
    const answer = JSON.parse(out) as DoctorAnswer;
    expect(Object.keys(answer)).toEqual(['isolation', 'controls', 'ok']);
    expect(Object.keys(answer.isolation)).toEqual(['level', 'fences']);
    expect(answer.controls.filter(({ state }) => state === 'failed')).toEqual([]);
    expect(answer.ok).toBe(true);
    expect(code).toBe(0);
    const states = new Set(['on', 'off_by_config', 'not_possible_here']);
    for (const control of answer.controls) {
      expect(Object.keys(control)).toEqual(['id', 'state', 'how']);
      expect(states).toContain(control.state);
      expect(control.how).toMatch(/\.$/);
    }
    expect(answer.controls).toContainEqual(expect.objectContaining({ id: 'S-36', state: 'off_by_config' }));
    expect(readdirSync(workspace)).toEqual([]);
  });

  test('beside a running instance it tries the configuration of the owner and changes nothing there', async () => {
    const program = await startProgram({
      config: 'admin:\n  allowed_ips: [127.0.0.1]\nlogging: {level: info}\n',
    });
    try {
      const { body: policy } = await program.api<{ digest: string }>('GET', '/api/policy');
      const rule = { tool: 'workspace_write', resource: 'workspace', origin: 'page', decision: 'allow' };
      const set = { rules: [rule], digest: policy.digest, password: PASSWORD };
      expect(await program.api('PUT', '/api/policy', set)).toMatchObject({ status: 200 });
      const before = await program.api<{ entries: unknown[] }>('GET', '/api/audit?limit=1000');
      const { code, out } = await doctor(program.workspace);
      const { controls, ok } = JSON.parse(out) as DoctorAnswer;
      expect(controls.filter(({ state }) => state === 'failed')).toEqual([]);
      expect([ok, code]).toEqual([true, 0]);
      expect(await program.api('GET', '/api/audit?limit=1000')).toMatchObject({ body: before.body });
      const names = readdirSync(program.workspace);
      expect(names.filter((name) => name.startsWith('.doctor'))).toEqual([]);
      const found = (id: string) => controls.find((control) => control.id === id);
      expect(found('S-36')).toMatchObject({ state: 'on' });
      // What the owner set on the page counts too: writes that nobody is asked for.
      expect(found('S-04')).toMatchObject({
        state: 'off_by_config',
        how: expect.stringContaining('workspace_write on workspace') as string,
      });
      expect(found('S-05')?.how).toMatch(/and your own \(\d+ entries\)/);
    } finally {
      await program.stop();
      program.remove();
    }
  });

  test.skipIf(!canFence || process.getuid?.() !== 0)(
    'without the users it says so, where it could have them',
    async (context) => {
      const args = ['--off=users', 'doctor', '--workspace', ownFolder(context), '--json'];
      const { code, out } = await run([...QUICK_PASSWORDS, SEAMS, ...args]);
      const { controls } = JSON.parse(out) as DoctorAnswer;
      const failed = controls.filter(({ state }) => state === 'failed').map(({ id }) => id);
      expect(failed).toEqual(['S-18', 'S-19', 'S-24', 'S-57', 'S-58']);
      expect(code).toBe(1);
    },
  );

  test("a secret that stands in the environment and a changed row in the owner's own audit log are failures, and nothing else is", async () => {
    const program = await startProgram();
    await program.stop();
    try {
      const database = new DatabaseSync(join(program.workspace, 'secure', 'data', 'openpact.db'));
      database.exec("UPDATE audit SET outcome = 'refused' WHERE seq = 1");
      database.close();
      const { code, out } = await doctor(program.workspace, { OPENPACT_SECRET_X: 'pw-N7xQ2vKd93LsTz8Rb41W' });
      const { controls } = JSON.parse(out) as DoctorAnswer;
      const failed = controls.filter(({ state }) => state === 'failed').map(({ id }) => id);
      expect(failed.toSorted()).toEqual(['S-05', 'S-17']);
      expect(out).not.toContain('pw-N7xQ2vKd93LsTz8Rb41W');
      expect(code).toBe(1);
    } finally {
      program.remove();
    }
  });
});

describe('doctor', { timeout: 180_000 }, () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'openpact-doctor-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test.each<readonly [Seam, CheckGroup, readonly string[]]>([
    ['tool-paths', fileChecks, ['S-25']],
    ['jail', fileChecks, ['S-25a', 'jail']],
    ['redaction', secretChecks, ['S-14', 'S-15', 'S-62', 'S-70', 'S-87']],
    ['policy', assistantChecks, ['S-04', 'S-44']],
    ['seen-calls', assistantChecks, ['S-21']],
    ['budget', assistantChecks, ['budget']],
    ['step-limit', assistantChecks, ['steps']],
    ['step-up', assistantChecks, ['S-44', 'budget']],
    ['login-limits', accessChecks, ['S-35', 'S-64', 'S-77']],
    ['egress-rate', checkOf(scriptChecks, 'S-32'), ['S-32']],
    ['egress-addresses', checkOf(scriptChecks, 'S-51'), canFence ? ['S-47', 'S-51'] : []],
  ])('without %s it says so, and of nothing else', async (off, group, ids) => {
    expect(failedOf(await examined(folder, [group], [off]))).toEqual(ids);
  });

  test.skipIf(!canFence)('without the fences it says so, on a machine that has them', async () => {
    const failed = failedOf(await examined(folder, [fenceChecks], ['fences']));
    expect(failed).toEqual(['S-86', 'S-03', 'S-13', 'S-22', 'S-26', 'S-10', 'S-11']);
  });

  test('a level below security.min_isolation and an open secure/ are failures', async () => {
    mkdirSync(join(folder, 'secure'), { mode: 0o700 });
    writeFileSync(join(folder, 'secure', 'config.yaml'), 'security: {min_isolation: 3}\n', {
      mode: 0o600,
    });
    chmodSync(join(folder, 'secure'), 0o755);
    // Children of this process run as its own user.
    const states = await examined(folder, [fenceChecks, machineChecks], []);
    expect(states.get('isolation')).toBe('failed');
    expect(states.get('S-56')).toBe('failed');
    expect(states.get('S-18')).toBe('failed');
  });

  test('the screen begins with what is wrong and what to do', async () => {
    const loaded = loadConfig({
      flags: { workspace: folder },
      environment: {},
      folder,
      workspaceDefault: folder,
    });
    const layout = layoutOf(dirname(PRODUCT), '0.0.0-doctor');
    const result = await examine({ loaded, parts: weakened(['tool-paths'], undefined), layout }, [
      fileChecks,
    ]);
    const lines = doctorScreen(result, folder);
    expect(lines[0]).toMatch(/^1 of 3 controls should be on and are not\./);
    const screen = lines.join('\n');
    expect(screen.indexOf('To do:')).toBeGreaterThan(screen.indexOf('What is wrong'));
    expect(screen).toMatch(/Files {6}on {8}hidden files, links in ai-data\//);
    expect(screen).toMatch(/FAILED +paths of tools/);
    for (const line of lines.slice(3)) expect(line.length).toBeLessThanOrEqual(100);
  });
});
