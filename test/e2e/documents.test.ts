/** What the pages for administrators say to type does what they say. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentCommands } from '../support/document-commands.ts';
import { PRODUCT } from '../support/product.ts';
import { startProgram, type RunningProgram } from '../support/running-program.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
if (!isRoot) console.warn('The commands of docs/least-privilege.md are not tried here: they need root.');

describe.skipIf(!isRoot)('docs/least-privilege.md', () => {
  let program: RunningProgram;

  beforeAll(async () => {
    program = await startProgram({ handedOver: { OPENPACT_SECRET_X: 'pw-N7xQ2vKd93LsTz8Rb41W' } });
    // The context files are made after the start.
    await program.say('list files');
  });
  afterAll(async () => {
    await program.stop();
    program.remove();
  });

  const shell = (command: string): Promise<{ code: number | null; out: string }> =>
    new Promise((done, reject) => {
      const openpact = `${process.execPath} ${PRODUCT}`;
      const child = spawn('sh', ['-c', command.replace(/^openpact /, `${openpact} `)], {
        cwd: '/',
        env: { PATH: process.env['PATH'], LC_ALL: 'C', W: program.workspace, P: String(program.pid) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let out = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (part: Buffer) => (out += part.toString()));
      child.on('error', reject);
      child.on('close', (code) => done({ code, out }));
    });

  const commands = documentCommands('least-privilege.md');

  test('names commands that work and commands that are refused', () => {
    expect(commands.filter(({ works }) => works).length).toBeGreaterThan(8);
    expect(commands.filter(({ works }) => !works).length).toBeGreaterThan(8);
  });

  test.for(commands)('$command', { timeout: 180_000 }, async ({ command, works }) => {
    const { code, out } = await shell(command);
    if (works) expect(code, out).toBe(0);
    else {
      expect(code, out).not.toBe(0);
      // Refused, and not mistyped: grep says nothing when it finds nothing.
      if (!command.startsWith('grep')) expect(out).toMatch(/denied|not permitted/);
    }
  });
});

test('docs/docker-security.md explains every line of compose.yaml', () => {
  const { services } = parse(readFileSync(join(ROOT, 'container', 'compose.yaml'), 'utf8')) as {
    services: { openpact: object };
  };
  const text = readFileSync(join(ROOT, 'docs', 'docker-security.md'), 'utf8');
  const explained = text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, key = '']) => key));
  expect(explained.toSorted()).toEqual(Object.keys(services.openpact).toSorted());
});
