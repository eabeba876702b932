/** What the model, and whoever can write the folder, puts in the place of scripts of the running program. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PolicyAnswer, Script, ScriptList } from '../../src/edge/admin/api.ts';
import type { FakeModel, FakeModelOptions } from '../fakes/openai-server.ts';
import { PASSWORD, type RunningProgram } from '../support/running-program.ts';
import { secondsOfWork } from '../support/processes.ts';
import { approveNow, getScript, heardAll, modelCalls, modelCallsAll } from '../support/script-chat.ts';
import { scriptLog } from '../support/script-log.ts';
import { startWithModel } from '../support/with-fake-model.ts';

const GOOD = 'result = "good"\n';
const EVIL = 'result = "evil"\n';
const CONFIG = 'server: {rate_limit: {rate: 5000, burst: 50000}}\n';

async function begun(
  off: readonly string[] = [],
  says: FakeModelOptions = { answers: [] },
): Promise<{ program: RunningProgram; model: FakeModel }> {
  const both = await startWithModel(says, { off, config: CONFIG });
  const { program } = both;
  const { body } = await program.api<PolicyAnswer>('GET', '/api/policy');
  await program.api('PUT', '/api/policy', {
    rules: [{ tool: 'workspace_write', resource: 'scripts', origin: 'page', decision: 'allow' }],
    digest: body.digest,
    password: PASSWORD,
  });
  return both;
}

const scriptsOf = (program: RunningProgram): string => {
  const folder = join(program.workspace, 'ai-data', 'scripts');
  mkdirSync(folder, { recursive: true });
  return folder;
};
const names = async (program: RunningProgram): Promise<string[]> =>
  (await program.api<ScriptList>('GET', '/api/scripts')).body.scripts.map(({ name }) => name);

/** Each spelling of a name that is none. */
const TRICKS = [
  '../evil.star',
  'scripts/../../evil.star',
  'scripts/../evil.star',
  '/etc/evil.star',
  'scripts/.evil.star',
  'scripts/sub/evil.star',
  'scripts/evil.star/x',
  'scripts/evil.txt',
  'scripts/evil.STAR',
  'Scripts/evil.star',
  'SCRIPTS/evil.star',
  'scripts\\evil.star',
  'scripts/..\\evil.star',
  'scripts/\u0435vil.star',
  'scripts/ev\u00adil.star',
  'scripts/e\u0301vil.star',
  'scripts/evil\u202erats.star',
  'scripts/evil\u0000.star',
  'scripts/evil.star\u0000.txt',
  'scripts/evil\n.star',
  'scripts/ evil.star',
  'scripts/evil.star ',
  'scripts/-evil.star',
  'scripts/%2e%2e/evil.star',
  'scripts/\uff0e\uff0e/evil.star',
  `scripts/${'e'.repeat(65)}.star`,
  'script\u017f/evil.star',
];

test('the model gets no script and no file by any trick with a name, and what it writes to an approved name does not run', async () => {
  const { program, model } = await begun();
  await program.api('POST', '/api/scripts', { name: 'good', source: GOOD });
  const { hash } = await approveNow(program, 'good');
  const written = await modelCallsAll(
    program,
    model,
    TRICKS.map((path) => ({ name: 'workspace_write', arguments: { path, content: EVIL } })),
  );
  // What is a path outside of scripts/ may wait for the owner, who is asked; nothing of it is a script.
  expect(written.filter(({ outcome }) => outcome === 'done')).toEqual([]);
  const named = await modelCallsAll(
    program,
    model,
    TRICKS.map((path) => path.replace(/^scripts\//, '')).flatMap((name) => [
      { name: 'script_write', arguments: { name, source: EVIL } },
      { name: 'script_run', arguments: { name } },
    ]),
  );
  expect(named).toHaveLength(2 * TRICKS.length);
  for (const { outcome, value } of named)
    expect(outcome === 'refused' || value['error'] !== undefined, JSON.stringify(value)).toBe(true);
  for (const name of ['..%2fgood', 'good%00', 'GOOD', 'g\u03bfod', '.good', 'good.star.star']) {
    const answer = await program.api('GET', `/api/scripts/${encodeURI(name)}`);
    expect([name, answer.status]).toEqual([name, expect.toBeOneOf([400, 404])]);
  }
  expect(await names(program)).toEqual(['good']);

  for (const [name, args] of [
    ['workspace_write', { path: 'scripts/good.star', content: EVIL }],
    ['workspace_write', { path: './scripts//good.star', content: `${EVIL}# 2\n` }],
    ['script_write', { name: 'good.star', source: `${EVIL}# 3\n` }],
  ] as const) {
    expect((await modelCalls(program, model, name, args)).outcome).toBe('done');
    const ran = await modelCalls(program, model, 'script_run', { name: 'good' });
    expect(ran.value).toMatchObject({ error: 'script_modified', approved_hash: hash });
  }
  expect((await scriptLog(program)).strays).toEqual([]);
}, 120_000);

test('without the path rule of the tool and the policy no trick with a name makes a script: what begins with scripts/ is refused by the name of the script, what leads out by the jail', async () => {
  const { program, model } = await begun(['policy', 'tool-paths']);
  const written = await modelCallsAll(
    program,
    model,
    TRICKS.map((path) => ({ name: 'workspace_write', arguments: { path, content: EVIL } })),
  );
  // In other folders of ai-data/, whatever they look like; nothing beside it.
  const files = readdirSync(join(program.workspace, 'ai-data'), { recursive: true, encoding: 'utf8' });
  const made = files.filter((path) => /vil|eee/.test(path));
  expect(made.length).toBeGreaterThan(0);
  expect(made).toHaveLength(written.filter(({ outcome }) => outcome === 'done').length);
  expect(made.filter((path) => path.startsWith('scripts/'))).toEqual([]);
  expect(await names(program)).toEqual([]);
}, 60_000);

test('links, pipes, folders, what is no text and 100 MiB in the place of a script are no script, the page stays quick, and a folder that became a link leads nowhere', async () => {
  const { program, model } = await begun();
  const folder = scriptsOf(program);
  await program.api('POST', '/api/scripts', { name: 'good', source: GOOD });
  await approveNow(program, 'good');
  const outside = join(program.workspace, 'outside.star');
  writeFileSync(outside, EVIL);
  const plant: Readonly<Record<string, (file: string) => void>> = {
    link: (file) => symlinkSync(outside, file),
    inside: (file) => symlinkSync('good.star', file),
    second: (file) => linkSync(outside, file),
    pipe: (file) => void spawnSync('mkfifo', [file]),
    folder: (file) => mkdirSync(file),
    huge: (file) => {
      const fd = openSync(file, 'w');
      ftruncateSync(fd, 100 * 1024 * 1024);
      closeSync(fd);
    },
    text: (file) => {
      const fd = openSync(file, 'w');
      for (let mib = 0; mib < 100; mib += 1) writeSync(fd, '# '.repeat(512 * 1024));
      closeSync(fd);
    },
    binary: (file) => writeFileSync(file, Buffer.from([0xff, 0xfe, 0, 1])),
    nul: (file) => writeFileSync(file, 'result = 1\n\0'),
    long: (file) => writeFileSync(file, `result = "${'x'.repeat(300 * 1024)}"\n`),
  };
  for (const [name, make] of Object.entries(plant)) make(join(folder, `${name}.star`));
  const began = performance.now();
  expect(await names(program)).toEqual(['good']);
  const listed = await modelCalls(program, model, 'script_list', {});
  expect(listed.value['count']).toBe(1);
  await modelCalls(program, model, 'script_reload', {});
  expect(performance.now() - began).toBeLessThan(20_000);
  for (const name of Object.keys(plant))
    expect((await program.api('GET', `/api/scripts/${name}`)).status, name).toBe(404);
  const ran = await modelCallsAll(
    program,
    model,
    Object.keys(plant).map((name) => ({ name: 'script_run', arguments: { name } })),
  );
  expect(ran.map(({ value }) => value['error'])).toEqual(ran.map(() => 'script_not_found'));

  // The same in the place of the approved one.
  for (const [name, make] of Object.entries(plant)) {
    if (name === 'inside') continue;
    rmSync(join(folder, 'good.star'), { recursive: true });
    make(join(folder, 'good.star'));
    expect((await getScript(program, 'good')).refused?.code, name).toBe('script_modified');
  }
  expect((await getScript(program, 'good')).file).toBe('unreadable');
  rmSync(join(folder, 'good.star'), { recursive: true });
  writeFileSync(join(folder, 'good.star'), GOOD);
  expect((await modelCalls(program, model, 'script_run', { name: 'good' })).value).toMatchObject({
    value: 'good',
  });

  // The whole folder is another one, through a link.
  const elsewhere = join(program.workspace, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'good.star'), EVIL);
  writeFileSync(join(elsewhere, 'planted.star'), EVIL);
  renameSync(folder, `${folder}.away`);
  symlinkSync(elsewhere, folder);
  expect((await program.api('GET', '/api/scripts/planted')).status).toBeGreaterThanOrEqual(400);
  const through = await modelCallsAll(program, model, [
    { name: 'script_run', arguments: { name: 'planted' } },
    { name: 'script_run', arguments: { name: 'good' } },
    { name: 'script_write', arguments: { name: 'made', source: EVIL } },
  ]);
  for (const { value } of through) expect(value['value']).toBeUndefined();
  expect(() => lstatSync(join(elsewhere, 'made.star'))).toThrow('ENOENT');
  expect(readFileSync(join(elsewhere, 'good.star'), 'utf8')).toBe(EVIL);
  rmSync(folder);
  renameSync(`${folder}.away`, folder);
  expect((await modelCalls(program, model, 'script_run', { name: 'good' })).value).toMatchObject({
    value: 'good',
  });
  expect((await scriptLog(program)).strays).toEqual([]);
}, 180_000);

test.each([
  { off: [], turns: 10, most: 50, what: 'fifty are kept, the others hear why' },
  { off: ['script-cap'], turns: 2, most: 100, what: 'all are kept: nothing else stops them' },
])(
  '500 versions of scripts by the model (off: $off): $what; the page stays quick',
  async ({ off, turns, most }) => {
    // One turn may call twenty times in a second: so they come side by side.
    const { program } = await begun(off, {
      otherwise: ({ body }) => {
        const said = (body as { messages: readonly { role: string; content: unknown }[] }).messages.at(-1);
        if (said?.role !== 'user') return { text: 'Done.' };
        const turn = Number(said.content);
        return {
          calls: Array.from({ length: 50 }, (_, at) => ({
            id: `call_${at}`,
            name: 'script_write',
            arguments: {
              name: at % 2 === 0 ? 'one' : `many${turn}_${at}`,
              source: `result = ${turn * 100 + at}\n`,
            },
          })),
        };
      },
    });
    const said = await Promise.all(
      Array.from({ length: turns }, async (_, turn) => {
        const chat = await program.chat(await program.newConversation());
        chat.send({ type: 'message', content: String(turn) });
        // Some wait until others are through.
        await chat.until(({ type }) => type === 'done', 150_000);
        chat.close();
        return heardAll(chat.events);
      }),
    );
    const heard = said.flat().map(({ value }) => value);
    expect(heard).toHaveLength(turns * 50);
    expect(heard.filter((value) => value['saved'] === true)).toHaveLength(most);
    const refused = heard.filter((value) => value['saved'] !== true);
    expect(refused).toHaveLength(turns * 50 - most);
    for (const value of refused)
      expect(value).toMatchObject({ error: 'too_many_pending', message: expect.stringContaining('wait') });
    const before = secondsOfWork(program.pid);
    const list = await names(program);
    expect((await program.api<Script>('GET', '/api/scripts/one')).status).toBe(200);
    expect((await program.api('GET', '/api/sessions')).status).toBe(200);
    expect(secondsOfWork(program.pid) - before).toBeLessThan(3);
    expect(list.length).toBeLessThanOrEqual(most);
    // The owner is not held up.
    expect((await program.api('POST', '/api/scripts', { name: 'mine', source: GOOD })).status).toBe(201);
  },
  180_000,
);
