/** What a new user does, in a real browser against the built program. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFakeModel, type FakeModel } from '../fakes/openai-server.ts';
import { CHROMIUM, inBothThemes, openBrowser, openPage, seriousFindings, shot } from '../support/browser.ts';
import { PASSWORD, startProgram, type RunningProgram } from '../support/running-program.ts';

const skip = CHROMIUM === undefined && process.env['OPENPACT_CI'] !== '1';
if (skip)
  console.warn('SKIPPED: the tests in a browser need Chromium (apt-get install chromium, or CHROMIUM_PATH).');

let browser: Browser;
let program: RunningProgram;
let model: FakeModel;

beforeAll(async () => {
  if (skip) return;
  browser = await openBrowser();
  program = await startProgram({ withoutSetup: true });
  model = await startFakeModel();
});
afterAll(async () => {
  if (skip) return;
  await browser.close();
  await program.kill();
  await model.close();
  program.remove();
});

const id = (page: Page, name: string) => page.getByTestId(name);

/** A text in the conversation; the same is read out to screen readers elsewhere. */
const said = (page: Page, text: string) => id(page, 'transcript').getByText(text).first();

async function say(page: Page, text: string): Promise<void> {
  await id(page, 'composer').fill(text);
  await id(page, 'send').click();
}

/** The refusals of the browser's console that a sign-in without a session must cause. */
const unexpected = (errors: readonly string[]): string[] =>
  errors.filter((text) => !/status of 401/.test(text));

test.skipIf(skip)(
  'a new user sets up, talks, sees tools, approves, stops, loses the program, and finds everything where it was',
  async () => {
    const context: BrowserContext = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      bypassCSP: false,
    });
    const { page, errors } = await openPage(context);
    await page.goto(program.address);
    await id(page, 'setup-code').waitFor();
    await shot(page, 'setup-account');
    await id(page, 'setup-code').fill(program.setupCode ?? '');
    await id(page, 'setup-username').fill('owner');
    await id(page, 'setup-password').fill(PASSWORD);
    await id(page, 'setup-confirm').fill(PASSWORD);
    await id(page, 'setup-account-submit').click();
    await id(page, 'setup-agent-name').fill('Pact');
    await id(page, 'setup-user-name').fill('Sam');
    await shot(page, 'setup-profile');
    await id(page, 'setup-profile-submit').click();
    await id(page, 'setup-brain-demo').waitFor();
    await shot(page, 'setup-brain');
    await id(page, 'setup-finish').click();

    // The first message already shows a tool at work.
    await id(page, 'tool-row').first().waitFor();
    await said(page, 'The workspace holds').waitFor();
    await id(page, 'demo-label').first().waitFor();
    await shot(page, 'chat-first');

    await say(page, 'write notes/todo.md: buy milk');
    await id(page, 'approval-card').first().waitFor();
    await id(page, 'approvals-badge').first().waitFor();
    await shot(page, 'chat-approval');
    await id(page, 'approval-approve').first().click();
    await said(page, 'Written: notes/todo.md').waitFor();
    await shot(page, 'chat-approved');

    await page.reload();
    await said(page, 'Written: notes/todo.md').waitFor();

    // A model that hangs, and the button that stops it.
    const cookieToken = await page.evaluate(
      async () => ((await (await fetch('/api/session')).json()) as { access_token: string }).access_token,
    );
    const api = async (method: string, path: string, body: unknown) =>
      fetch(`${program.address}${path}`, {
        method,
        headers: { authorization: `Bearer ${cookieToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    await api('PUT', '/api/llm/upstreams/openai-compatible', {
      base_url: model.url,
      enabled: true,
      api_key: 'sk-live-Zq8vR2mX7pLw4TnBc91K',
    });
    expect(
      (await api('PUT', '/api/models/default', { provider: 'openai-compatible', model: 'fake-1' })).status,
    ).toBe(200);
    model.next({ text: 'Thinking about it ', fault: 'hang_mid_stream' });
    await say(page, 'Take your time');
    await said(page, 'Thinking about it').waitFor();
    await id(page, 'stop').click();
    await id(page, 'turn-stopped').waitFor();
    await shot(page, 'chat-stopped');

    // An open request survives kill -9, and the page mends itself.
    model.next(
      { calls: [{ name: 'workspace_write', arguments: { path: 'after.md', content: 'x' } }] },
      { text: 'Written after all.' },
    );
    await say(page, 'Write after.md');
    await id(page, 'approval-approve').first().waitFor();
    const { workspace } = program;
    const port = Number(new URL(program.address).port);
    await program.kill();
    await id(page, 'connection-banner').waitFor();
    program = await startProgram({ workspace, withoutSetup: true, port });
    await id(page, 'connection-banner').waitFor({ state: 'detached', timeout: 30_000 });
    await id(page, 'approval-approve').first().click();
    await id(page, 'turn-continue').click();
    await said(page, 'Written after all.').waitFor();
    await shot(page, 'chat-after-restart');
    await context.close();
    const noise =
      /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INCOMPLETE|ERR_EMPTY_RESPONSE|WebSocket connection/;
    expect(unexpected(errors).filter((text) => !noise.test(text))).toEqual([]);
  },
  120_000,
);

const SCREENS = [
  ['chat', '/'],
  ['approvals', '/approvals'],
  ['activity', '/activity'],
  ['capabilities', '/capabilities'],
  ['settings', '/settings'],
  ['policy', '/settings/policy'],
  ['identity', '/settings/identity'],
] as const;

test.skipIf(skip)(
  'every screen stands in both themes and on a phone: nothing wider than the screen, axe finds nothing serious, the console is silent',
  async () => {
    for (const viewport of [
      { width: 1280, height: 800 },
      { width: 390, height: 844 },
    ]) {
      // axe brings a script of its own, which the strict policy would refuse.
      const context = await browser.newContext({ viewport, bypassCSP: true });
      const { page, errors } = await openPage(context);
      const stands = (screen: string): Promise<void> =>
        inBothThemes(page, async (theme) => {
          const name = `${screen}-${theme}-${viewport.width}`;
          await shot(page, name);
          expect(await seriousFindings(page), name).toEqual([]);
          const overflow = Number(
            await page.evaluate(
              'document.documentElement.scrollWidth - document.documentElement.clientWidth',
            ),
          );
          expect(overflow, `${name} is wider than the screen`).toBeLessThanOrEqual(0);
        });
      await page.goto(program.address);
      await id(page, 'login-username').waitFor();
      await stands('login');
      await id(page, 'login-username').fill('owner');
      await id(page, 'login-password').fill(PASSWORD);
      await id(page, 'login-submit').click();
      await id(page, 'login-submit').waitFor({ state: 'detached' });
      for (const [screen, path] of SCREENS) {
        await page.goto(`${program.address}${path}`);
        await page.getByRole('main').waitFor();
        await page.waitForLoadState('networkidle');
        await stands(screen);
      }
      await context.close();
      expect(unexpected(errors)).toEqual([]);
    }
  },
  180_000,
);
