import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startModelRig, type EngineView, type ModelRig } from '../../../../test/fakes/model-rig.ts';
import { FAKE_TOOLS } from '../../../../test/fakes/model-turn.ts';
import { understand } from './demo-rules.ts';
import { createDemoSend } from './index.ts';

let rig: ModelRig;

beforeEach(async () => {
  rig = await startModelRig({
    route: { provider: 'demo', label: 'Demo (not an AI)', send: createDemoSend({ delayMs: 0 }) },
    turn: { provider: 'demo', model: 'demo' },
  });
});
afterEach(() => rig.close());

const tools = FAKE_TOOLS.map(({ name }) => ({ type: 'function', function: { name } }));

function say(content: string, ...before: unknown[]): Promise<EngineView> {
  return rig.ask({ messages: [...before, { role: 'user', content }], tools });
}

async function callsFor(content: string): Promise<unknown[]> {
  return (await say(content)).calls.map((call) => [call.name, JSON.parse(call.arguments)]);
}

function afterCalls(...results: [name: string, args: object, result: string][]): Promise<EngineView> {
  const calls = results.map(([name, args], i) => ({
    id: `c${i}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  }));
  const answers = results.map(([, , content], i) => ({ role: 'tool', tool_call_id: `c${i}`, content }));
  const asked = { role: 'user', content: 'do it' };
  return rig.ask({
    messages: [asked, { role: 'assistant', content: null, tool_calls: calls }, ...answers],
    tools,
  });
}

describe('the demo', () => {
  it('says in every talk that it is no AI', async () => {
    for (const text of ['Hello', 'help', 'who are you?', 'Write me a poem about the sea']) {
      expect((await say(text)).text, text).toContain('not an AI');
    }
  });

  it('streams in small pieces and always says the same', async () => {
    const first = await say('help');
    expect(rig.turn.texts.length).toBeGreaterThan(20);
    expect((await say('help')).text).toBe(first.text);
    expect(first).toMatchObject({ finish: 'stop', done: true });
  });

  it('calls the tools that a message asks for', async () => {
    const list = (path?: string): unknown => [['workspace_list', path === undefined ? {} : { path }]];
    expect(await callsFor('list')).toEqual(list());
    expect(await callsFor('What files do you have?')).toEqual(list());
    expect(await callsFor('list my files')).toEqual(list());
    expect(await callsFor('please list the files in notes.')).toEqual(list('notes'));
    expect(await callsFor('list ../secure')).toEqual(list('../secure'));
    expect(await callsFor('read notes/todo.md.')).toEqual([['workspace_read', { path: 'notes/todo.md' }]]);
    expect(await callsFor('Read "a.md" and b.md, c.md')).toEqual([
      ['workspace_read', { path: 'a.md' }],
      ['workspace_read', { path: 'b.md' }],
      ['workspace_read', { path: 'c.md' }],
    ]);
    expect(await callsFor('read ../secure/config.yaml')).toEqual([
      ['workspace_read', { path: '../secure/config.yaml' }],
    ]);
    expect(await callsFor('remember that I take tea\nwithout sugar')).toEqual([
      ['memory_write', { content: '- I take tea without sugar\n', append: true }],
    ]);
    expect(await callsFor('write notes/todo.md: buy milk\nand bread')).toEqual([
      ['workspace_write', { path: 'notes/todo.md', content: 'buy milk\nand bread\n' }],
    ]);
    expect(await callsFor('write "buy milk" to todo.md')).toEqual([
      ['workspace_write', { path: 'todo.md', content: 'buy milk\n' }],
    ]);
    expect(await callsFor("What's in my memory?")).toEqual([['memory_read', {}]]);
    expect(await callsFor('Show my memory')).toEqual([['memory_read', {}]]);
  });

  it('says before a call what it is going to do, for the person who approves', async () => {
    expect((await say('write todo.md: x')).text).toBe('I will write todo.md.');
    expect((await say('read a.md and b.md')).text).toBe('I will read a.md. I will read b.md.');
  });

  it('proposes a script and runs one', () => {
    const proposal = (name: string) => ({
      kind: 'calls',
      calls: [{ name: 'script_write', arguments: expect.objectContaining({ name }) as unknown }],
    });
    expect(understand('write a script hello')).toEqual(proposal('hello'));
    expect(understand('Please write me a new script.')).toEqual(proposal('hello'));
    expect(understand('Write a script that says hello')).toEqual(proposal('hello'));
    expect(understand('create a script called "greet"')).toEqual(proposal('greet'));
    expect(understand('write a script: x')).not.toEqual(proposal('x'));
    for (const text of ['run hello', 'Run the script hello.', 'run script "hello"'])
      expect(understand(text)).toEqual({
        kind: 'calls',
        calls: [{ name: 'script_run', arguments: { name: 'hello' } }],
      });
  });

  it('tells what became of a script, and what to do next', async () => {
    const told = async (tool: string, result: object) =>
      (await afterCalls([tool, { name: 'hello' }, JSON.stringify(result)])).text;
    const waits = { error: 'script_not_approved', message: 'hello waits.', approval_status: 'pending' };
    expect(await told('script_write', { ...waits, saved: true })).toContain('say "run hello"');
    expect(await told('script_write', { saved: false, error: 'x', message: 'Too many wait.' })).toBe(
      'The script hello was not saved: Too many wait.',
    );
    expect(await told('script_run', waits)).toBe('hello did not run: hello waits.');
    expect(await told('script_run', { value: null, error: { code: 'fail', message: 'No.' } })).toBe(
      'hello failed: No.',
    );
    expect(await told('script_run', { value: 'Hello, world', error: null })).toContain(
      '```\nHello, world\n```',
    );
  });

  it('does not call what the turn does not offer', async () => {
    const seen = await rig.ask({ messages: [{ role: 'user', content: 'list' }] });
    expect(seen.calls).toEqual([]);
    expect(seen.text).toContain('workspace_list');
  });

  it('tells what came of its calls', async () => {
    const entries = [
      { name: 'notes', kind: 'directory', bytes: 0, modified: '' },
      { name: 'a.md', kind: 'file', bytes: 3, modified: '' },
    ];
    const listed = await afterCalls([
      'workspace_list',
      {},
      JSON.stringify({ path: '', entries, truncated: false }),
    ]);
    expect(listed.text).toBe('The workspace holds 2 entries:\n- notes/\n- a.md');
    const read = await afterCalls(
      ['workspace_read', { path: 'a.md' }, JSON.stringify({ path: 'a.md', bytes: 3, content: 'one' })],
      ['workspace_read', { path: 'b.md' }, JSON.stringify({ path: 'b.md', bytes: 6, content: '```\ntwo' })],
    );
    expect(read.text).toBe('a.md says:\n\n```\none\n```\n\nb.md says:\n\n````\n```\ntwo\n````');
    const wrote = await afterCalls([
      'workspace_write',
      { path: 'x' },
      JSON.stringify({ path: 'x', bytes: 9 }),
    ]);
    expect(wrote.text).toBe('Written: x (9 bytes).');
    const memory = await afterCalls([
      'memory_read',
      {},
      JSON.stringify({ file: 'MEMORY.md', exists: false, bytes: 0, content: '' }),
    ]);
    expect(memory.text).toBe('The memory is empty so far.');
  });

  it('tells in plain words what was denied or failed, and why', async () => {
    const seen = await afterCalls(
      ['workspace_write', { path: 'todo.md' }, 'The owner denied this: not today'],
      ['workspace_read', { path: '../x' }, 'The path leaves the workspace.'],
    );
    expect(seen.text).toBe(
      'workspace_write of todo.md did not happen: The owner denied this: not today\n\nworkspace_read of ../x did not happen: The path leaves the workspace.',
    );
  });

  it('answers a new message after earlier results, and uses the name from the identity', async () => {
    const history = [
      { role: 'system', content: '<identity>\n# Who you are\n\n- Name: Ada\n</identity>' },
      { role: 'user', content: 'list' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'workspace_list', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: '{"entries":[]}' },
      { role: 'assistant', content: 'The workspace is empty.' },
    ];
    expect((await say('hello', ...history)).text).toMatch(/^Hello\. I am Ada, played by the demo/);
  });

  it('stops when the turn is stopped', async () => {
    await rig.close();
    rig = await startModelRig({
      route: { send: createDemoSend({ delayMs: 10_000 }) },
      turn: { model: 'demo' },
    });
    const asked = rig.ask({ messages: [{ role: 'user', content: 'help' }] });
    await expect.poll(() => rig.turn.texts.length).toBe(1);
    rig.turn.stop();
    expect((await asked).error?.code).toBe('llm_stopped');
    expect(rig.turn.steps[0]?.end.outcome).toBe('stopped');
  });

  it('is not slow on long or strange texts', () => {
    const began = performance.now();
    for (const text of [
      'read '.repeat(20_000),
      `write ${'a'.repeat(50_000)}`,
      `remember ${' \n'.repeat(50_000)}`,
      `list ${'the '.repeat(20_000)}`,
      `write "${'" to '.repeat(20_000)}`,
    ]) {
      understand(text);
    }
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
