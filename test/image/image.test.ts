/** The image as compose.yaml runs it. Needs root, podman, buildah, runc, mmdebstrap and iproute2 (Debian). */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DoctorAnswer } from '../../src/compose/doctor/doctor.ts';
import { documentCommands } from '../support/document-commands.ts';
import { openChat, PASSWORD } from '../support/running-program.ts';
import {
  ADDRESS,
  buildImage,
  cleanUp,
  composeService,
  IMAGE,
  newVolume,
  profileWithoutLandlock,
  runContainer,
  whyNot,
  type Container,
} from './container.ts';
import { downgrade, lostRows, schemaVersion } from './previous-schema.ts';

const reason = whyNot();
if (reason !== undefined) {
  console.warn(`The container image is not tested here: ${reason}. CI builds and runs it.`);
}

const SYSTEM = '41001:41000';
const AI = '41002:41000';
const folder = mkdtempSync(join(tmpdir(), 'openpact-image-'));
afterAll(() => {
  if (reason === undefined) cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(reason !== undefined)('the image', { timeout: 300_000 }, () => {
  beforeAll(() => buildImage(), 900_000);

  test('is small: what we add to the base is, and the whole is', () => {
    const size = (image: string): number =>
      Number(
        execFileSync('podman', ['image', 'inspect', image, '--format', '{{.Size}}'], { encoding: 'utf8' }),
      ) / 1e6;
    const whole = size(IMAGE);
    console.log(
      `image ${whole.toFixed(0)} MB, of which ours ${(whole - size('docker.io/library/node:24-bookworm-slim')).toFixed(1)} MB`,
    );
    expect(whole).toBeLessThan(260);
  });

  describe('as compose.yaml runs it', () => {
    let container: Container;
    let token = '';
    const volume = reason === undefined ? newVolume() : '';

    beforeAll(async () => {
      const began = performance.now();
      container = runContainer({ workspace: volume });
      await container.ready();
      console.log(`container: start to ready ${((performance.now() - began) / 1000).toFixed(1)} s`);
    }, 120_000);

    test('all fences hold: isolation level 3', async () => {
      const { json } = await container.call('GET', '/health');
      expect(json).toMatchObject({ status: 'healthy', isolation: { level: 3 } });
    });

    test('its main job works: setup, a chat, a tool', async () => {
      token = await setUp(container);
      const { json } = await container.call('POST', '/api/sessions', { token, body: {} });
      await listFiles(container, token, String(json['id']));
    });

    test('nothing in it is root, the first process included, and children hold no capability', () => {
      const script = `for p in /proc/[0-9]*; do [ -r $p/status ] && awk -v p=$p '/^Name:/{n=$2} /^Uid:/{u=$2" "$3" "$4" "$5} /^CapPrm:/{c=$2} /^CapBnd:/{b=$2} /^NoNewPrivs:/{print p, n, u, c, $2}' $p/status; done`;
      const { out } = container.exec(SYSTEM, 'sh', '-c', script);
      const rows = out
        .trim()
        .split('\n')
        .filter((row) => !/ (sh|awk) /.test(row));
      expect(rows.length).toBeGreaterThanOrEqual(4);
      for (const row of rows) expect(row).not.toMatch(/ 0 0 0 0 | 0+ 0 0 0 /);
      expect(rows.find((row) => row.startsWith('/proc/1 '))).toMatch(/tini 41001 41001 41001 41001/);
      const children = rows.filter((row) => / 4100[23] /.test(row));
      expect(children.length).toBeGreaterThan(0);
      for (const row of children) expect(row).toMatch(/ 0000000000000000 1$/);
    });

    test.for([
      ['list secure/', 'ls /workspace/secure'],
      ['read the configuration', 'cat /workspace/secure/config.yaml'],
      ['read the database', 'cat /workspace/secure/data/openpact.db'],
      ['write SOUL.md', 'echo x >> /workspace/ai-data/SOUL.md'],
      ['move scripts/ away', 'mv /workspace/ai-data/scripts /workspace/ai-data/x'],
      ['change the program', 'echo x >> /app/dist/openpact.js'],
      ['read the environment of the first process', 'cat /proc/1/environ'],
    ])('as the AI user nobody can %s', ([, command]) => {
      const { status, out } = container.exec(AI, 'sh', '-c', command!);
      expect(out).toMatch(/denied|Read-only|not permitted|cannot move/i);
      expect(status).not.toBe(0);
    });

    test('by file modes alone the AI user reads ai-data/ and writes memory/', () => {
      expect(
        container.exec(
          AI,
          'sh',
          '-c',
          'cat /workspace/ai-data/SOUL.md && echo note > /workspace/ai-data/memory/by-modes.md',
        ),
      ).toMatchObject({ status: 0 });
    });

    test('the root file system takes no write, whoever asks', () => {
      for (const user of ['0', SYSTEM, AI]) {
        const { out } = container.exec(user, 'sh', '-c', 'touch /new /app/new /usr/new /etc/new');
        expect(out.match(/Read-only file system/g)?.length).toBe(4);
      }
    });

    test('from outside only the port of the page is open, and only under a name of this machine', async () => {
      expect((await container.call('GET', '/api/version')).status).toBe(200);
      expect(await container.call('GET', '/api/version', { host: `${ADDRESS}:8888` })).toMatchObject({
        status: 403,
        json: { error: 'https_required' },
      });
      const listening = container.exec(
        SYSTEM,
        'sh',
        '-c',
        'awk \'$4=="0A"{print $2}\' /proc/net/tcp /proc/net/tcp6',
      ).out;
      const ports = listening
        .trim()
        .split('\n')
        .map((line) => Number.parseInt(line.split(':')[1] ?? '', 16));
      expect(ports.toSorted((a, b) => a - b)).toEqual([8081, 8888]);
      expect(await opens(8888)).toBe(true);
      for (const port of [8081, 3100, 4098, 1455, 22, 80])
        expect([port, await opens(port)]).toEqual([port, false]);
    });

    test('the health check of the image finds it well', () => {
      const [config] = JSON.parse(
        execFileSync('podman', ['image', 'inspect', IMAGE], { encoding: 'utf8' }),
      ) as [{ Healthcheck: { Test: string[] } }];
      const [, ...command] = config.Healthcheck.Test;
      expect(container.exec(SYSTEM, ...command)).toMatchObject({ status: 0 });
    });

    test('doctor finds every control as it should be, and changes nothing beside it', async () => {
      const entries = async (): Promise<unknown> =>
        (await container.call('GET', '/api/audit?event=tool.&limit=1000', { token })).json;
      const before = await entries();
      const { status, out } = container.exec('0', 'openpact-entrypoint', 'doctor', '--json');
      const line = out.split('\n').find((text) => text.startsWith('{')) ?? '{}';
      const { controls = [], ...rest } = JSON.parse(line) as Partial<DoctorAnswer>;
      expect(controls.filter(({ state }) => state === 'failed')).toEqual([]);
      expect(rest, out).toMatchObject({ ok: true, isolation: { level: 3 } });
      const state = (id: string): string | undefined => controls.find((control) => control.id === id)?.state;
      // What only the container has, and what is off or elsewhere.
      for (const id of ['S-18', 'S-23', 'S-52', 'S-53', 'S-54', 'S-55', 'S-61', 'S-71', 'S-90'])
        expect([id, state(id)]).toEqual([id, 'on']);
      const others = controls.filter((control) => control.state !== 'on').map(({ id }) => id);
      expect(others).toEqual(['S-36', 'S-76', 'S-38', 'S-39']);
      expect(status).toBe(0);
      expect(await entries()).toEqual(before);
      expect(container.exec(SYSTEM, 'sh', '-c', 'ls -A /workspace').out.trim().split('\n')).toEqual([
        'ai-data',
        'engine',
        'secure',
      ]);
    });

    test('the commands of docs/docker-security.md do what it says', () => {
      const commands = documentCommands('docker-security.md');
      expect(commands.length).toBeGreaterThan(8);
      for (const { command, works } of commands) {
        const [, user = '0', inside] =
          /^docker compose -f container\/compose\.yaml exec (?:-u (\S+) )?openpact (.+)$/.exec(command) ?? [];
        expect(inside, command).toBeDefined();
        // The words as a shell on the host would split them.
        const words = [...inside!.matchAll(/"([^"]*)"|(\S+)/g)].map(
          ([, quoted, plain]) => quoted ?? plain ?? '',
        );
        const { status, out } = container.exec(user, ...words);
        expect([command, status === 0, out]).toEqual([command, works, out]);
        if (!works) expect(out, command).toMatch(/denied|Read-only|not found|no such file/i);
      }
    }, 120_000);

    test('a child that takes all memory dies alone', async () => {
      // Almost no code of its own: what is read again from a slow disk, page by page, would make its end take minutes.
      const hog = 'echo 1000 > /proc/self/oom_score_adj; exec tail /dev/zero';
      expect(container.exec(AI, 'sh', '-c', hog).status).not.toBe(0);
      expect(await container.call('GET', '/health')).toMatchObject({ status: 200 });
      expect((await container.call('GET', '/api/sessions', { token })).status).toBe(200);
    });

    test('SIGTERM ends it in order, well before Docker would kill it', async () => {
      const { code, ms } = await container.stop();
      expect(container.log()).toContain('stopping');
      expect(code).toBe(0);
      console.log(`container: stop ${(ms / 1000).toFixed(1)} s`);
      // Docker's ten seconds end in a SIGKILL (137).
      expect(ms).toBeLessThan(9_000);
    });

    test('the same volume starts again, without a setup code', async () => {
      container = runContainer({ workspace: volume });
      await container.ready();
      expect(container.log()).not.toContain('Setup code');
      await container.stop();
    });
  });

  test('on a volume of the schema before, it starts and nothing is lost', async () => {
    const volume = newVolume();
    const first = runContainer({ workspace: volume });
    await first.ready();
    const token = await setUp(first);
    const { json: made } = await first.call('POST', '/api/sessions', { token, body: { title: 'kept' } });
    const id = String(made['id']);
    await listFiles(first, token, id);
    const messages = await first.call('GET', `/api/sessions/${id}/messages`, { token });
    await first.stop();

    const mounted = execFileSync('podman', ['volume', 'inspect', volume, '--format', '{{.Mountpoint}}'], {
      encoding: 'utf8',
    }).trim();
    const database = join(mounted, 'secure', 'data', 'openpact.db');
    const newest = schemaVersion(database);
    const before = downgrade(database);
    expect(schemaVersion(database)).toBe(newest - 1);
    expect(before['events']?.length).toBeGreaterThan(5);

    const second = runContainer({ workspace: volume });
    await second.ready();
    const login = await second.call('POST', '/api/auth/login', {
      body: { username: 'owner', password: PASSWORD },
    });
    expect(login.status).toBe(200);
    const again = { token: String(login.json['access_token']) };
    expect((await second.call('GET', '/api/sessions', again)).json).toMatchObject([{ id, title: 'kept' }]);
    expect((await second.call('GET', `/api/sessions/${id}/messages`, again)).json).toEqual(messages.json);
    const verified = second.exec(SYSTEM, 'node', '/app/bin/openpact.js', 'audit', 'verify');
    expect(verified).toMatchObject({ status: 0, out: expect.stringContaining('whole') as string });
    await second.stop();
    expect(schemaVersion(database)).toBe(newest);
    // The head of the log and the times of its last block move with each entry.
    expect(lostRows(database, { ...before, audit_head: [], audit_times: [] })).toEqual([]);
  });

  test('without any capability, as one user, it runs at level 2', async () => {
    const container = runContainer({
      workspace: newVolume(),
      service: composeService('compose.rootless.yaml'),
    });
    await container.ready();
    expect((await container.call('GET', '/health')).json).toMatchObject({ isolation: { level: 2 } });
    const { out } = container.exec(SYSTEM, 'sh', '-c', 'cat /proc/[0-9]*/status | grep ^CapPrm');
    expect(new Set(out.trim().split('\n'))).toEqual(new Set(['CapPrm:\t0000000000000000']));
    await container.stop();
  });

  test('root without the capabilities is told which ones', async () => {
    const container = runContainer({ workspace: newVolume(), service: { ...composeService(), cap_add: [] } });
    expect(await container.exited).toBe(78);
    expect(container.log()).toContain('cap_add: [SETUID, SETGID, KILL]');
  });

  test('a workspace of another owner is refused, with the command that mends it', async () => {
    const workspace = mkdtempSync(join(folder, 'wrong-'));
    chownSync(workspace, 12_345, 12_345);
    const container = runContainer({ workspace });
    expect(await container.exited).toBe(78);
    expect(container.log()).toContain('chown -R 41001:41000');
  });

  test('a profile that knows no Landlock is refused at level 3, with what to do', async () => {
    const container = runContainer({ workspace: newVolume(), seccomp: profileWithoutLandlock(folder) });
    expect(await container.exited).toBe(77);
    expect(container.log()).toMatch(/min_isolation asks for level 3/);
  });

  test('compose.yaml publishes the page on this machine only', () => {
    const service = composeService();
    expect(service.ports).toEqual(['127.0.0.1:8888:8888']);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.networks).toEqual(['openpact']);
  });
});

/** Makes the account; gives its token. */
async function setUp(container: Container): Promise<string> {
  // What podman hands on of the output can come after the answer that it is ready.
  const setupCode = () => /Setup code\s+(\S+)/.exec(container.log())?.[1];
  await expect.poll(setupCode).toBeDefined();
  const code = setupCode();
  const made = await container.call('POST', '/api/setup', {
    body: { username: 'owner', password: PASSWORD, confirm_password: PASSWORD, setup_code: code },
  });
  expect(made.status).toBe(200);
  const token = String(made.json['access_token']);
  const profile = { agent_name: 'Pact', personality: 'direct', user_name: 'Sam', timezone: 'UTC' };
  expect((await container.call('POST', '/api/setup/profile', { token, body: profile })).status).toBe(200);
  return token;
}

/** A turn with a tool. */
async function listFiles(container: Container, token: string, conversation: string): Promise<void> {
  const { json: ticket } = await container.call('POST', '/api/auth/ws-ticket', { token, body: {} });
  const chat = await openChat(
    `ws://${ADDRESS}:8888/api/sessions/${conversation}/chat?ticket=${String(ticket['ticket'])}`,
    { host: '127.0.0.1:8888' },
  );
  chat.send({ type: 'message', content: 'list files' });
  await chat.until((event) => event.type === 'done', 60_000);
  expect(chat.events.some((event) => event.type === 'tool_result')).toBe(true);
  chat.close();
}

function opens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host: ADDRESS, port, timeout: 3_000 });
    const end = (open: boolean): void => {
      socket.destroy();
      done(open);
    };
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
    socket.on('timeout', () => end(false));
  });
}
