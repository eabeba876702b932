/**
 * The process of a script, taken for hostile: another program stands in its place and speaks the frames of the pipe. It
 * gets nothing but its own grant, what is no frame of ours ends the run, and the machine is behind the fences.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { canFence, isAlive } from '../../../src/host/process/launch.test-support.ts';
import { createLauncher, type Launcher } from '../../../src/host/process/index.ts';
import { createUnfencedLauncher } from '../../seams/unfenced-launcher.ts';
import { reply } from '../../support/script-box.ts';
import { closeRunners, observe, openRunner, run, watchedLauncher } from '../../support/script-runs.ts';

const MINE = 'mine_8f2k39xQ7aLmP0zR';
const THEIRS = 'theirs_Zz91mQpL5vBn3XcY';
const PROGRAM = { node: process.execPath, entry: join(import.meta.dirname, 'hostile-worker.mjs'), read: [] };
const GRANT = {
  secrets: { MINE: ['api.test'] },
  hosts: ['api.test', 'api.test:80'],
  methods: ['GET', 'POST'],
};

let folder: string;
const server = createServer();
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'openpact-worker-'));
  writeFileSync(join(folder, 'secret'), MINE);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(closeRunners);

function attackers() {
  const { launcher, pids } = watchedLauncher();
  return { runner: openRunner({ launcher, program: PROGRAM }), pids };
}

const world = () =>
  observe({
    secrets: { MINE, THEIRS },
    hosts: async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return reply(`your key is ${MINE}`);
    },
  });

describe('a process that was taken over', () => {
  test('gets nothing but what its grant says, and sees no value', async () => {
    const { runner } = attackers();
    const observed = world();
    const { value, error } = await run(runner, 'grant', { grant: GRANT, observed });
    expect(error).toBeNull();
    const refused = (code: string) => ({ refused: expect.objectContaining({ code }) as unknown });
    expect(value).toMatchObject({
      list: { names: ['MINE'] },
      foreignName: { found: false },
      foreignInOwnHost: refused('secret_not_granted'),
      ownToForeignHost: refused('host_not_granted'),
      ownInHashToForeignHost: refused('host_not_granted'),
      ownOverPlainHttp: refused('scheme_refused'),
      ownAsHost: refused('url_invalid'),
      ungrantedMethod: refused('method_not_granted'),
      inner: refused('host_not_granted'),
      own: { response: { status: 200, body: ['your key is ', ['ref', 'MINE']] } },
    });
    expect(Object.keys((value as { madeUpReference: object }).madeUpReference)).toEqual(['refused']);
    expect(JSON.stringify(value)).not.toContain(MINE);
    expect(observed.sent.map(({ url }) => url)).toEqual(['https://api.test/']);
    expect(observed.sent.map(({ headers }) => JSON.stringify(headers)).join()).not.toContain(THEIRS);
  });

  test.each([
    'garbage',
    'binary',
    'readyAgain',
    'revealOperation',
    'twoQuestions',
    'questionWhileAsking',
    'outcomeWhileAsking',
    'twoOutcomes',
    'endlessLine',
    'deepQuestion',
    'deepOutcome',
    'longOutcome',
    'longMessage',
    'parentsCode',
    'strangeCode',
    'valueAndError',
    'memberMore',
    'manyLogs',
    'logsNoText',
    'negativeNumbers',
    'hugeNumbers',
  ])('that says what ours never says (%s) is ended, and the owner is told', async (attack) => {
    const { runner, pids } = attackers();
    const observed = world();
    const outcome = await run(runner, attack, { grant: GRANT, observed });
    expect(outcome).toMatchObject({
      value: null,
      logs: [],
      error: { code: 'protocol_violation', line: null },
    });
    expect(observed.notices).toContainEqual({ event: 'protocol_violation' });
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test.each([
    ['silence', 'time_limit'],
    ['end', 'process_died'],
    ['crash', 'process_memory'],
  ])('that does not answer (%s) is an error of the run: %s', async (attack, code) => {
    const { runner, pids } = attackers();
    const outcome = await run(runner, attack, { grant: GRANT }, { limits: { time: 1_000 } });
    expect(outcome).toMatchObject({ value: null, error: { code } });
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('that floods its outputs, or writes brackets in a text, harms nobody', async () => {
    const { runner } = attackers();
    const [flood, text] = await Promise.all([run(runner, 'outputFlood'), run(runner, 'deepInText')]);
    expect(flood.value).toBe('after the flood');
    expect(text.value).toHaveLength(1_000);
  });
});

/** Without the flags that Node itself enforces. */
function withoutFlags(inner: Launcher): Launcher {
  return { launch: (order) => inner.launch({ ...order, args: order.args.slice(-1) }) };
}

async function onTheMachine(launcher: Launcher, name: string): Promise<Readonly<Record<string, string>>> {
  const { port } = server.address() as AddressInfo;
  const runner = openRunner({ launcher, program: PROGRAM, allowUnsandboxed: false });
  const target = join(folder, name);
  const attack = { port, parent: process.pid, secret: join(folder, 'secret'), target };
  const { value, error } = await run(runner, 'machine', {}, { args: [attack] });
  expect(error).toBeNull();
  const found = value as Readonly<Record<string, string>>;
  expect(existsSync(target)).toBe(found['write']?.startsWith('ALLOWED'));
  return found;
}

const allowed = (found: Readonly<Record<string, string>>): string[] =>
  Object.keys(found).filter((name) => found[name]?.startsWith('ALLOWED'));
const FILES = ['read', 'passwd', 'environ', 'write', 'database', 'spawn'];

describe.skipIf(!canFence('the process of a script'))('on the machine, the process of a script', () => {
  test('reaches no file, process or socket: by the fences; without them by the flags of Node, but for signals and sockets; without both it reaches everything', async () => {
    const both = await onTheMachine(createLauncher(), 'both');
    expect(allowed(both)).toEqual([]);
    expect(both['names']).toBe('');
    expect(allowed(await onTheMachine(withoutFlags(createLauncher()), 'fences'))).toEqual([]);
    expect(allowed(await onTheMachine(createUnfencedLauncher(), 'flags'))).toEqual(['signal', 'socket']);
    const neither = await onTheMachine(withoutFlags(createUnfencedLauncher()), 'neither');
    expect(allowed(neither)).toEqual([...FILES, 'signal', 'socket']);
  });
});
