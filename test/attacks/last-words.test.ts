/** The line that a dying program prints: it must not carry a secret that stood in the message of the error. */
import { expect, test } from 'vitest';
import { MODEL_KEY, startWithModel } from '../support/with-fake-model.ts';

/** A program that meets a bug whose message holds the provider's key. Says what it printed. */
async function lastLine(off: readonly string[]): Promise<string> {
  const env = { SEAM_BUG: `upstream said: invalid key ${MODEL_KEY}` };
  const { program } = await startWithModel({}, { off, env });
  process.kill(program.pid, 'SIGUSR2');
  const line = /OpenPact ended because[\s\S]*/;
  await expect.poll(() => program.log(), { timeout: 10_000 }).toMatch(line);
  return line.exec(program.log())?.[0] ?? '';
}

test('an error that nobody caught is printed with where it broke and without the key; without redaction the key shows', async () => {
  // Every other control is on; this one only makes it the program that can be given a bug.
  const kept = await lastLine(['step-limit']);
  expect(kept).toContain('upstream said: invalid key [REDACTED:');
  expect(kept).toMatch(/at .+main\.(ts|mjs)/);
  expect(kept).not.toContain(MODEL_KEY);
  expect(await lastLine(['redaction'])).toContain(MODEL_KEY);
}, 60_000);
