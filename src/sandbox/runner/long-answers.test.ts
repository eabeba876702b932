import { afterEach, expect, test } from 'vitest';
import { reply } from '../../../test/support/script-box.ts';
import { closeRunners, openRunner, run } from '../../../test/support/script-runs.ts';

afterEach(closeRunners);

test('an answer that is handed over in pieces arrives as it was, whatever character lies between two of them', async () => {
  const grant = { hosts: ['a.example'], methods: ['GET'] };
  const runner = openRunner();
  for (const start of ['', 'x']) {
    const body = `${start}${'😀'.repeat(190_000)}`;
    const { value, error } = await run(runner, 'result = http.get("https://a.example/").body\n', {
      grant,
      hosts: () => reply(body),
    });
    expect(error).toBe(null);
    expect(value === body).toBe(true);
  }
});
