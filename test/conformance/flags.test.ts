import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

describe('the language', () => {
  test('runs in a machine without eval and without __proto__', async () => {
    const index = fileURLToPath(new URL('../../src/sandbox/starlark/index.ts', import.meta.url));
    const script = `
      import { compileProgram, Thread, standardModules } from ${JSON.stringify(index)};
      const text = 'def f(x, y=2): return [x * y, {"__proto__": x}, "%s" % x, json.encode([x]), hashing.sha256("a")[:4]]\\nprint(f(21))';
      compileProgram(text, { predeclared: standardModules(0) }).run(new Thread({ print: console.log }));`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--disallow-code-generation-from-strings',
      '--disable-proto=delete',
      '--input-type=module',
      '-e',
      script,
    ]);
    expect(stdout.trim()).toBe('[42, {"__proto__": 21}, "21", "[21]", "ca97"]');
  });
});
