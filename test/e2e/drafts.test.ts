/** What is typed on a page and not sent yet: another tab, an answer that comes late and a way out do not take it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page, Route } from 'playwright-core';
import { expect, test } from 'vitest';
import type { PolicyAnswer, SecretFacts, SecretList } from '../../src/edge/admin/api.ts';
import { inEveryLook, seriousFindings, shot } from '../support/browser.ts';
import { PASSWORD } from '../support/running-program.ts';
import { id, openAt as openStage, scriptStage, skip } from '../support/script-page.ts';

const stage = scriptStage({});

const openAt = (path: string) => openStage(stage.browser, stage.program, path, { bypassCSP: true });

/** Keeps calls of this kind on their way, in front of the server or behind it, until they are let go. */
async function hold(page: Page, method: string, path: RegExp, where: 'before' | 'after' = 'before') {
  let letGo = (): void => undefined;
  let arrive = (): void => undefined;
  const arrived = new Promise<void>((done) => (arrive = done));
  const gone = new Promise<void>((done) => (letGo = done));
  let over = false;
  await page.route(path, async (route: Route) => {
    if (over || route.request().method() !== method) return route.fallback();
    const response = where === 'after' ? await route.fetch() : undefined;
    arrive();
    await gone;
    over = true;
    // Where the page gave it up meanwhile there is nobody to answer.
    return (response ? route.fulfill({ response }) : route.continue()).catch(() => undefined);
  });
  return { arrived, letGo: () => letGo() };
}

const look = (page: Page, name: string) =>
  inEveryLook(page, async (where) => {
    await shot(page, `${name}-${where}`);
    expect(await seriousFindings(page), `${name} ${where}`).toEqual([]);
  });

const policy = async () => (await stage.program.api<PolicyAnswer>('GET', '/api/policy')).body;
const rule = (tool: string, resource: string, decision: string) => ({
  tool,
  resource,
  origin: 'page',
  decision,
});

test.skipIf(skip)(
  'a policy that another tab saved is seen before anything is written over it; what was chosen stays, and leaving asks',
  async () => {
    const { context, page, errors } = await openAt('/settings/policy');
    await id(page, 'policy-workspace_write-workspace').selectOption('deny');
    const { digest } = await policy();
    const elsewhere = await stage.program.api('PUT', '/api/policy', {
      rules: [rule('memory_write', 'memory', 'ask')],
      digest,
      password: PASSWORD,
    });
    expect(elsewhere.status).toBe(200);
    // The page does not know it yet, so the password is given for what it shows: that is refused, and nothing is lost.
    await id(page, 'policy-save').click();
    await id(page, 'password-dialog-field').fill(PASSWORD);
    await id(page, 'password-dialog-act').click();
    await id(page, 'policy-meanwhile').waitFor();
    expect(await id(page, 'policy-memory_write-memory').inputValue()).toBe('ask');
    expect(await id(page, 'policy-workspace_write-workspace').inputValue()).toBe('deny');
    expect(await id(page, 'policy-save').isDisabled()).toBe(true);
    await look(page, 'policy-meanwhile');
    await id(page, 'policy-meanwhile-take').click();
    await id(page, 'policy-meanwhile').waitFor({ state: 'detached' });
    expect(await id(page, 'policy-said').count()).toBe(0);

    // Leaving asks, and staying keeps it.
    await id(page, 'rail-scripts').click();
    await id(page, 'policy-discard-dialog').getByText('Keep things as they are').click();
    await id(page, 'policy-discard-dialog').waitFor({ state: 'detached' });
    expect(await id(page, 'policy-workspace_write-workspace').inputValue()).toBe('deny');

    // While the password is on its way the dialog can't be left: it would be done all the same.
    const saving = await hold(page, 'PUT', /\/api\/policy$/);
    await id(page, 'policy-save').click();
    await id(page, 'password-dialog-field').fill(PASSWORD);
    await id(page, 'password-dialog-act').click();
    await saving.arrived;
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Not yet' }).waitFor();
    expect(await page.getByRole('button', { name: 'Not yet' }).isDisabled()).toBe(true);
    // An older answer that comes after the newer one is not shown.
    const old = await hold(page, 'GET', /\/api\/policy$/, 'after');
    await page.evaluate("dispatchEvent(new Event('visibilitychange'))");
    await old.arrived;
    // It is given up by the page, or comes.
    const ended = new Promise<void>((done) => {
      for (const event of ['requestfailed', 'requestfinished'] as const)
        page.on(event as 'requestfailed', (request) => {
          if (request.method() === 'GET' && request.url().endsWith('/api/policy')) done();
        });
    });
    saving.letGo();
    await id(page, 'policy-said').getByText('Saved. It counts').waitFor();
    old.letGo();
    await ended;
    await id(page, 'password-dialog').waitFor({ state: 'detached' });
    await page.waitForTimeout(300);
    expect(await id(page, 'policy-workspace_write-workspace').inputValue()).toBe('deny');
    await id(page, 'policy-said').getByText('Saved. It counts').waitFor();
    expect((await policy()).cells.filter((cell) => cell.rule === 'owner')).toHaveLength(2);
    await context.close();
    expect(errors.filter((line) => !/status of (401|403|409)/.test(line))).toEqual([]);
  },
  180_000,
);

test.skipIf(skip)(
  'a text about who it is stays a draft through a restore, through its own saving and when another file is chosen',
  async () => {
    const soul = join(stage.program.workspace, 'ai-data', 'SOUL.md');
    writeFileSync(soul, '# One\n');
    const { context, page, errors } = await openAt('/settings/identity');
    const text = id(page, 'identity-text');
    await expect.poll(() => text.inputValue()).toBe('# One\n');
    await text.fill('# Two\n');
    const saving = await hold(page, 'PUT', /\/api\/identity\/file/);
    // A poll that the server answered before the change, and that arrives after it.
    await id(page, 'identity-save').click();
    await saving.arrived;
    const old = await hold(page, 'GET', /\/api\/identity\/file/, 'after');
    await old.arrived;
    await text.fill('# Two\n\nAnd more.\n');
    saving.letGo();
    await page.getByText('Saved. It counts from the next message.').waitFor();
    expect(readFileSync(soul, 'utf8')).toBe('# Two\n');
    expect(await text.inputValue()).toBe('# Two\n\nAnd more.\n');
    // Nothing older takes the place of what was saved: a later save is over that.
    const answered = page.waitForResponse(/\/api\/identity\/file\?/);
    old.letGo();
    await answered;
    await page.waitForTimeout(300);
    expect(await id(page, 'identity-conflict').count()).toBe(0);
    await expect.poll(() => id(page, 'identity-save').isEnabled()).toBe(true);

    // Another file: asked about.
    await page.locator('[data-testid=identity-file][data-path="USER.md"]').click();
    await id(page, 'identity-discard-dialog').getByText('Keep things as they are').click();
    expect(await text.inputValue()).toBe('# Two\n\nAnd more.\n');

    // A restore changes the file, not what is being written.
    await id(page, 'identity-version').last().getByRole('button').first().click();
    await id(page, 'identity-restore').click();
    await id(page, 'restore-dialog-act').click();
    await id(page, 'identity-conflict').waitFor();
    expect(await text.inputValue()).toBe('# Two\n\nAnd more.\n');
    await page.locator('[data-testid=identity-file][data-path="USER.md"]').click();
    await id(page, 'identity-discard-dialog').waitFor();
    await look(page, 'identity-discard');
    await id(page, 'identity-discard-dialog-act').click();
    await page.locator('[data-path="USER.md"][aria-current=page]').waitFor();
    await context.close();
    expect(errors.filter((line) => !/status of (401|403|409)/.test(line))).toEqual([]);
  },
  180_000,
);

test.skipIf(skip)(
  'a secret that another tab changed is said in the dialog, with a way on that keeps what was typed',
  async () => {
    const name = 'K'.repeat(64);
    await stage.program.api('POST', '/api/secrets', {
      name,
      value: 'kV7Lx2pQ9sTz4Rw8',
      hosts: ['a.example.com'],
      note: 'First',
    });
    const { context, page, errors } = await openAt(`/secrets?name=${name}`);
    await id(page, 'secret-edit').click();
    await id(page, 'secret-note').fill('Mine');
    const { status } = await stage.program.api<SecretFacts>('PUT', `/api/secrets/${name}`, {
      note: 'Theirs',
    });
    expect(status).toBe(200);
    await id(page, 'secret-save').click();
    await id(page, 'secret-meanwhile').getByText('Its note is now: Theirs.').waitFor();
    expect(await id(page, 'secret-save').isDisabled()).toBe(true);
    await look(page, 'secret-meanwhile');
    await id(page, 'secret-meanwhile-take').click();
    await id(page, 'secret-save').click();
    await id(page, 'secret-dialog').waitFor({ state: 'detached' });
    const { secrets } = (await stage.program.api<SecretList>('GET', '/api/secrets')).body;
    expect(secrets.map(({ note, hosts }) => [note, hosts])).toEqual([['Mine', ['a.example.com']]]);
    await context.close();
    expect(errors.filter((line) => !/status of (401|403|409)/.test(line))).toEqual([]);
  },
  120_000,
);

test.skipIf(skip)(
  'words that are looked for are kept as they are typed, however long the server takes',
  async () => {
    await stage.program.api('POST', '/api/scripts', { name: 'finds_this', source: 'result = 1\n' });
    await stage.program.api('POST', '/api/scripts', { name: 'other', source: 'result = 1\n' });
    const { context, page } = await openAt('/scripts');
    await page.locator('[data-script=other]').waitFor();
    // What the guard of the page asked a minute ago is asked anew, and takes its time.
    await page.route(/\/api\/vault$/, async (route) => {
      await new Promise((wait) => setTimeout(wait, 1_000));
      await route.continue();
    });
    await page.evaluate('{ const now = Date.now; Date.now = () => now() + 61_000; }');
    await id(page, 'scripts-search').pressSequentially('finds_this', { delay: 30 });
    expect(await id(page, 'scripts-search').inputValue()).toBe('finds_this');
    await page.locator('[data-script=other]').waitFor({ state: 'detached' });
    expect(await id(page, 'scripts-search').inputValue()).toBe('finds_this');
    await context.close();
  },
  120_000,
);

test.skipIf(skip)(
  'a message that could not be sent is still there when its conversation is opened again',
  async () => {
    const conversation = await stage.program.newConversation();
    const { context, page } = await openAt(`/chat/${conversation}`);
    await id(page, 'composer').waitFor();
    // Loaded once, so that it can be gone to without a connection.
    await id(page, 'rail-scripts').click();
    await id(page, 'script-new').waitFor();
    // From here on nothing answers: the conversation is opened again, and the server has told nothing of it yet.
    await page.route(/\/api\/auth\/ws-ticket/, (route) => route.abort());
    await page.goBack();
    await id(page, 'composer').fill('Say hello to Sam');
    await context.setOffline(true);
    await id(page, 'connection-banner').waitFor();
    await id(page, 'send').click();
    await page.getByText('There is no connection right now.').waitFor();
    await id(page, 'rail-scripts').click();
    await id(page, 'script-new').waitFor();
    await context.setOffline(false);
    await page.unroute(/\/api\/auth\/ws-ticket/);
    await page.goBack();
    await page.getByText('There is no connection right now.').waitFor();
    await id(page, 'transcript').getByText('Say hello to Sam').waitFor();
    await context.close();
  },
  120_000,
);

test.skipIf(skip)(
  'a message that is sent before the first connection goes out over it, once; where that fails it says so',
  async () => {
    const conversation = await stage.program.newConversation();
    const { context, page } = await openAt('/scripts');
    await id(page, 'script-new').waitFor();
    const asked = async () => {
      const path = `/api/sessions/${conversation}/messages`;
      const { body } = await stage.program.api<readonly { role: string }[]>('GET', path);
      return body.filter(({ role }) => role === 'user').length;
    };
    // The second time the same words are in what is told again.
    for (const times of [1, 2]) {
      const ticket = await hold(page, 'POST', /\/api\/auth\/ws-ticket/);
      await page.goto(`${stage.program.address}/chat/${conversation}`);
      await ticket.arrived;
      await id(page, 'composer').fill('Say hello to Sam');
      await id(page, 'send').click();
      await page.getByText('Sending', { exact: true }).waitFor();
      ticket.letGo();
      await page.getByText('Sending', { exact: true }).waitFor({ state: 'detached' });
      expect(await page.getByText('Not sent:').count()).toBe(0);
      await expect.poll(asked).toBe(times);
    }
    await page.route(/\/api\/auth\/ws-ticket/, (route) => route.abort());
    await page.reload();
    await id(page, 'composer').fill('Nobody hears this');
    await id(page, 'send').click();
    await page.getByText('There is no connection right now.').waitFor();
    await context.close();
  },
  120_000,
);
