import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SECRET_VARIABLES, takeSecrets, type SecretVariable } from './secrets.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openpact-secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const VALUE = 'a-value-that-is-long-enough-for-each-of-them';

test('each secret variable can come from a file, without the line break at its end', () => {
  const path = join(folder, 'secret');
  writeFileSync(path, `${VALUE}\n`, { mode: 0o600 });
  for (const name of Object.keys(SECRET_VARIABLES) as SecretVariable[]) {
    const { secrets, problems } = takeSecrets({ [`${name}_FILE`]: path });
    expect(problems).toEqual([]);
    expect(secrets.get(name)?.reveal()).toBe(VALUE);
    expect(secrets.source(name)).toBe(`${name}_FILE`);
  }
});

test('secrets for scripts are found by name, from variables and from files', () => {
  const path = join(folder, 'secret');
  writeFileSync(path, 'two\r\n');
  const { secrets } = takeSecrets({
    OPENPACT_SECRET_ONE: 'one',
    OPENPACT_SECRET_TWO_FILE: path,
    OPENPACT_SECRET_: 'x',
  });
  expect([...secrets.named].map(([name, text]) => `${name}=${text.reveal()}`)).toEqual([
    'ONE=one',
    'TWO=two',
  ]);
});

test('a variable and its file together, a missing and an empty file are problems', () => {
  writeFileSync(join(folder, 'empty'), '\n');
  const { problems } = takeSecrets({
    OPENAI_API_KEY: VALUE,
    OPENAI_API_KEY_FILE: join(folder, 'empty'),
    OPENROUTER_API_KEY_FILE: join(folder, 'empty'),
    OPENPACT_MASTER_KEY_FILE: join(folder, 'nowhere'),
  });
  expect(problems.map(({ where }) => where)).toEqual([
    'OPENAI_API_KEY_FILE',
    'OPENROUTER_API_KEY_FILE',
    'OPENPACT_MASTER_KEY_FILE',
  ]);
});

test.each([0o644, 0o640, 0o604, 0o602, 0o660])(
  'a master key in a file of mode %o is refused, with what to do; other secrets are not',
  (mode) => {
    const path = join(folder, 'key');
    writeFileSync(path, VALUE);
    chmodSync(path, mode);
    // Files of a test that root runs are of the group of root, which counts as root.
    const rootsOwn = mode === 0o640 || mode === 0o660 ? statSync(path).gid === 0 : false;
    const { secrets, problems } = takeSecrets({ OPENPACT_MASTER_KEY_FILE: path, OPENAI_API_KEY_FILE: path });
    expect(secrets.get('OPENAI_API_KEY')?.reveal()).toBe(VALUE);
    expect(problems.map(({ where }) => where)).toEqual(rootsOwn ? [] : ['OPENPACT_MASTER_KEY_FILE']);
    if (!rootsOwn) expect(problems[0]?.message).toContain(`chmod 600 ${path}`);
    expect(secrets.get('OPENPACT_MASTER_KEY') === undefined).toBe(!rootsOwn);
    chmodSync(path, 0o600);
    expect(takeSecrets({ OPENPACT_MASTER_KEY_FILE: path }).problems).toEqual([]);
  },
);

test('a secret can not be printed by accident', () => {
  const { secrets } = takeSecrets({ OPENAI_API_KEY: VALUE, OPENPACT_SECRET_A: VALUE });
  const text = secrets.get('OPENAI_API_KEY');
  for (const printed of [
    String(text),
    JSON.stringify({ text }),
    inspect({ text, secrets }, { depth: 9, showHidden: true }),
  ]) {
    expect(printed).not.toContain(VALUE);
  }
});
