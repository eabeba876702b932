import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRoot } from '../process/launch.test-support.ts';
import { placeProgram, type PlaceInput } from './runtime-folder.ts';

const USER = { uid: 41_001, gid: 41_000 };

describe.skipIf(!isRoot('the runtime folder'))('a program for another user', () => {
  let folder: string;
  let input: PlaceInput;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'openpact-runtime-'));
    chmodSync(folder, 0o755);
    const home = join(folder, 'home');
    for (const name of ['', 'bin', 'dist', 'dist/web']) mkdirSync(join(home, name), { recursive: true });
    writeFileSync(join(home, 'package.json'), '{"type":"module"}', { mode: 0o600 });
    writeFileSync(join(home, 'bin/openpact.js'), 'console.log("started")', { mode: 0o600 });
    writeFileSync(join(home, 'dist/openpact.js'), 'console.log("it runs")', { mode: 0o600 });
    writeFileSync(join(home, 'dist/web/index.html'), '', { mode: 0o600 });
    copyFileSync(process.execPath, join(home, 'node'));
    input = {
      node: join(home, 'node'),
      program: join(home, 'dist/openpact.js'),
      starter: join(home, 'bin/openpact.js'),
      user: USER,
      runtime: join(folder, 'runtime'),
    };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const run = (node: string, program: string): string =>
    spawnSync('setpriv', ['--reuid=41003', '--regid=41003', '--clear-groups', node, program], {
      encoding: 'utf8',
      cwd: '/',
    }).stdout;

  it('is copied out of a home of mode 700 to a folder of root, with node, and runs as any user', () => {
    chmodSync(join(folder, 'home'), 0o700);
    const placed = placeProgram(input);
    for (const path of [placed.node, placed.program, placed.starter ?? '']) {
      expect(path.startsWith(`${input.runtime}/`)).toBe(true);
      expect(statSync(path).uid).toBe(0);
      expect(statSync(path).mode & 0o022).toBe(0);
    }
    expect(run(placed.node, placed.program)).toBe('it runs\n');
    expect(run(placed.node, placed.starter ?? '')).toBe('started\n');
    expect(placeProgram(input)).toEqual(placed);
    writeFileSync(input.program, 'console.log("a newer one runs")');
    const newer = placeProgram(input);
    expect(run(newer.node, newer.program)).toBe('a newer one runs\n');
  });

  it('stays where it is when others can read it there', () => {
    chmodSync(input.node, 0o755);
    for (const path of [input.program, input.starter ?? '']) chmodSync(path, 0o644);
    const { node, program, starter } = input;
    expect(placeProgram(input)).toEqual({ node, program, starter });
  });

  it('is not put into a folder that somebody else could write, and sources are not copied', () => {
    chmodSync(join(folder, 'home'), 0o700);
    mkdirSync(input.runtime);
    chownSync(input.runtime, 41_002, 41_000);
    expect(() => placeProgram(input)).toThrow(/not a folder that only root can write/);
    rmSync(input.runtime, { recursive: true });
    expect(() => placeProgram({ ...input, program: join(folder, 'home', 'package.json') })).toThrow(
      /can not read .*package.json/,
    );
  });
});
