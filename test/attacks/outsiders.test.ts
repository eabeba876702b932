/** Somebody who reaches the address of the page and has no account. */
import { expect, test } from 'vitest';
import { openChat, PASSWORD } from '../support/running-program.ts';
import { start } from '../support/with-fake-model.ts';

/** Ten guesses, the eighth of them right. Says what each was answered. */
async function guess(off: readonly string[]): Promise<number[]> {
  const program = await start({ off, passwords: 'full' });
  const answers: number[] = [];
  for (let i = 1; i <= 10; i += 1) {
    const password = i === 8 ? PASSWORD : `a wrong but long passphrase ${i}`;
    const response = await fetch(`${program.address}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'owner', password }),
    });
    answers.push(response.status);
    if (response.status === 429) expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  return answers;
}

test('ten guesses of a password: after five nothing more is tried; without the limits a guess can hit, and nothing else stops it', async () => {
  expect(await guess([])).toEqual([401, 401, 401, 401, 401, 429, 429, 429, 429, 429]);
  const open = await guess(['login-limits']);
  expect(open[7]).toBe(200);
}, 60_000);

test('a page of another origin gets no socket, not even with a ticket; with its origin allowed it still needs the ticket; with both it gets in', async () => {
  const evil = 'http://evil.example';
  const dial = async (config: string, ticket: 'none' | 'stolen'): Promise<string> => {
    const program = await start({ config });
    const id = await program.newConversation();
    const { body } = await program.api<{ ticket: string }>('POST', '/api/auth/ws-ticket', {});
    const url = `${program.address.replace('http', 'ws')}/api/sessions/${id}/chat?ticket=${ticket === 'stolen' ? body.ticket : 'x'.repeat(43)}`;
    try {
      const chat = await openChat(url, { origin: evil });
      chat.close();
      return 'open';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  expect(await dial('', 'stolen')).toContain('403');
  expect(await dial(`admin:\n  allowed_origins: ["${evil}"]\n`, 'none')).toContain('401');
  expect(await dial(`admin:\n  allowed_origins: ["${evil}"]\n`, 'stolen')).toBe('open');
}, 60_000);

test('twenty setups at once make one account, and a wrong code makes none', async () => {
  const program = await start({ withoutSetup: true });
  const attempt = (username: string, setup_code: string) =>
    program.api<{ error?: string }>('POST', '/api/setup', {
      username,
      password: PASSWORD,
      confirm_password: PASSWORD,
      setup_code,
    });
  expect((await attempt('thief', 'AAAA-AAAA-AAAA-AAAA')).status).toBe(403);
  const code = program.setupCode ?? '';
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => attempt(`user${i}`, code)));
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
  expect((await attempt('late', code)).status).toBe(403);
}, 60_000);
